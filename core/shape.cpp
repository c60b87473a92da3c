#include <gradtape/core/error.hpp>
#include <gradtape/core/shape.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0 {
namespace {

void check_dims(std::span<const std::int64_t> dims) {
  if (dims.size() > static_cast<std::size_t>(max_rank))
    throw ShapeError(
        fmt::format("shape: [{}] has {} axes; at most {} are supported", fmt::join(dims, ", "), dims.size(), max_rank));
  for (const std::int64_t dim : dims)
    if (dim < 0)
      throw ShapeError(
          fmt::format("shape: [{}] has a negative dimension; every dimension must be >= 0", fmt::join(dims, ", ")));
}

[[noreturn]] void throw_too_many() {
  throw ShapeError(fmt::format("more than {} dimensions or axes in one list", max_rank));
}

}  // namespace

Shape::Shape(std::span<const std::int64_t> dims) {
  check_dims(dims);
  std::copy(dims.begin(), dims.end(), dims_.begin());
  rank_ = static_cast<std::int32_t>(dims.size());
}

Shape::Shape(std::span<const Integer> dims) {
  if (dims.size() > dims_.size()) throw_too_many();
  for (const Integer dim : dims) dims_[static_cast<std::size_t>(rank_++)] = dim.value;
  check_dims({begin(), end()});
}

void Shape::throw_full() const {
  throw ShapeError(
      fmt::format("shape: {} cannot take another axis; at most {} are supported", to_string(*this), max_rank));
}

void IntegerList::push_back(std::int64_t n) {
  if (size_ == values_.size()) throw_too_many();
  values_[size_++] = n;
}

std::optional<std::int64_t> product(std::span<const std::int64_t> dims) {
  std::int64_t n = 1;
  bool overflow = false;
  for (const std::int64_t dim : dims) {
    if (dim == 0) return 0;
    overflow |= __builtin_mul_overflow(n, dim, &n);
  }
  if (overflow) return {};
  return n;
}

std::string index_string(const Shape& shape, std::int64_t at) {
  std::array<std::int64_t, max_rank> index{};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[static_cast<std::size_t>(axis)] = at % shape[axis];
    at /= shape[axis];
  }
  return fmt::format("[{}]", fmt::join(index.begin(), index.begin() + shape.rank(), ", "));
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", ")); }

int normalize_axis(std::string_view op, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    throw ShapeError(rank == 0 ? fmt::format("{}: axis {} of a scalar; a scalar has no axes", op, axis)
                               : fmt::format("{}: axis {} is out of range for rank {}; use {} to {}", op, axis, rank,
                                             -rank, rank - 1));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

unsigned axis_mask(std::string_view op, const IntegerList& axes, int rank) {
  if (axes.empty()) return (1u << rank) - 1;
  unsigned mask = 0;
  for (const std::int64_t axis : axes.values()) {
    const unsigned bit = 1u << normalize_axis(op, axis, rank);
    if (mask & bit)
      throw ShapeError(fmt::format("{}: axis {} is named twice in {{{}}}", op, axis, fmt::join(axes.values(), ", ")));
    mask |= bit;
  }
  return mask;
}

Shape broadcast(std::string_view op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  Shape out = a.rank() >= b.rank() ? a : b;
  const Shape& small = a.rank() >= b.rank() ? b : a;
  for (int axis = -1; axis >= -small.rank(); --axis) {
    if (out[axis] == small[axis] || small[axis] == 1) continue;
    if (out[axis] != 1)
      throw ShapeError(
          fmt::format("{}: shapes {} and {} do not broadcast: axis {} has {} against {}; sizes must be equal or 1", op,
                      to_string(a), to_string(b), axis, a[axis], b[axis]));
    out.set(axis, small[axis]);
  }
  return out;
}

}  // namespace gradtape::inline v0
