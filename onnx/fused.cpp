#include <gradtape/ops/diagonal.hpp>

#include <array>
#include <limits>

#include "value.hpp"

// Ops that ONNX has as small ones.
namespace gradtape::onnx_export {
namespace {

using Values = std::vector<Value>;

/// The gates that stand next to each other along the last axis.
template <std::size_t N>
std::vector<Value> gates(const Value& x) {
  std::vector<Value> out;
  for (const std::string& name : x.graph.nodes("Split", {x.name}, N, {{"axis", std::int64_t{-1}}}))
    out.push_back({x.graph, x.dtype, name});
  return out;
}

Value sigmoid(const Value& x) { return x.to("Sigmoid"); }
Value tanh(const Value& x) { return x.to("Tanh"); }

Value gru_cell(const Values& x, const Step&) {
  const Values of_x = gates<3>(x[0]), of_h = gates<3>(x[1]);
  const Value n = tanh(of_x[2] + sigmoid(of_x[0] + of_h[0]) * of_h[2]);
  return n + sigmoid(of_x[1] + of_h[1]) * (x[2] - n);
}

Value lstm_cell(const Values& x, const Step& step) {
  const Values of = gates<4>(x[0]);  // i, f, g, o
  const Value c = sigmoid(of[1]) * x[1] + sigmoid(of[0]) * tanh(of[2]), h = sigmoid(of[3]) * tanh(c);
  return h.with("Concat", {c.name}, {{"axis", std::int64_t{0}}}).reshaped(step.output.shape());
}

Value chosen(const Value& condition, const Value& a, const Value& b) {
  return {a.graph, a.dtype, a.graph.node("Where", {condition.name, a.name, b.name})};
}

/// The keys that a query may see, as a constant.
Value triangle(const Value& like, std::int64_t queries, std::int64_t keys) {
  return {like.graph, boolean, like.graph.constant(tri(queries, {.columns = keys, .dtype = boolean}).array())};
}

Value attention(const Values& x, const Step& step) {
  if (step.numbers.at("dropout_p") > 0) throw Unsupported{"with dropout"};
  const Shape &q = step.inputs[0].shape(), &k = step.inputs[1].shape();
  std::vector<std::int64_t> order;
  for (int axis = 0; axis < k.rank(); ++axis) order.push_back(axis);
  std::swap(order.end()[-1], order.end()[-2]);
  const bool masked = x.size() == 4;
  const Value product = step.numbers.at("scale") * x[0].with("MatMul", {x[1].transposed(order).name});
  const Value hidden = product.number(-std::numeric_limits<double>::infinity());
  const Value scores = !masked ? product : x[3].dtype == boolean ? chosen(x[3], product, hidden) : product + x[3];
  const bool causal = step.numbers.at("causal") != 0;
  const Value shown = causal ? chosen(triangle(scores, q[-2], k[-2]), scores, hidden) : scores;
  const Value weights = shown.to("Softmax", {{"axis", std::int64_t{-1}}});
  if (!masked) return weights.with("MatMul", {x[2].name});
  const Value none = shown.with("Equal", {hidden.name});  // a query that sees no key gets zeros, not NaN
  return chosen(none, weights.number(0), weights).with("MatMul", {x[2].name});
}

}  // namespace

Table fused() {
  return {{"gru_cell", gru_cell}, {"lstm_cell", lstm_cell}, {"scaled_dot_product_attention", attention}};
}

}  // namespace gradtape::onnx_export
