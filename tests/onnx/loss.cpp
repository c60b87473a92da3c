#include "node.hpp"

namespace suite {
namespace {

/// x (n, classes, d…) as rows of classes, (n · d…, classes).
gt::Tensor rows_of(gt::Tensor x) {
  for (int axis = 1; axis + 1 < x.rank(); ++axis) x = gt::transpose(x, {.axis0 = axis, .axis1 = axis + 1});
  return gt::reshape(x, {-1, x.shape()[-1]});
}

Outputs softmax_cross_entropy(const Node& n) {
  if (n.has(2)) throw Skip{"class weights"};
  if (n.text("reduction", "mean") != "mean") throw Skip{"reduction " + n.text("reduction", "mean")};
  const gt::Tensor logits = n[0];
  return std::vector{gt::cross_entropy(rows_of(logits), gt::reshape(n[1], {-1})), gt::log_softmax(logits, {.axis = 1})};
}

}  // namespace

Table losses() {
  return {
      {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
  };
}

}  // namespace suite
