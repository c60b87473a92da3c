#include "node.hpp"

namespace suite {
namespace {

/// 1 at the first largest element along the axis, else 0.
Outputs hardmax(const Node& n) {
  const gt::Tensor x = n[0];
  const gt::TransposeOptions last{.axis0 = n.axis(-1), .axis1 = -1};
  const gt::Tensor swapped = gt::transpose(x, last);
  return gt::transpose(gt::one_hot(gt::argmax(swapped), swapped.shape()[-1]), last);
}

Outputs shrink(const Node& n) {
  const double lambda = n.number("lambd", 0.5), bias = n.number("bias", 0);
  const gt::Tensor x = n[0];
  return gt::where(x < -lambda, x + bias, gt::where(x > lambda, x - bias, gt::zeros_like(x)));
}

}  // namespace

Table activations() {
  return {
      {"Celu",
       [](const Node& n) {
         const double alpha = n.number("alpha", 1);
         return alpha * gt::elu(n[0] / alpha);
       }},
      {"Elu", [](const Node& n) { return gt::elu(n[0], {.alpha = n.number("alpha", 1)}); }},
      {"HardSigmoid",
       [](const Node& n) {
         return gt::clamp(n.number("alpha", 0.2) * n[0] + n.number("beta", 0.5), {.min = 0, .max = 1});
       }},
      {"HardSwish", unary(gt::hardswish)},
      {"Hardmax", hardmax},
      {"LeakyRelu", [](const Node& n) { return gt::leaky_relu(n[0], {.negative_slope = n.number("alpha", 0.01)}); }},
      {"LogSoftmax", [](const Node& n) { return gt::log_softmax(n[0], {.axis = n.axis(-1)}); }},
      {"Mish", unary(gt::mish)},
      {"PRelu", binary([](auto x, auto slope) { return gt::where(x < 0, slope * x, x); })},
      {"Relu", unary(gt::relu)},
      {"Selu",
       [](const Node& n) {
         return n.number("gamma", 1.0507009873554805) * gt::elu(n[0], {.alpha = n.number("alpha", 1.6732632423543772)});
       }},
      {"Shrink", shrink},
      {"Sigmoid", unary(gt::sigmoid)},
      {"Softplus", [](const Node& n) { return gt::softplus(n[0]); }},
      {"Softsign", unary(gt::softsign)},
      {"Softmax", [](const Node& n) { return gt::softmax(n[0], {.axis = n.axis(-1)}); }},
      {"Tanh", unary(gt::tanh)},
      {"ThresholdedRelu", [](const Node& n) { return gt::where(n[0] > n.number("alpha", 1), n[0], 0); }},
  };
}

}  // namespace suite
