#include <gradtape/core/error.hpp>
#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/pad.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/slice.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct Pad {
  static constexpr std::string_view name = "pad";
  Shape from, to;
  std::array<std::int64_t, max_rank> before{};
  double fill_value;

  Shape infer(const Shape&) const { return to; }
  void value(const Array& out, const Array& x) const {
    fill(out, fill_value);
    Array inside = out;
    for (int axis = 0; axis < x.rank(); ++axis)
      inside = detail::sliced(inside, axis, before[static_cast<std::size_t>(axis)], x.shape()[axis]);
    copy_elements(inside, x);
  }
  auto vjp(Wrt<0>, Grad g) const {
    Tensor inside = g;
    for (int axis = 0; axis < from.rank(); ++axis) {
      const std::int64_t begin = before[static_cast<std::size_t>(axis)];
      if (to[axis] != from[axis]) inside = slice(inside, {.axis = axis, .begin = begin, .end = begin + from[axis]});
    }
    return inside;
  }
};

/// Which of n elements stands at place i, counted from the first, of a padded axis.
std::int64_t source(PadMode mode, std::int64_t i, std::int64_t n) {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(i, 0, n - 1);
  return i < 0 ? -i : i < n ? i : 2 * (n - 1) - i;
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<Padding>& padding, const PadOptions& options) {
  const int first = x.rank() - static_cast<int>(padding.size());
  if (padding.size() > static_cast<std::size_t>(x.rank()))
    throw ShapeError(
        fmt::format("pad: {} pairs for shape {}, which has {} axes", padding.size(), to_string(x.shape()), x.rank()));
  Pad op{x.shape(), x.shape(), {}, options.value};
  for (int axis = first; axis < x.rank(); ++axis) {
    const Padding& by = padding[static_cast<std::size_t>(axis - first)];
    const std::int64_t n = x.shape()[axis];
    if (by.before < 0 || by.after < 0)
      throw ValueError(
          fmt::format("pad: {} before and {} after axis {}; expected at least 0, slice takes elements away", by.before,
                      by.after, axis));
    const std::int64_t most = std::max(by.before, by.after);
    if (most > 0 && (options.mode == PadMode::reflect ? n <= most : options.mode == PadMode::replicate && n == 0))
      throw ShapeError(fmt::format("pad: axis {} of shape {} has too few elements to put {} before and {} after it",
                                   axis, to_string(x.shape()), by.before, by.after));
    std::int64_t size;
    if (__builtin_add_overflow(n, by.before, &size) || __builtin_add_overflow(size, by.after, &size))
      throw ShapeError(fmt::format("pad: axis {} would have more elements than can be counted", axis));
    op.before[static_cast<std::size_t>(axis)] = by.before;
    op.to.set(axis, size);
  }
  if (options.mode == PadMode::constant) return record(op, x);
  Tensor y = x;
  for (int axis = first; axis < x.rank(); ++axis) {
    const std::int64_t size = op.to[axis], before = op.before[static_cast<std::size_t>(axis)];
    if (size == x.shape()[axis]) continue;
    const Array from = Array::make(i64, {size});
    for (std::int64_t i = 0; i < size; ++i)
      from.data<std::int64_t>()[i] = source(options.mode, i - before, x.shape()[axis]);
    y = take(y, Tensor(from), {.axis = axis});
  }
  return y;
}

}  // namespace gradtape::inline v0
