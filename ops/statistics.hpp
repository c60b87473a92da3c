#pragma once

#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/reduce.hpp>

namespace gradtape::inline v0 {

/// Options of `var` and `std`.
struct VarOptions {
  Axes axes = {};         ///< which axes to reduce; empty means all
  double correction = 1;  ///< what the divisor is less than the number n of elements; 0 for that of a whole population
  bool keepdims = false;  ///< keep reduced axes with size 1
};

/// Variance over axes, Σ (x - mean(x))² / (n - correction); f32, f64. In two passes and in double: also exact where the
/// mean is much larger than the deviations. Throws ValueError unless n > correction.
Tensor var(const Tensor& x, const VarOptions& options = {});

/// Standard deviation over axes, √var(x); the gradient where that is 0 is 0.
Tensor std(const Tensor& x, const VarOptions& options = {});

/// log(Σ exp(x)) over axes, computed from x - max(x), so that nothing overflows; f32, f64. Over no elements or those
/// that are all -inf it is -inf, and its gradient 0.
Tensor logsumexp(const Tensor& x, const ReduceOptions& options = {});

/// Options of `norm`.
struct NormOptions {
  double p = 2;           ///< any number; the infinities too
  Axes axes = {};         ///< which axes to reduce; empty means all
  bool keepdims = false;  ///< keep reduced axes with size 1
};

/// The p-norm over axes, (Σ |x|ᵖ)^(1/p); max |x| for p = ∞, min |x| for -∞, the number of elements that are not 0 for p
/// = 0; f32, f64. The powers are added up in double and not scaled: in f64, x² overflows beyond 1e154. The gradient is
/// 0 for an element of 0 where there is a kink, and at the zero vector; elements that tie for max |x| or min |x| share
/// it evenly; p = 0 has none. Throws ValueError if p is NaN, or over no elements where that has no meaning (p < 0, p =
/// ∞).
Tensor norm(const Tensor& x, const NormOptions& options = {});

}  // namespace gradtape::inline v0
