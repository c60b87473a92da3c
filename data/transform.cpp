#include <gradtape/core/error.hpp>
#include <gradtape/data/transform.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/pad.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/slice.hpp>
#include <gradtape/ops/statistics.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace gradtape::inline v0::data {
namespace {

void require_images(std::string_view name, const Tensor& x) {
  if (x.rank() != 4)
    throw ShapeError(
        fmt::format("{}: images have shape {}, expected [n, channels, height, width]", name, to_string(x.shape())));
}

}  // namespace

Tensor Normalize::operator()(const Tensor& x) const { return (x - mean) / std; }
Tensor Normalize::inverse(const Tensor& y) const { return y * std + mean; }

Normalize fit_normalize(const Tensor& x, const FitNormalizeOptions& options) {
  if (x.numel() == 0)
    throw ValueError(fmt::format("fit_normalize: x has shape {}, expected elements", to_string(x.shape())));
  const Tensor values = x.detach();
  const ReduceOptions over{.axes = options.axes, .keepdims = true};
  const Tensor deviation = std(values, {.axes = options.axes, .correction = 0, .keepdims = true});
  // Not where the deviation is 0: rounding of the mean leaves something.
  return {mean(values, over), where(min(values, over) == max(values, over), 1, deviation)};
}

Tensor random_crop(const Tensor& images, const RandomCropOptions& options) {
  require_images("random_crop", images);
  if (options.padding < 0)
    throw ValueError(fmt::format("random_crop: padding is {}, expected at least 0", options.padding));
  const NoGrad no_grad;
  const std::int64_t n = images.shape()[0], height = images.shape()[2], width = images.shape()[3];
  if (n == 0) return images.detach();
  const Tensor padded = pad(images, {{options.padding, options.padding}, {options.padding, options.padding}});
  const auto corners = randint(0, 2 * options.padding + 1, {n, 2}).to_vector<std::int64_t>();
  std::vector<Tensor> crops;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t y = corners[static_cast<std::size_t>(2 * i)], x = corners[static_cast<std::size_t>(2 * i + 1)];
    crops.push_back(padded[{i, Slice{}, Slice{y, y + height}, Slice{x, x + width}}]);
  }
  return stack(crops);
}

Tensor random_flip(const Tensor& images, const RandomFlipOptions& options) {
  require_images("random_flip", images);
  if (!(options.p >= 0 && options.p <= 1))
    throw ValueError(fmt::format("random_flip: p is {}, expected 0 to 1", options.p));
  const NoGrad no_grad;
  const Tensor turned = bernoulli(options.p, {images.shape()[0], 1, 1, 1}, {.dtype = boolean});
  return where(turned, flip(images, {-1}), images);
}

}  // namespace gradtape::inline v0::data
