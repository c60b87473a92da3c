#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

// Elementwise functions; f32 and f64, except abs, sign and square, which take i64 too. Outside of their domain they give NaN or an
// infinity as IEEE 754 has it, and so do the gradients there.

Tensor exp(const Tensor& x);     ///< eˣ; 0 where that would be subnormal
Tensor log(const Tensor& x);     ///< natural logarithm; -inf at 0, NaN below; the gradient is 1/x everywhere
Tensor sqrt(const Tensor& x);    ///< square root; NaN below 0; the gradient at 0 is inf
Tensor square(const Tensor& x);  ///< x²
Tensor sin(const Tensor& x);     ///< sine, x in radians
Tensor cos(const Tensor& x);     ///< cosine, x in radians
Tensor abs(const Tensor& x);     ///< |x|; the gradient at 0 is 0
Tensor sign(const Tensor& x);    ///< -1, 0 or 1; NaN for NaN; the gradient is 0

/// baseᵉˣᵖᵒⁿᵉⁿᵗ, with broadcasting; either may be a number. The gradient of an exponent at base 0 is 0 where that is the limit.
Tensor pow(const Operand& base, const Operand& exponent);

}  // namespace gradtape
