#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/ops/window.hpp>

/// Loops over the windows of pooling.
namespace gradtape::inline v0::detail {

/// Where in its image, row by row, the largest element of each window stands: the first of equals, the first NaN if
/// there is one. `out` is packed, i64; no window may see padding alone.
void find_largest(const Array& out, const Array& x, const Windows& windows);

}  // namespace gradtape::inline v0::detail
