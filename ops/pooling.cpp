#include <gradtape/core/error.hpp>
#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/pooling.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/pooling.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/resample.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::Pair, detail::Tap, detail::Windows;

void check_image(std::string_view op, const Tensor& x, int axes) {
  detail::check_floating(op, {&x.array()});
  if (x.rank() < axes)
    throw ShapeError(
        fmt::format("{}: x {}; expected {}", op, to_string(x.shape()), axes == 1 ? "(…, l)" : "(…, h, w)"));
}

/// The windows of a pooling op, each of which sees an element.
Windows windows_of(std::string_view op, const Tensor& x, int axes, const IntegerList& kernel, const IntegerList& stride,
                   const IntegerList& padding, const IntegerList& dilation, bool ceil_mode) {
  check_image(op, x, axes);
  const Windows out = detail::windows_over(op, x.shape(), axes,
                                           {kernel, stride.empty() ? kernel : stride, padding, dilation, ceil_mode});
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (out.padding[axis] > out.size[axis] / 2)
      throw ValueError(fmt::format("{}: padding is {}; expected at most half of the kernel, which is {}", op,
                                   out.padding[axis], out.size[axis]));
    // One that starts in front of the image steps over all of it where the dilation is wide.
    for (std::int64_t i = 0; i < out.count[axis] && (out.at(axis, i, 0) < 0 || out.image[axis] == 0); ++i)
      if (out.first_seen(axis, i) >= out.image[axis])
        throw ShapeError(fmt::format("{}: a window over axis {} of {} would see padding alone; use less of it", op,
                                     x.rank() - 2 + static_cast<int>(axis), to_string(x.shape())));
  }
  return out;
}

/// The shape of x with images of another size.
Shape resized(const Shape& x, int axes, const Pair& size) {
  Shape out = x;
  if (axes == 2) out.set(-2, size[0]);
  out.set(-1, size[1]);
  return out;
}

/// `shape` with its last axes, those of images, as one.
Shape by_image(const Shape& shape, int axes, const Pair& size) {
  Shape out = detail::without_last(shape, axes);
  out.push_back(product(size).value_or(0));  // beyond what can be counted only where there are no elements
  return out;
}

struct MaxPool {
  static constexpr std::string_view name = "max_pool";
  Windows windows;
  Shape from;
  int axes;

  void attributes(AttributeVisitor& v) const { windows.attributes(v); }
  Shape infer(const Shape&, const Shape& place) const { return place; }
  /// Also fills `place`, which says where in its image the largest element of each window stands.
  void value(const Array& out, const Array& x, const Array& place) const {
    detail::find_largest(out, place, x, windows);
  }
  auto vjp(Wrt<0>, Grad g, In<1> place) const {
    const Shape each = by_image(place.shape(), axes, windows.count);
    const Tensor x = detail::scatter_along(reshape(g, each), reshape(place, each), each.rank() - 1,
                                           by_image(from, axes, windows.image));
    return reshape(x, from);
  }
  auto jvp(Wrt<0>, Grad t, In<1> place) const {
    const Shape each = by_image(place.shape(), axes, windows.count);
    const Tensor x = reshape(t, by_image(from, axes, windows.image));
    return reshape(detail::gather_along(x, reshape(place, each), each.rank() - 1), place.shape());
  }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

Tensor max_pool(std::string_view op, const Tensor& x, int axes, const IntegerList& kernel,
                const MaxPoolOptions& options) {
  const Windows windows =
      windows_of(op, x, axes, kernel, options.stride, options.padding, options.dilation, options.ceil_mode);
  const MaxPool pool{windows, x.shape(), axes};
  const Tensor place(Array::make(i64, resized(x.shape(), axes, windows.count)));
  return detail::as_one(pool, {&x.array()}, [&] { return record(pool, x, place); });
}

struct Average {
  static constexpr std::string_view name = "avg_pool2d", adjoint_name = "avg_pool2d_adjoint";
  Pair from, to, size, stride, padding;
  bool count_padding;

  void attributes(AttributeVisitor& v) const {
    v("image", from), v("count", to), v("size", size), v("stride", stride), v("padding", padding);
    v("count_padding", count_padding);
  }
  Tap operator()(std::size_t axis, std::int64_t i) const {
    const std::int64_t first = i * stride[axis] - padding[axis], end = first + size[axis],
                       begin = std::max<std::int64_t>(first, 0), count = std::min(end, from[axis]) - begin;
    const double weight =
        1 / static_cast<double>(count_padding ? std::min(end, from[axis] + padding[axis]) - first : count);
    return {begin, count, weight, weight};
  }
};

Tensor avg_pool(std::string_view op, const Tensor& x, int axes, const IntegerList& kernel,
                const AvgPoolOptions& options) {
  const Windows w = windows_of(op, x, axes, kernel, options.stride, options.padding, 1, options.ceil_mode);
  const Average average{w.image, w.count, w.size, w.stride, w.padding, options.count_include_pad};
  return record(detail::Resample<Average>{average, x.shape(), resized(x.shape(), axes, w.count)}, x);
}

struct AdaptiveAverage {
  static constexpr std::string_view name = "adaptive_avg_pool2d", adjoint_name = "adaptive_avg_pool2d_adjoint";
  Pair from, to;

  void attributes(AttributeVisitor& v) const { v("image", from), v("count", to); }
  Tap operator()(std::size_t axis, std::int64_t i) const {
    const std::int64_t n = from[axis], parts = to[axis], begin = detail::scaled(i, n, parts),
                       end = n - detail::scaled(parts - 1 - i, n, parts);  // rounded up
    const double weight = 1 / static_cast<double>(end - begin);
    return {begin, end - begin, weight, weight};
  }
};

Tensor adaptive_avg_pool(std::string_view op, const Tensor& x, int axes, const IntegerList& size) {
  check_image(op, x, axes);
  const Pair from{axes == 1 ? 1 : x.shape()[-2], x.shape()[-1]}, to = detail::pair_of(op, "size", size, axes, 1);
  if (from[0] == 0 || from[1] == 0)
    throw ShapeError(fmt::format("{}: a part of {} would be of nothing", op, to_string(x.shape())));
  return record(detail::Resample<AdaptiveAverage>{AdaptiveAverage{from, to}, x.shape(), resized(x.shape(), axes, to)},
                x);
}

}  // namespace

Tensor max_pool1d(const Tensor& x, const IntegerList& kernel, const MaxPoolOptions& options) {
  return max_pool("max_pool1d", x, 1, kernel, options);
}

Tensor max_pool2d(const Tensor& x, const IntegerList& kernel, const MaxPoolOptions& options) {
  return max_pool("max_pool2d", x, 2, kernel, options);
}

Tensor avg_pool1d(const Tensor& x, const IntegerList& kernel, const AvgPoolOptions& options) {
  return avg_pool("avg_pool1d", x, 1, kernel, options);
}

Tensor avg_pool2d(const Tensor& x, const IntegerList& kernel, const AvgPoolOptions& options) {
  return avg_pool("avg_pool2d", x, 2, kernel, options);
}

Tensor adaptive_avg_pool1d(const Tensor& x, const IntegerList& size) {
  return adaptive_avg_pool("adaptive_avg_pool1d", x, 1, size);
}

Tensor adaptive_avg_pool2d(const Tensor& x, const IntegerList& size) {
  return adaptive_avg_pool("adaptive_avg_pool2d", x, 2, size);
}

}  // namespace gradtape::inline v0
