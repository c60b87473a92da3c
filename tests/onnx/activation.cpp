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

Outputs celu(const Node& n) {
  const double alpha = n.number("alpha", 1);
  const gt::Tensor x = n[0];
  return gt::maximum(x, 0) + gt::minimum(alpha * (gt::exp(x / alpha) - 1), 0);
}

}  // namespace

Table activations() {
  return {
      {"Celu", celu},
      {"HardSigmoid",
       [](const Node& n) {
         return gt::minimum(gt::maximum(n.number("alpha", 0.2) * n[0] + n.number("beta", 0.5), 0), 1);
       }},
      {"Hardmax", hardmax},
      {"LogSoftmax", [](const Node& n) { return gt::log_softmax(n[0], {.axis = n.axis(-1)}); }},
      {"PRelu", binary([](auto x, auto slope) { return gt::where(x < 0, slope * x, x); })},
      {"Relu", unary(gt::relu)},
      {"Shrink", shrink},
      {"Sigmoid", unary(gt::sigmoid)},
      {"Softmax", [](const Node& n) { return gt::softmax(n[0], {.axis = n.axis(-1)}); }},
      {"Tanh", unary(gt::tanh)},
      {"ThresholdedRelu", [](const Node& n) { return gt::where(n[0] > n.number("alpha", 1), n[0], 0); }},
  };
}

}  // namespace suite
