#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::inline v0::detail {

// Of each row of the packed matrix `x`, f32 or f64; computed in double.

/// Sum of the squared distances from the mean, divided by `divisor`.
void variance(const Array& out, const Array& x, double divisor);
/// (Σ |x|ᵖ)^(1/p), p not 0.
void norm(const Array& out, const Array& x, double p);

}  // namespace gradtape::inline v0::detail
