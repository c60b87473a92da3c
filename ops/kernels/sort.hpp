#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::inline v0::detail {

// Indices along an axis of the packed `x`, of any dtype, in the order of its elements. NaN counts as the largest of
// all, and of equals the first comes first, so that there is one order only.

/// Those of the first out.shape()[axis] elements; in any order unless `sorted`.
void sorted_indices(const Array& out, const Array& x, int axis, bool descending, bool sorted);

/// That of the lower middle, or of the first NaN if there is one; `out` has size 1 along the axis.
void median_index(const Array& out, const Array& x, int axis);

}  // namespace gradtape::inline v0::detail
