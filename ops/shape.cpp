#include <gradtape/core/error.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0 {
namespace {

/// Axis i of the output is axis `order[i]` of the input.
struct Transpose {
  static constexpr std::string_view name = "transpose";
  std::array<std::int8_t, max_rank> order{};

  Array view(const Array& x) const {
    Shape shape = x.shape();
    Strides strides{};
    for (int axis = 0; axis < x.rank(); ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      shape.set(axis, x.shape()[order[a]]);
      strides[a] = x.strides()[static_cast<std::size_t>(order[a])];
    }
    return Array::view(x, shape, strides);
  }
  void attributes(AttributeVisitor& v) const {
    std::array<std::int64_t, max_rank> axes;
    std::ranges::copy(order, axes.begin());
    v("order", axes);
  }
  auto vjp(Wrt<0>, Grad g) const {
    Transpose back;
    for (std::int8_t axis = 0; axis < g.rank(); ++axis)
      back.order[static_cast<std::size_t>(order[static_cast<std::size_t>(axis)])] = axis;
    return record(back, g);
  }
};

struct Reshape {
  static constexpr std::string_view name = "reshape";
  Shape from, to;

  Array view(const Array& x) const { return reshaped(x, to); }
  auto vjp(Wrt<0>, Grad g) const { return reshape(g, from); }
};

struct BroadcastTo {
  static constexpr std::string_view name = "broadcast_to";
  Shape from, to;

  Array view(const Array& x) const { return Array::view(x, to, broadcast_strides(x, to)); }
  auto vjp(Wrt<0>, Grad g) const { return detail::sum_to(g, from); }
};

struct Contiguous {
  static constexpr std::string_view name = "contiguous";

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { copy_elements(out, x); }
  auto vjp(Wrt<0>, Grad g) const { return Tensor(g); }
};

Transpose swap_of(std::string_view op, int axis0, int axis1, int rank) {
  Transpose out;
  const int axes = std::min(rank, max_rank);  // as it is; unless told, g++ fears a write past the end
  for (std::int8_t axis = 0; axis < axes; ++axis) out.order[static_cast<std::size_t>(axis)] = axis;
  std::swap(out.order[static_cast<std::size_t>(normalize_axis(op, axis0, rank))],
            out.order[static_cast<std::size_t>(normalize_axis(op, axis1, rank))]);
  return out;
}

}  // namespace

Tensor transpose(const Tensor& x, const TransposeOptions& options) {
  if (x.rank() < 2)
    throw ShapeError(fmt::format("transpose: shape {} has fewer than two axes; reshape it to a row or column first",
                                 to_string(x.shape())));
  return record(swap_of("transpose", options.axis0, options.axis1, x.rank()), x);
}

Tensor swapaxes(const Tensor& x, int axis0, int axis1) {
  return record(swap_of("swapaxes", axis0, axis1, x.rank()), x);
}

Tensor permute(const Tensor& x, const IntegerList& axes) {
  const std::span<const std::int64_t> list = axes.values();
  if (static_cast<int>(list.size()) != x.rank())
    throw ShapeError(fmt::format("permute: {} axes in {{{}}} for shape {}; name each of its {} once", list.size(),
                                 fmt::join(list, ", "), to_string(x.shape()), x.rank()));
  axis_mask("permute", axes, x.rank());
  Transpose op;
  for (std::size_t i = 0; i < list.size(); ++i)
    op.order[i] = static_cast<std::int8_t>(normalize_axis("permute", list[i], x.rank()));
  return record(op, x);
}

Tensor moveaxis(const Tensor& x, const IntegerList& source, const IntegerList& destination) {
  const std::span<const std::int64_t> from = source.values(), to = destination.values();
  if (from.size() != to.size())
    throw ShapeError(fmt::format("moveaxis: {} axes in {{{}}} for {} places in {{{}}}; they must be as many",
                                 from.size(), fmt::join(from, ", "), to.size(), fmt::join(to, ", ")));
  if (from.empty()) return x;
  const unsigned moved = axis_mask("moveaxis", source, x.rank()), taken = axis_mask("moveaxis", destination, x.rank());
  Transpose op;
  for (std::size_t i = 0; i < from.size(); ++i)
    op.order[static_cast<std::size_t>(normalize_axis("moveaxis", to[i], x.rank()))] =
        static_cast<std::int8_t>(normalize_axis("moveaxis", from[i], x.rank()));
  for (std::int8_t axis = 0, place = 0; axis < x.rank(); ++axis) {
    if (moved >> axis & 1) continue;
    while (taken >> place & 1) ++place;
    op.order[static_cast<std::size_t>(place++)] = axis;
  }
  return record(op, x);
}

Tensor reshape(const Tensor& x, const NewShape& wanted) {
  const std::span<const std::int64_t> dims = wanted.values();
  IntegerList fixed;
  for (const std::int64_t dim : dims)
    if (dim != -1) fixed.push_back(dim);
  if (fixed.values().size() + 1 < dims.size()) throw ShapeError("reshape: only one dimension can be -1");
  IntegerList all = wanted;
  if (fixed.values().size() < dims.size()) {
    const std::int64_t known = product(fixed.values()).value_or(0);
    if (known <= 0 || x.numel() % known != 0)
      throw ShapeError(fmt::format("reshape: {} has {} elements, which [{}] does not divide", to_string(x.shape()),
                                   x.numel(), fmt::join(dims, ", ")));
    all = {};
    for (const std::int64_t dim : dims) all.push_back(dim == -1 ? x.numel() / known : dim);
  }
  const Shape shape(all.values());
  if (const std::int64_t n = detail::count("reshape", shape); n != x.numel())
    throw ShapeError(fmt::format("reshape: {} has {} elements, {} has {}; they must be as many", to_string(x.shape()),
                                 x.numel(), to_string(shape), n));
  return record(Reshape{x.shape(), shape}, x);
}

Tensor flatten(const Tensor& x, const FlattenOptions& options) {
  if (x.rank() == 0) return unsqueeze(x, 0);
  const int start = normalize_axis("flatten", options.start_axis, x.rank()),
            end = normalize_axis("flatten", options.end_axis, x.rank());
  if (start > end)
    throw ShapeError(fmt::format("flatten: start_axis {} comes after end_axis {} in shape {}", options.start_axis,
                                 options.end_axis, to_string(x.shape())));
  const std::int64_t n = detail::count("flatten", std::span(x.shape().begin() + start, x.shape().begin() + end + 1));
  return record(Reshape{x.shape(), detail::replace_axes("flatten", x.shape(), start, end + 1, {n})}, x);
}

Tensor squeeze(const Tensor& x, const Axes& axes) {
  const unsigned mask = axis_mask("squeeze", axes, x.rank());
  Shape shape;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.shape()[axis] != 1 || !(mask >> axis & 1)) shape.push_back(x.shape()[axis]);
  return record(Reshape{x.shape(), shape}, x);
}

Tensor unsqueeze(const Tensor& x, int axis) {
  const int at = normalize_axis("unsqueeze", axis, x.rank() + 1);
  return record(Reshape{x.shape(), detail::replace_axes("unsqueeze", x.shape(), at, at, {1})}, x);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.rank() > shape.rank() || broadcast("broadcast_to", x.shape(), shape) != shape)
    throw ShapeError(fmt::format("broadcast_to: {} does not stretch to {}; only axes of 1 and missing leading axes do",
                                 to_string(x.shape()), to_string(shape)));
  detail::count("broadcast_to", shape);
  return record(BroadcastTo{x.shape(), shape}, x);
}

Tensor contiguous(const Tensor& x) { return x.array().packed() ? x : record(Contiguous{}, x); }

}  // namespace gradtape::inline v0
