#include <gradtape/core/error.hpp>
#include <gradtape/nn/mlp.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

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
  if (layers.empty()) throw Error("MLP: there are no layers; was this one moved from?");
  Tensor y = layers[0](x);
  for (std::size_t i = 1; i < layers.size(); ++i) y = layers[i](activation_(y));
  return y;
}

void MLP::visit(Visitor& v) {
  for (std::size_t i = 0; i < layers.size(); ++i) v(fmt::format("layers.{}", i), layers[i]);
}

}  // namespace gradtape::inline v0::nn
