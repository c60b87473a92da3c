#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/testing/sample.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {

Tensor away_from(double point, const Shape& shape, const SampleOptions& options) {
  if (!(options.distance >= 0 && options.distance <= options.spread))
    throw ValueError(fmt::format("away_from: distance {} and spread {}; expected 0 <= distance <= spread",
                                 options.distance, options.spread));
  const Tensor how_far = uniform(shape, {.low = options.distance, .high = options.spread, .dtype = options.dtype});
  const Tensor side = uniform(shape, {.dtype = options.dtype});
  return where(side < 0.5, point - how_far, point + how_far);
}

Tensor distinct(const Shape& shape, const SampleOptions& options) {
  const std::int64_t n = shape.numel();
  const Dtype dtype = options.dtype.value_or(default_dtype());
  const Tensor order = permutation(n).to(dtype) - static_cast<double>(n) / 2;
  // Places two distances apart, each moved by less than half a distance.
  const Tensor places = order * (2 * options.distance) +
                        uniform({n}, {.low = -options.distance / 2, .high = options.distance / 2, .dtype = dtype});
  return reshape(places, shape);
}

}  // namespace gradtape::inline v0
