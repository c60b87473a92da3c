#include <gradtape/core/error.hpp>
#include <gradtape/ops/resample.hpp>
#include <gradtape/ops/upsample.hpp>

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::Pair, detail::Tap;

struct Nearest {
  static constexpr std::string_view name = "upsample_nearest", adjoint_name = "upsample_nearest_adjoint";
  Pair from, to;

  void attributes(AttributeVisitor& v) const { v("image", from), v("count", to); }
  Tap operator()(std::size_t axis, std::int64_t i) const { return {detail::scaled(i, from[axis], to[axis]), 1, 1, 0}; }
};

struct Bilinear {
  static constexpr std::string_view name = "upsample_bilinear", adjoint_name = "upsample_bilinear_adjoint";
  Pair from, to;
  bool align_corners;

  void attributes(AttributeVisitor& v) const { v("image", from), v("count", to), v("align_corners", align_corners); }
  Tap operator()(std::size_t axis, std::int64_t i) const {
    const auto n = static_cast<double>(from[axis]), size = static_cast<double>(to[axis]), at = static_cast<double>(i);
    const double place = align_corners ? (size > 1 ? at * (n - 1) / (size - 1) : 0)
                                       : std::clamp((at + 0.5) * n / size - 0.5, 0.0, n - 1);
    const auto begin = static_cast<std::int64_t>(place);
    const double beyond = place - static_cast<double>(begin);
    return {begin, beyond > 0 ? 2 : 1, 1 - beyond, beyond};  // where nothing is taken, infinity does not matter
  }
};

Pair size_of_result(const Tensor& x, const UpsampleOptions& options) {
  if (!options.size.empty()) return detail::pair_of("upsample", "size", options.size, 2, 1);
  Pair size = detail::pair_of("upsample", "scale_factor", options.scale_factor, 2, 1);
  for (std::size_t axis = 0; axis < 2; ++axis)
    if (__builtin_mul_overflow(size[axis], x.shape()[static_cast<int>(axis) - 2], &size[axis]))
      throw ShapeError(fmt::format("upsample: {} would have more elements than can be counted", to_string(x.shape())));
  return size;
}

}  // namespace

void detail::check_upsample(std::string_view op, const UpsampleOptions& options) {
  if (options.mode == UpsampleMode::nearest && options.align_corners)
    throw ValueError(fmt::format("{}: align_corners has no meaning for nearest; leave it out or use bilinear", op));
  if (options.size.empty() == options.scale_factor.empty())
    throw ValueError(fmt::format("{}: expected either a size or a scale_factor", op));
  const bool sized = !options.size.empty();
  detail::pair_of(op, sized ? "size" : "scale_factor", sized ? options.size : options.scale_factor, 2, 1);
}

Tensor upsample(const Tensor& x, const UpsampleOptions& options) {
  detail::check_floating("upsample", {&x.array()});
  if (x.rank() < 2 || x.shape()[-2] == 0 || x.shape()[-1] == 0)
    throw ShapeError(fmt::format("upsample: x {}; expected (…, h, w) with elements", to_string(x.shape())));
  detail::check_upsample("upsample", options);
  const bool nearest = options.mode == UpsampleMode::nearest;
  const Pair from{x.shape()[-2], x.shape()[-1]}, size = size_of_result(x, options);
  Shape to = x.shape();
  to.set(-2, size[0]);
  to.set(-1, size[1]);
  return nearest ? record(detail::Resample<Nearest>{{from, size}, x.shape(), to}, x)
                 : record(detail::Resample<Bilinear>{{from, size, options.align_corners}, x.shape(), to}, x);
}

}  // namespace gradtape::inline v0
