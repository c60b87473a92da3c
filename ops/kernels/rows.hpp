#pragma once

#include <gradtape/core/array.hpp>

#include <cstdint>

namespace gradtape::inline v0::detail {

/// `x` as a packed matrix with a row for each element that a reduction over the axes in `mask` leaves, in their order.
/// A view where these axes are the last ones of a packed array, else a copy.
Array rows_of(const Array& x, unsigned mask);

/// A packed array around one axis: the element at (o, k, i) stands at (o * n + k) * inner + i.
struct Around {
  std::int64_t outer = 1, n = 1, inner = 1;

  Around(const Shape& shape, int axis) : n(shape[axis]) {
    for (int a = 0; a < axis; ++a) outer *= shape[a];
    for (int a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
  }
};

}  // namespace gradtape::inline v0::detail
