#include "node.hpp"

namespace suite {
namespace {

gt::LossReduction reduction(const Node& n) {
  const std::string name = n.text("reduction", "mean");
  return name == "none" ? gt::LossReduction::none : name == "sum" ? gt::LossReduction::sum : gt::LossReduction::mean;
}

gt::Tensor weight(const Node& n) { return n.has(2) ? n[2] : gt::Tensor(); }

Outputs softmax_cross_entropy(const Node& n) {
  const gt::Tensor logits = n[0];
  const gt::CrossEntropyOptions options{
      .weight = weight(n), .ignore_index = n.integer("ignore_index", -100), .reduction = reduction(n)};
  return std::vector{gt::cross_entropy(logits, n[1].to(gt::i64), options), gt::log_softmax(logits, {.axis = 1})};
}

Outputs nll(const Node& n) {
  return gt::nll_loss(
      n[0], n[1].to(gt::i64),
      {.weight = weight(n), .ignore_index = n.integer("ignore_index", -100), .reduction = reduction(n)});
}

}  // namespace

Table losses() {
  return {
      {"NegativeLogLikelihoodLoss", nll},
      {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
  };
}

}  // namespace suite
