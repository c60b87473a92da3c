#include <gradtape/core/error.hpp>
#include <gradtape/ops/adjoint.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/slice.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// The indices begin, begin + step, … of one axis.
struct Range {
  std::int64_t begin = 0, step = 1, count = 0;
};

/// What a slice picks of `size` indices, as NumPy has it.
Range range_of(std::string_view op, const Slice& slice, std::int64_t size) {
  if (slice.step == 0) throw ValueError(fmt::format("{}: a step of 0 never ends; use 1, or -1 to go backwards", op));
  const bool forward = slice.step > 0;
  const std::int64_t first = forward ? 0 : size - 1, past = forward ? size : -1;
  const auto bound = [&](const std::optional<std::int64_t>& at, std::int64_t otherwise) {
    return at ? std::clamp(*at < 0 ? *at + size : *at, std::min(first, past), std::max(first, past)) : otherwise;
  };
  const std::int64_t begin = bound(slice.begin, first), end = bound(slice.end, past),
                     length = forward ? end - begin : begin - end;
  if (length <= 0) return {};
  const auto step = static_cast<std::uint64_t>(slice.step), width = forward ? step : 0 - step;
  return {begin, slice.step, static_cast<std::int64_t>((static_cast<std::uint64_t>(length) - 1) / width) + 1};
}

/// Along each axis of the input a range of indices; an axis may be dropped, where the range has one.
struct Part {
  static constexpr std::string_view name = "slice";
  Shape from, to;
  std::array<std::int64_t, max_rank> begin{}, step{};
  unsigned dropped = 0;

  explicit Part(const Shape& shape) : from(shape), to(shape) { step.fill(1); }

  void take(int axis, const Range& range) {
    begin[static_cast<std::size_t>(axis)] = range.begin;
    step[static_cast<std::size_t>(axis)] = range.count > 1 ? range.step : 1;  // one that is not taken may be huge
    to.set(axis, range.count);
  }

  Array view(const Array& x) const {
    Strides strides{};
    std::int64_t offset = 0;
    std::size_t kept = 0;
    for (std::size_t a = 0; a < static_cast<std::size_t>(x.rank()); ++a) {
      offset += begin[a] * x.strides()[a];
      if (!(dropped >> a & 1)) strides[kept++] = step[a] * x.strides()[a];
    }
    return Array::view(x, to, strides, to.numel() == 0 ? 0 : offset);
  }
  void attributes(AttributeVisitor& v) const {
    std::array<std::int64_t, max_rank> count{};
    int kept = 0;
    for (std::size_t a = 0; a < static_cast<std::size_t>(from.rank()); ++a)
      count[a] = dropped >> a & 1 ? 1 : to[kept++];
    v("begin", begin), v("step", step), v("count", count);
  }
  auto vjp(Wrt<0>, Grad g) const { return tail(Adjoint{*this, from}, g); }
};

struct Flip {
  static constexpr std::string_view name = "flip";
  unsigned axes;

  void attributes(AttributeVisitor& v) const {
    std::array<std::int64_t, max_rank> steps;
    for (std::size_t axis = 0; axis < steps.size(); ++axis) steps[axis] = axes >> axis & 1 ? -1 : 1;
    v("step", steps);
  }
  Array view(const Array& x) const {
    Strides strides = x.strides();
    std::int64_t offset = 0;
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (!(axes >> axis & 1)) continue;
      std::int64_t& stride = strides[static_cast<std::size_t>(axis)];
      offset += (x.shape()[axis] - 1) * stride;
      stride = -stride;
    }
    return Array::view(x, x.shape(), strides, x.numel() == 0 ? 0 : offset);
  }
  auto vjp(Wrt<0>, Grad g) const { return record(*this, g); }
};

struct Unfold {
  static constexpr std::string_view name = "unfold";
  Shape from, to;
  int axis;
  std::int64_t step;

  Array view(const Array& x) const {
    Strides strides = x.strides();
    std::int64_t& stride = strides[static_cast<std::size_t>(axis)];
    strides[static_cast<std::size_t>(x.rank())] = stride;
    stride *= to[axis] > 1 ? step : 1;
    return Array::view(x, to, strides);
  }
  auto vjp(Wrt<0>, Grad g) const { return tail(Adjoint{*this, from}, g); }
};

}  // namespace

Tensor slice(const Tensor& x, const SliceOptions& options) {
  const int axis = normalize_axis("slice", options.axis, x.rank());
  Part part(x.shape());
  part.take(axis, range_of("slice", {options.begin, options.end, options.step}, x.shape()[axis]));
  return record(part, x);
}

Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  if (static_cast<int>(indices.size()) > rank())
    throw IndexError(
        fmt::format("index: {} indices for shape {}, which has {} axes", indices.size(), to_string(shape()), rank()));
  Part part(shape());
  int axis = 0;
  for (const Index& index : indices) {
    const std::int64_t size = shape()[axis];
    if (!index.at()) {
      part.take(axis++, range_of("index", index.slice(), size));
      continue;
    }
    const std::int64_t at = *index.at() < 0 ? *index.at() + size : *index.at();
    if (at < 0 || at >= size)
      throw IndexError(fmt::format("index: {} is outside axis {} of shape {}", *index.at(), axis, to_string(shape())));
    part.take(axis, {at, 1, 1});
    part.dropped |= 1u << axis++;
  }
  Shape kept;
  for (axis = 0; axis < rank(); ++axis)
    if (!(part.dropped >> axis & 1)) kept.push_back(part.to[axis]);
  part.to = kept;
  return record(part, *this);
}

Tensor Tensor::operator[](const Index& index) const { return (*this)[{index}]; }

Tensor flip(const Tensor& x, const Axes& axes) { return record(Flip{axis_mask("flip", axes, x.rank())}, x); }

Tensor unfold(const Tensor& x, int axis, std::int64_t size, std::int64_t step) {
  const int at = normalize_axis("unfold", axis, x.rank());
  const std::int64_t n = x.shape()[at];
  if (size < 0 || step < 1)
    throw ValueError(fmt::format("unfold: size {} and step {}; expected at least 0 and 1", size, step));
  if (size > n)
    throw ShapeError(
        fmt::format("unfold: windows of {} do not fit into axis {} of shape {}", size, axis, to_string(x.shape())));
  Shape to = detail::replace_axes("unfold", x.shape(), x.rank(), x.rank(), {size});
  to.set(at, (n - size) / step + 1);
  detail::count("unfold", to);
  return record(Unfold{x.shape(), to, at, step}, x);
}

}  // namespace gradtape::inline v0
