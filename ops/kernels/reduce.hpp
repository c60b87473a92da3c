#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::detail {

/// Reduces the axes in `mask` of `x`, which may be strided, into the packed `out`; f32, f64, i64.
void reduce_sum(const Array& out, const Array& x, unsigned mask);
void reduce_max(const Array& out, const Array& x, unsigned mask);

/// Index of the first largest element of each row of the packed `x`, seen as (outer, n, inner).
void argmax(const Array& out, const Array& x, int axis);

}  // namespace gradtape::detail
