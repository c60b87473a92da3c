#include "node.hpp"

namespace suite {
namespace {

Outputs constant_of_shape(const Node& n) {
  const onnx::TensorProto* value = n.tensor("value");
  const gt::Tensor one = value ? to_tensor(*value) : gt::zeros({1});
  return gt::full(gt::Shape(n.integers(0)), one.item(), {.dtype = one.dtype()});
}

Outputs range(const Node& n) {
  return gt::arange(n[1].item(), {.start = n[0].item(), .step = n[2].item(), .dtype = n[0].dtype()});
}

Outputs random(const Node&) { throw Skip{"random numbers"}; }

}  // namespace

Table creation() {
  return {
      {"Bernoulli", random},
      {"Cast", [](const Node& n) { return n[0].to(to_dtype(static_cast<int>(n.integer("to", 0)))); }},
      {"CastLike", binary([](auto x, auto like) { return x.to(like.dtype()); })},
      {"Constant", [](const Node& n) { return to_tensor(*n.tensor("value")); }},
      {"ConstantOfShape", constant_of_shape},
      {"Range", range},
  };
}

}  // namespace suite
