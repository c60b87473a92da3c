#pragma once

#include <gradtape/core/observe.hpp>
#include <gradtape/core/shape.hpp>

#include <array>
#include <cstdint>
#include <string_view>

/// Windows that slide over images: what convolution and pooling have in common.
namespace gradtape::inline v0::detail {

/// A number for the height and one for the width.
using Pair = std::array<std::int64_t, 2>;

/// Windows over the last two axes of an array. A row of elements is an image of height 1.
struct Windows {
  Pair image;     ///< its size
  Pair count;     ///< how many windows
  Pair size;      ///< elements of a window
  Pair stride;    ///< from each window to the next
  Pair padding;   ///< places around the image, which hold nothing
  Pair dilation;  ///< from each element of a window to the next

  void attributes(AttributeVisitor& v) const {
    v("image", image), v("count", count), v("size", size), v("stride", stride), v("padding", padding);
    v("dilation", dilation);
  }
  /// Where in the image element `k` of window `i` lies along an axis; outside of it is padding.
  std::int64_t at(std::size_t axis, std::int64_t i, std::int64_t k) const {
    return i * stride[axis] - padding[axis] + k * dilation[axis];
  }
  /// The first element of window `i` that is not padding in front of the image.
  std::int64_t first_seen(std::size_t axis, std::int64_t i) const {
    const std::int64_t first = at(axis, i, 0), step = dilation[axis];
    return first >= 0 ? first : (step - -first % step) % step;
  }
};

/// One number for each of `axes` (1 or 2) axes; a single one stands for both. The height that a row of elements lacks
/// gets `least`. Throws ValueError that names `op` and `what` for another count, or for a number below `least`.
Pair pair_of(std::string_view op, std::string_view what, const IntegerList& values, int axes, std::int64_t least);

/// What its options say of windows.
struct WindowOptions {
  IntegerList size, stride, padding, dilation;
  bool partial = false;  ///< also one that starts within the image and reaches beyond it and its padding
};

/// Windows of which only the options are known. Throws ValueError that names `op` for options that make no sense.
Windows windows_of(std::string_view op, int axes, const WindowOptions& options);

/// All windows that fit, or, with `partial`, start, over the last axes (1 or 2) of x. Throws ValueError for options
/// that make no sense, ShapeError if not even one window fits; both name `op`.
Windows windows_over(std::string_view op, const Shape& x, int axes, const WindowOptions& options);

/// Elements from the first to the last of a window along an axis. Throws ShapeError that names `op` if they cannot be
/// counted.
std::int64_t extent(std::string_view op, const Windows& windows, std::size_t axis);

}  // namespace gradtape::inline v0::detail
