#pragma once

#include <gradtape/core/array.hpp>

#include <cstdint>
#include <span>

/// Images of another size, each element of which is a weighted sum of neighbours: row by row and column by column.
namespace gradtape::inline v0::detail {

/// Along one axis, an element is `first` · x[begin] + `rest` · (x[begin + 1] + … + x[begin + count - 1]).
struct Tap {
  std::int64_t begin, count;
  double first, rest;
};

/// What each element is made of, along the last axes: of `height` × `width` elements of x, rows.size() × cols.size().
struct Taps {
  std::int64_t height, width;
  std::span<const Tap> rows, cols;
  Array room;  ///< where they stand, for a step of training is not to ask the heap
};

/// The images of x by these taps. `out` is packed.
void resample(const Array& out, const Array& x, const Taps& taps);

/// The adjoint: each element of g is added to those it is made of. `out` is packed.
void add_resampled(const Array& out, const Array& g, const Taps& taps);

}  // namespace gradtape::inline v0::detail
