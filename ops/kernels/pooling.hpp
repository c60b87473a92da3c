#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/ops/window.hpp>

/// Loops over the windows of pooling.
namespace gradtape::inline v0::detail {

/// The largest element of each window, and where in its image that stands, row by row: the first of equals, the first
/// NaN if there is one. `out` and `place`, i64, are packed; no window may see padding alone.
void find_largest(const Array& out, const Array& place, const Array& x, const Windows& windows);

}  // namespace gradtape::inline v0::detail
