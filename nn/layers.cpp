#include <gradtape/core/error.hpp>
#include <gradtape/nn/layers.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/random.hpp>

#include <cmath>

#include <fmt/format.h>

namespace gradtape::nn {

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options) {
  if (in < 1 || out < 1)
    throw ValueError(fmt::format("Linear: {} inputs and {} outputs; both must be at least 1", in, out));
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight = uniform({out, in}, {.low = -bound, .high = bound});
  if (options.bias) bias = uniform({out}, {.low = -bound, .high = bound});
}

Tensor Linear::operator()(const Tensor& x) const {
  return linear(
      x, weight,
      bias.defined() ? static_cast<const Tensor&>(bias) : zeros({weight.shape()[0]}, {.dtype = weight.dtype()}));
}

std::string Linear::description() const {
  return fmt::format("Linear({}, {}{})", weight.shape()[1], weight.shape()[0], bias.defined() ? "" : ", no bias");
}

Tensor Sequential::operator()(const Tensor& x) const {
  Tensor y = x;
  for (const Step& step : steps_) y = step(y);
  return y;
}

void Sequential::visit(Visitor& v) {
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (Module* inner = steps_[i].module()) v(std::to_string(i), *inner);
}

Widths::Widths(std::initializer_list<Integer> widths) {
  for (const Integer width : widths) values_.push_back(width.value);
}

MLP::MLP(const Widths& widths, const MLPOptions& options) : activation_(options.activation) {
  const auto& w = widths.values();
  if (w.size() < 2)
    throw ValueError(fmt::format("MLP: {} widths; at least an input and an output width are needed", w.size()));
  for (std::size_t i = 0; i + 1 < w.size(); ++i) layers.emplace_back(w[i], w[i + 1]);
}

Tensor MLP::operator()(const Tensor& x) const {
  Tensor y = layers[0](x);
  for (std::size_t i = 1; i < layers.size(); ++i) y = layers[i](activation_(y));
  return y;
}

void MLP::visit(Visitor& v) {
  for (std::size_t i = 0; i < layers.size(); ++i) v(fmt::format("layers.{}", i), layers[i]);
}

}  // namespace gradtape::nn
