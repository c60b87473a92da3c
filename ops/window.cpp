#include <gradtape/core/error.hpp>
#include <gradtape/ops/window.hpp>

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::detail {

Pair pair_of(std::string_view op, std::string_view what, const IntegerList& values, int axes, std::int64_t least) {
  const auto given = values.values();
  if (given.size() != 1 && given.size() != static_cast<std::size_t>(axes))
    throw ValueError(fmt::format("{}: {} is {{{}}}; expected {}", op, what, fmt::join(given, ", "),
                                 axes == 1 ? "one number" : "one number, or one for each of two axes"));
  for (const std::int64_t n : given)
    if (n < least) throw ValueError(fmt::format("{}: {} is {}; expected at least {}", op, what, n, least));
  return {axes == 1 ? least : given.front(), given.back()};
}

std::int64_t extent(std::string_view op, const Windows& windows, std::size_t axis) {
  std::int64_t out;
  if (__builtin_mul_overflow(windows.size[axis] - 1, windows.dilation[axis], &out) ||
      __builtin_add_overflow(out, 1, &out))
    throw ShapeError(fmt::format("{}: a kernel of {} with dilation {} is larger than can be counted", op,
                                 windows.size[axis], windows.dilation[axis]));
  return out;
}

Windows windows_of(std::string_view op, int axes, const WindowOptions& options) {
  return {.image = {},
          .count = {},
          .size = pair_of(op, "kernel", options.size, axes, 1),
          .stride = pair_of(op, "stride", options.stride, axes, 1),
          .padding = pair_of(op, "padding", options.padding, axes, 0),
          .dilation = pair_of(op, "dilation", options.dilation, axes, 1)};
}

Windows windows_over(std::string_view op, const Shape& x, int axes, const WindowOptions& options) {
  Windows out = windows_of(op, axes, options);
  out.image = {axes == 1 ? 1 : x[-2], x[-1]};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t padding = out.padding[axis];
    std::int64_t room;
    if (__builtin_add_overflow(out.image[axis], padding, &room) || __builtin_add_overflow(room, padding, &room))
      throw ShapeError(fmt::format("{}: a padding of {} is larger than can be counted", op, padding));
    const std::int64_t reach = extent(op, out, axis), spare = room - reach, stride = out.stride[axis];
    if (spare < (options.partial ? 1 - stride : 0))
      throw ShapeError(fmt::format("{}: a kernel of {}{} does not fit into axis {} of {}{}", op, out.size[axis],
                                   out.dilation[axis] == 1 ? "" : fmt::format(" with dilation {}", out.dilation[axis]),
                                   x.rank() - 2 + static_cast<int>(axis), to_string(x),
                                   padding == 0 ? "" : fmt::format(" with a padding of {}", padding)));
    out.count[axis] = spare < 0 ? 0 : spare / stride + 1;
    if (options.partial && spare % stride != 0 && out.count[axis] <= (out.image[axis] + padding - 1) / stride)
      ++out.count[axis];
    out.stride[axis] = std::min(stride, std::max(room, reach));  // more makes no difference, and would overflow
  }
  return out;
}

}  // namespace gradtape::inline v0::detail
