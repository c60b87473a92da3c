#include <gradtape/core/error.hpp>
#include <gradtape/nn/init.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/decompose.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/logic.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace gradtape::inline v0::nn::init {
namespace {

struct Fans {
  double in, out;
};

Fans fans(const Tensor& leaf) {
  if (leaf.rank() < 2)
    throw ShapeError(fmt::format("init: shape {} has no fan; expected a weight [out, in]", to_string(leaf.shape())));
  const double out = static_cast<double>(leaf.shape()[0]), in = static_cast<double>(leaf.shape()[1]);
  double kernel = 1;
  for (int axis = 2; axis < leaf.rank(); ++axis) kernel *= static_cast<double>(leaf.shape()[axis]);
  return {in * kernel, out * kernel};
}

void uniform_within(const Tensor& leaf, double bound) { uniform(leaf, {.low = -bound, .high = bound}); }

/// The distribution function of the standard normal distribution.
double distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

}  // namespace

void constant(const Tensor& leaf, double value) { leaf.assign(full_like(leaf, value)); }
void zeros(const Tensor& leaf) { constant(leaf, 0); }
void ones(const Tensor& leaf) { constant(leaf, 1); }

void uniform(const Tensor& leaf, const UniformOptions& options) {
  leaf.assign(gradtape::uniform(leaf.shape(), {.low = options.low, .high = options.high, .dtype = leaf.dtype()}));
}

void normal(const Tensor& leaf, const NormalOptions& options) {
  leaf.assign(randn(leaf.shape(), {.dtype = leaf.dtype()}) * options.std + options.mean);
}

void truncated_normal(const Tensor& leaf, const TruncatedNormalOptions& options) {
  const double a = (options.a - options.mean) / options.std, b = (options.b - options.mean) / options.std;
  if (!(distribution(b) - distribution(a) >= 0.01))
    throw ValueError(
        fmt::format("truncated_normal: [{}, {}] holds less than 1 % of a distribution with mean {} and std {}",
                    options.a, options.b, options.mean, options.std));
  // In f64, since the leaf's dtype may have no number between a and b.
  const auto draw = [&] { return randn(leaf.shape(), {.dtype = f64}) * options.std + options.mean; };
  Tensor x = draw();
  for (;;) {
    const Tensor below = x < options.a;
    const Tensor outside = logical_or(below, x > options.b);
    if (!any(outside).item<bool>()) break;
    x = where(outside, draw(), x);
  }
  leaf.assign(x.to(leaf.dtype()));
}

void orthogonal(const Tensor& leaf, const OrthogonalOptions& options) {
  fans(leaf);  // throws
  const std::int64_t rows = leaf.shape()[0], columns = rows == 0 ? 0 : leaf.numel() / rows;
  const bool wide = rows < columns;
  const auto [q, r] = qr(randn(wide ? Shape{columns, rows} : Shape{rows, columns}, {.dtype = leaf.dtype()}));
  const Tensor even = q * sign(diagonal(r));  // else LAPACK's choice of signs would show
  leaf.assign(reshape(wide ? transpose(even) : even, leaf.shape()) * options.gain);
}

void xavier_uniform(const Tensor& leaf, const XavierOptions& options) {
  const Fans fan = fans(leaf);
  uniform_within(leaf, options.gain * std::sqrt(6 / (fan.in + fan.out)));
}

void xavier_normal(const Tensor& leaf, const XavierOptions& options) {
  const Fans fan = fans(leaf);
  normal(leaf, {.std = options.gain * std::sqrt(2 / (fan.in + fan.out))});
}

void he_uniform(const Tensor& leaf) { uniform_within(leaf, std::sqrt(6 / fans(leaf).in)); }
void he_normal(const Tensor& leaf) { normal(leaf, {.std = std::sqrt(2 / fans(leaf).in)}); }

}  // namespace gradtape::inline v0::nn::init
