#include <gradtape/core/error.hpp>
#include <gradtape/nn/init.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/random.hpp>

#include <cmath>

#include <fmt/format.h>

namespace gradtape::nn::init {
namespace {

struct Fans {
  double in, out;
};

Fans fans(const Tensor& leaf) {
  if (leaf.rank() < 2)
    throw ShapeError(fmt::format("init: shape {} has no fan; expected a weight [out, in]", to_string(leaf.shape())));
  const auto out = static_cast<double>(leaf.shape()[0]);
  return {static_cast<double>(leaf.numel()) / out, out};
}

void assign_uniform(const Tensor& leaf, double bound) {
  leaf.assign(uniform(leaf.shape(), {.low = -bound, .high = bound, .dtype = leaf.dtype()}));
}
void assign_normal(const Tensor& leaf, double deviation) {
  leaf.assign(randn(leaf.shape(), {.dtype = leaf.dtype()}) * deviation);
}

}  // namespace

void xavier_uniform(const Tensor& leaf, const XavierOptions& options) {
  const Fans fan = fans(leaf);
  assign_uniform(leaf, options.gain * std::sqrt(6 / (fan.in + fan.out)));
}

void xavier_normal(const Tensor& leaf, const XavierOptions& options) {
  const Fans fan = fans(leaf);
  assign_normal(leaf, options.gain * std::sqrt(2 / (fan.in + fan.out)));
}

void he_uniform(const Tensor& leaf) { assign_uniform(leaf, std::sqrt(6 / fans(leaf).in)); }
void he_normal(const Tensor& leaf) { assign_normal(leaf, std::sqrt(2 / fans(leaf).in)); }

}  // namespace gradtape::nn::init
