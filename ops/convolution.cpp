#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/convolution.hpp>
#include <gradtape/ops/kernels/convolution.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/window.hpp>

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::Convolution, detail::Windows;

// A convolution is Σ y[…] w[…] x[…] differentiated by y; its gradients are the other two derivatives, and theirs are
// these three again.

/// (x, w) -> y
struct Conv {
  static constexpr std::string_view name = "conv2d";
  Convolution c;

  void attributes(AttributeVisitor& v) const { c.attributes(v); }
  Shape infer(const Shape&, const Shape&) const { return c.y; }
  void value(const Array& y, const Array& x, const Array& w, double beta = 0) const {
    detail::convolve(c, y, x, w, beta);
  }
  auto vjp(Wrt<0>, Grad g, In<1> w) const;
  auto vjp(Wrt<1>, Grad g, In<0> x) const;
  auto jvp(Wrt<0>, Grad t, In<1> w) const { return record(*this, t, w); }
  auto jvp(Wrt<1>, Grad t, In<0> x) const { return record(*this, x, t); }
};

/// (y, w) -> x
struct ConvTranspose {
  static constexpr std::string_view name = "conv_transpose2d";
  Convolution c;

  void attributes(AttributeVisitor& v) const { c.attributes(v); }
  Shape infer(const Shape&, const Shape&) const { return c.x; }
  void value(const Array& x, const Array& y, const Array& w, double beta = 0) const {
    detail::convolve_back(c, x, y, w, beta);
  }
  auto vjp(Wrt<0>, Grad g, In<1> w) const { return tail(Conv{c}, g, w); }
  auto vjp(Wrt<1>, Grad g, In<0> y) const;
  auto jvp(Wrt<0>, Grad t, In<1> w) const { return record(*this, t, w); }
  auto jvp(Wrt<1>, Grad t, In<0> y) const { return record(*this, y, t); }
};

/// (y, x) -> w
struct ConvWeight {
  static constexpr std::string_view name = "conv2d_weight";
  Convolution c;

  Shape infer(const Shape&, const Shape&) const { return c.weight; }
  void value(const Array& w, const Array& y, const Array& x, double beta = 0) const {
    detail::correlate(c, w, y, x, beta);
  }
  auto vjp(Wrt<0>, Grad g, In<1> x) const { return tail(Conv{c}, x, g); }
  auto vjp(Wrt<1>, Grad g, In<0> y) const { return tail(ConvTranspose{c}, y, g); }
  auto jvp(Wrt<0>, Grad t, In<1> x) const { return record(*this, t, x); }
  auto jvp(Wrt<1>, Grad t, In<0> y) const { return record(*this, y, t); }
};

auto Conv::vjp(Wrt<0>, Grad g, In<1> w) const { return tail(ConvTranspose{c}, g, w); }
auto Conv::vjp(Wrt<1>, Grad g, In<0> x) const { return tail(ConvWeight{c}, g, x); }
auto ConvTranspose::vjp(Wrt<1>, Grad g, In<0> y) const { return tail(ConvWeight{c}, y, g); }

/// (x, w, b) -> y
struct ConvBias {
  static constexpr std::string_view name = "conv2d";
  Convolution c;

  void attributes(AttributeVisitor& v) const { c.attributes(v); }
  Shape infer(const Shape&, const Shape&, const Shape&) const { return c.y; }
  void value(const Array& y, const Array& x, const Array& w, const Array& b) const {
    detail::convolve(c, y, x, w, 0, &b);
  }
  auto vjp(Wrt<0>, Grad g, In<1> w) const { return tail(ConvTranspose{c}, g, w); }
  auto vjp(Wrt<1>, Grad g, In<0> x) const { return tail(ConvWeight{c}, g, x); }
  auto vjp(Wrt<2>, Grad g) const { return sum(g, {.axes = {0, 2, 3}}); }
  auto jvp(Wrt<0>, Grad t, In<1> w) const { return record(Conv{c}, t, w); }
  auto jvp(Wrt<1>, Grad t, In<0> x) const { return record(Conv{c}, x, t); }
};

[[noreturn]] void throw_shapes(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                               std::int64_t groups, std::string_view expected) {
  throw ShapeError(fmt::format("{}: x {}, weight {}{} do not fit{}; expected {}", op, to_string(x.shape()),
                               to_string(weight.shape()),
                               bias.defined() ? fmt::format(" and bias {}", to_string(bias.shape())) : "",
                               groups == 1 ? "" : fmt::format(" with {} groups", groups), expected));
}

void check_groups(std::string_view op, std::int64_t groups) {
  if (groups < 1) throw ValueError(fmt::format("{}: groups is {}; expected at least 1", op, groups));
}

void check_dtypes(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  detail::check_floating(op, {&x.array(), &weight.array()});
  if (bias.defined()) detail::check_floating(op, {&bias.array()});
}

/// Whether the ranks are right, the kernel has elements, and the groups divide the first axis of weight.
bool fit(const Tensor& x, const Tensor& weight, const Tensor& bias, int rank, std::int64_t groups) {
  return x.rank() == rank && weight.rank() == rank && weight.shape()[0] % groups == 0 &&
         std::all_of(weight.shape().begin() + 2, weight.shape().end(), [](std::int64_t n) { return n > 0; }) &&
         (!bias.defined() || bias.rank() == 1);
}

/// A convolution of images, or of sequences as images of height 1.
Convolution convolution(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias, int axes,
                        const ConvOptions& options) {
  check_dtypes(op, x, weight, bias);
  check_groups(op, options.groups);
  const Shape &from = x.shape(), &kernel = weight.shape();
  if (!fit(x, weight, bias, axes + 2, options.groups) || from[1] % options.groups != 0 ||
      from[1] / options.groups != kernel[1] || (bias.defined() && bias.shape()[0] != kernel[0]))
    throw_shapes(op, x, weight, bias, options.groups,
                 axes == 1 ? "x [n, c, l], weight [out, c / groups, k], bias [out]"
                           : "x [n, c, h, w], weight [out, c / groups, kh, kw], bias [out]");
  IntegerList size;
  for (int axis = 2; axis < kernel.rank(); ++axis) size.push_back(kernel[axis]);
  const Windows windows =
      detail::windows_over(op, from, axes, {size, options.stride, options.padding, options.dilation});
  return {{from[0], from[1], windows.image[0], windows.image[1]},
          {kernel[0], kernel[1], windows.size[0], windows.size[1]},
          {from[0], kernel[0], windows.count[0], windows.count[1]},
          windows,
          options.groups};
}

Tensor convolved(const Convolution& c, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return bias.defined() ? record(ConvBias{c}, x, weight, bias) : record(Conv{c}, x, weight);
}

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options) {
  const Convolution c = convolution("conv1d", x, weight, bias, 1, options);
  return reshape(convolved(c, reshape(x, c.x), reshape(weight, c.weight), bias), {c.y[0], c.y[1], c.y[3]});
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvOptions& options) {
  return convolved(convolution("conv2d", x, weight, bias, 2, options), x, weight, bias);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTransposeOptions& options) {
  constexpr std::string_view op = "conv_transpose2d";
  check_dtypes(op, x, weight, bias);
  check_groups(op, options.groups);
  const Shape &from = x.shape(), &kernel = weight.shape();
  std::int64_t out = 0;
  if (!fit(x, weight, bias, 4, options.groups) || from[1] != kernel[0] ||
      __builtin_mul_overflow(kernel[1], options.groups, &out) || (bias.defined() && bias.shape()[0] != out))
    throw_shapes(op, x, weight, bias, options.groups, "x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out]");
  Windows windows{.image = {},
                  .count = {from[2], from[3]},
                  .size = {kernel[2], kernel[3]},
                  .stride = detail::pair_of(op, "stride", options.stride, 2, 1),
                  .padding = detail::pair_of(op, "padding", options.padding, 2, 0),
                  .dilation = detail::pair_of(op, "dilation", options.dilation, 2, 1)};
  const detail::Pair more = detail::pair_of(op, "output_padding", options.output_padding, 2, 0);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (more[axis] >= std::max(windows.stride[axis], windows.dilation[axis]))
      throw ValueError(fmt::format("{}: output_padding is {}; expected less than the stride {} or the dilation {}", op,
                                   more[axis], windows.stride[axis], windows.dilation[axis]));
    std::int64_t size;
    if (__builtin_mul_overflow(windows.count[axis] - 1, windows.stride[axis], &size) ||
        __builtin_add_overflow(size, detail::extent(op, windows, axis), &size) ||
        __builtin_add_overflow(size, more[axis], &size) || __builtin_sub_overflow(size, windows.padding[axis], &size) ||
        __builtin_sub_overflow(size, windows.padding[axis], &size) || size < 1)
      throw ShapeError(
          fmt::format("{}: axis {} of the result for x {} and weight {} would have no elements, or more "
                      "than can be counted",
                      op, axis + 2, to_string(from), to_string(kernel)));
    windows.image[axis] = size;
  }
  const Convolution c{{from[0], out, windows.image[0], windows.image[1]}, kernel, from, windows, options.groups};
  const Tensor y = record(ConvTranspose{c}, x, weight);
  return bias.defined() ? y + reshape(bias, {out, 1, 1}) : y;
}

}  // namespace gradtape::inline v0
