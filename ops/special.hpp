#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Special functions, elementwise; f32 and f64. Formulas: NIST Digital Library of Mathematical Functions, chapters 5
// and 7.

Tensor erf(const Tensor& x);     ///< error function, 2/√π ∫₀ˣ e^(-t²) dt
Tensor erfc(const Tensor& x);    ///< 1 - erf(x), accurate where that is small
Tensor lgamma(const Tensor& x);  ///< log |Γ(x)|; inf at 0, -1, -2, …; the gradient is digamma(x)
Tensor digamma(
    const Tensor& x);  ///< ψ(x), the derivative of log Γ; ∓inf at ±0, NaN at -1, -2, …; the gradient is polygamma(1, x)

/// ψ⁽ⁿ⁾(x), derivative n of digamma; the gradient is polygamma(n + 1, x). Throws ValueError for n < 0.
Tensor polygamma(int n, const Tensor& x);

}  // namespace gradtape::inline v0
