#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Trigonometric and hyperbolic functions, elementwise; f32 and f64; angles in radians. NaN outside of their domain.

Tensor sin(const Tensor& x);   ///< sine
Tensor cos(const Tensor& x);   ///< cosine
Tensor tan(const Tensor& x);   ///< tangent
Tensor asin(const Tensor& x);  ///< arc sine of x in [-1, 1]; the gradient at ±1 is inf
Tensor acos(const Tensor& x);  ///< arc cosine of x in [-1, 1]; the gradient at ±1 is -inf
Tensor atan(const Tensor& x);  ///< arc tangent, in [-π/2, π/2]

/// The angle of the point (x, y), in [-π, π], with broadcasting; either may be a number. The gradient x/r², -y/r² is
/// NaN at the origin and where a coordinate is infinite.
Tensor atan2(const Operand& y, const Operand& x);

Tensor sinh(const Tensor& x);   ///< (eˣ - e⁻ˣ) / 2
Tensor cosh(const Tensor& x);   ///< (eˣ + e⁻ˣ) / 2
Tensor tanh(const Tensor& x);   ///< sinh(x) / cosh(x)
Tensor asinh(const Tensor& x);  ///< log(x + √(x² + 1))
Tensor acosh(const Tensor& x);  ///< log(x + √(x² - 1)) of x >= 1; the gradient at 1 is inf
Tensor atanh(const Tensor& x);  ///< log((1 + x) / (1 - x)) / 2 of x in [-1, 1]; ±inf at ±1, where the gradient is inf

}  // namespace gradtape::inline v0
