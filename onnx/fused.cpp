#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/trigonometry.hpp>

#include <array>
#include <cmath>
#include <limits>

#include "value.hpp"

// Ops that ONNX has as small ones.
namespace gradtape::inline v0::onnx_export {
namespace {

using Values = std::vector<Value>;

/// The equal parts that stand next to each other along the last axis.
template <std::size_t N>
std::vector<Value> parts(const Value& x) {
  std::vector<Value> out;
  for (const std::string& name : x.graph.nodes("Split", {x.name}, N, {{"axis", std::int64_t{-1}}}))
    out.push_back({x.graph, x.dtype, name});
  return out;
}

Value sigmoid(const Value& x) { return x.to("Sigmoid"); }
Value tanh(const Value& x) { return x.to("Tanh"); }

Value gru_cell(const Values& x, const Step&) {
  const Values of_x = parts<3>(x[0]), of_h = parts<3>(x[1]);
  const Value n = tanh(of_x[2] + sigmoid(of_x[0] + of_h[0]) * of_h[2]);
  return n + sigmoid(of_x[1] + of_h[1]) * (x[2] - n);
}

Value lstm_cell(const Values& x, const Step& step) {
  const Values of = parts<4>(x[0]);  // i, f, g, o
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

/// Pairs of elements, next to each other or half a row apart, turned by angles of their own.
Value rotary_embedding(const Values& x, const Step& step) {
  Shape shape = step.output.shape();
  const std::int64_t length = shape[-2], half = shape[-1] / 2;
  const bool interleaved = step.numbers.at("interleaved") != 0;
  const double exponent = std::log(step.numbers.at("base")) / static_cast<double>(half);
  const Tensor places = arange(length, {.dtype = f64}) + step.numbers.at("offset");
  const Tensor speeds = exp(arange(half, {.dtype = f64}) * -exponent);
  Tensor angles = reshape(places * step.numbers.at("direction"), {length, 1}) * speeds;
  if (interleaved) {
    shape.set(-1, half);
    shape.push_back(2);
    angles = unsqueeze(angles, -1);
  }
  const auto table = [&](const Tensor& t) {
    return Value{x[0].graph, x[0].dtype, x[0].graph.constant(t.to(x[0].dtype).array())};
  };
  const Value cosine = table(cos(angles)), sine = table(sin(angles));
  const Values pair = parts<2>(interleaved ? x[0].reshaped(shape) : x[0]);
  const Value left = pair[0] * cosine - pair[1] * sine, right = pair[0] * sine + pair[1] * cosine;
  const Value turned = left.with("Concat", {right.name}, {{"axis", std::int64_t{-1}}});
  return interleaved ? turned.reshaped(step.output.shape()) : turned;
}

}  // namespace

Table fused() {
  return {{"gru_cell", gru_cell},
          {"lstm_cell", lstm_cell},
          {"scaled_dot_product_attention", attention},
          {"rotary_embedding", rotary_embedding}};
}

}  // namespace gradtape::inline v0::onnx_export
