#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/product.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/shape.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// The axes that `taken` does not name.
IntegerList others(unsigned taken, int rank) {
  IntegerList axes;
  for (int axis = 0; axis < rank; ++axis)
    if (!(taken >> axis & 1)) axes.push_back(axis);
  return axes;
}

IntegerList joined(const IntegerList& a, const IntegerList& b) {
  IntegerList all = a;
  for (const std::int64_t axis : b.values()) all.push_back(axis);
  return all;
}

std::int64_t size_of_axes(const Tensor& x, const IntegerList& axes) {
  std::int64_t n = 1;
  for (const std::int64_t axis : axes.values()) n *= x.shape()[static_cast<int>(axis)];
  return n;
}

IntegerList normalized(const IntegerList& axes, int rank) {
  IntegerList out;
  for (const std::int64_t axis : axes.values()) out.push_back(normalize_axis("tensordot", axis, rank));
  return out;
}

unsigned mask_of(const IntegerList& axes, int rank) {
  Axes named;
  for (const std::int64_t axis : axes.values()) named.push_back(axis);
  return axes.empty() ? 0 : axis_mask("tensordot", named, rank);
}

}  // namespace

Tensor outer(const Tensor& a, const Tensor& b) {
  if (a.rank() != 1 || b.rank() != 1)
    throw ShapeError(fmt::format("outer: {} and {}: both must be vectors; flatten them first", to_string(a.shape()),
                                 to_string(b.shape())));
  detail::check_floating("outer", {&a.array(), &b.array()});
  return reshape(a, {-1, 1}) * b;
}

Tensor dot(const Tensor& a, const Tensor& b) {
  if (a.rank() != 1 || b.rank() != 1 || a.shape() != b.shape())
    throw ShapeError(fmt::format("dot: {} and {}: both must be vectors of one length; matmul takes other shapes",
                                 to_string(a.shape()), to_string(b.shape())));
  detail::check_floating("dot", {&a.array(), &b.array()});
  return matmul(a, b);
}

Tensor tensordot(const Tensor& a, const Tensor& b, const TensordotOptions& options) {
  const IntegerList from_a = normalized(options.axes_a, a.rank()), from_b = normalized(options.axes_b, b.rank());
  const unsigned mask_a = mask_of(from_a, a.rank()), mask_b = mask_of(from_b, b.rank());
  bool fits = from_a.values().size() == from_b.values().size();
  for (std::size_t i = 0; fits && i < from_a.values().size(); ++i)
    fits = a.shape()[static_cast<int>(from_a.values()[i])] == b.shape()[static_cast<int>(from_b.values()[i])];
  if (!fits)
    throw ShapeError(
        fmt::format("tensordot: {} and {} do not fit along the axes that are summed over; each pair needs one size",
                    to_string(a.shape()), to_string(b.shape())));
  detail::check_floating("tensordot", {&a.array(), &b.array()});
  const IntegerList kept_a = others(mask_a, a.rank()), kept_b = others(mask_b, b.rank());
  Shape shape;
  for (const std::int64_t axis : kept_a.values()) shape.push_back(a.shape()[static_cast<int>(axis)]);
  for (const std::int64_t axis : kept_b.values()) shape.push_back(b.shape()[static_cast<int>(axis)]);
  const std::int64_t inner = size_of_axes(a, from_a);
  // (m,k)·(k,n) -> (m,n)
  const Tensor left = reshape(permute(a, joined(kept_a, from_a)), {size_of_axes(a, kept_a), inner});
  const Tensor right = reshape(permute(b, joined(from_b, kept_b)), {inner, size_of_axes(b, kept_b)});
  return reshape(matmul(left, right), shape);
}

}  // namespace gradtape::inline v0
