#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

/// Running sum along an axis, y[k] = x[0] + … + x[k]; f32 (added up in double), f64, i64.
Tensor cumsum(const Tensor& x, const AxisOptions& options = {});

/// Running product along an axis, y[k] = x[0] · … · x[k]; f32 (multiplied up in double), f64, i64. No gradient divides,
/// so zeros in x do no harm.
Tensor cumprod(const Tensor& x, const AxisOptions& options = {});

namespace detail {
/// Along an axis, the product of all elements but the one that stands there.
Tensor exclusive_product(const Tensor& x, int axis);
}  // namespace detail

}  // namespace gradtape::inline v0
