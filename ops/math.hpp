#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Elementwise functions; f32 and f64, except abs, sign and square, which take i64 too. Outside of their domain they
// give NaN or an infinity as IEEE 754 has it, and so do the gradients there.

Tensor exp(const Tensor& x);         ///< eˣ
Tensor expm1(const Tensor& x);       ///< eˣ - 1, accurate near 0
Tensor log(const Tensor& x);         ///< natural logarithm; -inf at 0, NaN below; the gradient is 1/x everywhere
Tensor log1p(const Tensor& x);       ///< log(1 + x), accurate near 0; the gradient is 1 / (1 + x) everywhere
Tensor sqrt(const Tensor& x);        ///< square root; NaN below 0; the gradient at 0 is inf
Tensor rsqrt(const Tensor& x);       ///< 1 / sqrt(x); inf at 0, where the gradient is -inf
Tensor square(const Tensor& x);      ///< x²
Tensor reciprocal(const Tensor& x);  ///< 1 / x; ±inf at ±0, where the gradient is -inf
Tensor abs(const Tensor& x);         ///< |x|; the gradient at 0 is 0
Tensor sign(const Tensor& x);        ///< -1, 0 or 1; NaN for NaN; the gradient is 0

// The same of several operands with broadcasting; each may be a number.

/// baseᵉˣᵖᵒⁿᵉⁿᵗ. The gradient of an exponent at base 0 is 0 where that is the limit.
Tensor pow(const Operand& base, const Operand& exponent);
/// √(a² + b²) without overflow on the way; inf if either is infinite. The gradient a/y, b/y is NaN where both are 0.
Tensor hypot(const Operand& a, const Operand& b);
/// log(eᵃ + eᵇ) without overflow on the way; infinities as limits, where two equal ones share the gradient evenly.
Tensor logaddexp(const Operand& a, const Operand& b);
/// start + weight * (end - start): linear between start at weight 0 and end at 1, and beyond.
Tensor lerp(const Operand& start, const Operand& end, const Operand& weight);

}  // namespace gradtape::inline v0
