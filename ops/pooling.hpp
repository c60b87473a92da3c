#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Windows slide over the last axis (1d) or the last two (2d) of x, f32 or f64, whatever axes stand before. A number for
// two axes is one for both or one for each, `3` or `{3, 2}`. A window that does not fit whole into x and its padding
// is left out, unless ceil_mode is set and it starts before the end of x. Throws ShapeError if none is left or one
// would see padding alone, ValueError for an option out of its range.

/// Options of `max_pool1d` and `max_pool2d`.
struct MaxPoolOptions {
  IntegerList stride = {};   ///< from each window to the next; the kernel's size unless told
  IntegerList padding = 0;   ///< places around x that no maximum counts, at most half of the kernel
  IntegerList dilation = 1;  ///< from each element of a window to the next, at least 1
  bool ceil_mode = false;    ///< whether windows may reach beyond x and its padding
};

/// The largest element of each window: x (…, l) -> (…, l'), where l' is (l + 2 padding - dilation (kernel - 1) - 1) /
/// stride + 1 rounded down, or up with ceil_mode; NaN if there is one. The first of equal elements gets the gradient.
Tensor max_pool1d(const Tensor& x, const IntegerList& kernel, const MaxPoolOptions& options = {});

/// The largest element of each window: x (…, h, w) -> (…, h', w'), along each axis as max_pool1d.
Tensor max_pool2d(const Tensor& x, const IntegerList& kernel, const MaxPoolOptions& options = {});

/// Options of `avg_pool1d` and `avg_pool2d`.
struct AvgPoolOptions {
  IntegerList stride = {};        ///< from each window to the next; the kernel's size unless told
  IntegerList padding = 0;        ///< zeros around x, at most half of the kernel
  bool ceil_mode = false;         ///< whether windows may reach beyond x and its padding
  bool count_include_pad = true;  ///< whether a mean counts those zeros
};

/// The mean of each window: x (…, l) -> (…, l'), where l' is (l + 2 padding - kernel) / stride + 1 rounded down, or up
/// with ceil_mode. A mean never counts what is beyond the padding.
Tensor avg_pool1d(const Tensor& x, const IntegerList& kernel, const AvgPoolOptions& options = {});

/// The mean of each window: x (…, h, w) -> (…, h', w'), along each axis as avg_pool1d.
Tensor avg_pool2d(const Tensor& x, const IntegerList& kernel, const AvgPoolOptions& options = {});

/// Means of `size` parts of x: (…, l) -> (…, size); part i is from i l / size rounded down to (i + 1) l / size rounded
/// up. Throws ShapeError for a part of nothing.
Tensor adaptive_avg_pool1d(const Tensor& x, const IntegerList& size);

/// Means of parts of images: x (…, h, w) -> (…, h', w'), along each axis as adaptive_avg_pool1d.
Tensor adaptive_avg_pool2d(const Tensor& x, const IntegerList& size);

}  // namespace gradtape::inline v0
