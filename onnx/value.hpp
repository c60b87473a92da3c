#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "graph.hpp"

namespace gradtape::inline v0::onnx_export {

/// A value of a graph. Its operators add nodes.
struct Value {
  Graph& graph;
  Dtype dtype;
  std::string name;

  /// What a node makes of it, and of other inputs.
  Value to(const std::string& type, const NodeAttributes& attributes = {}) const { return with(type, {}, attributes); }
  Value with(const std::string& type, const std::vector<std::string>& others,
             const NodeAttributes& attributes = {}) const {
    std::vector<std::string> inputs{name};
    inputs.insert(inputs.end(), others.begin(), others.end());
    return {graph, dtype, graph.node(type, inputs, attributes)};
  }
  Value reshaped(const Shape& shape) const { return {graph, dtype, graph.reshape(name, shape)}; }
  Value transposed(const std::vector<std::int64_t>& order) const { return to("Transpose", {{"perm", order}}); }
  Value number(double x) const { return {graph, dtype, graph.number(x, dtype)}; }  ///< of its dtype

  friend Value operator+(const Value& a, const Value& b) { return a.with("Add", {b.name}); }
  friend Value operator-(const Value& a, const Value& b) { return a.with("Sub", {b.name}); }
  friend Value operator*(const Value& a, const Value& b) { return a.with("Mul", {b.name}); }
  friend Value operator+(double a, const Value& b) { return b.number(a) + b; }
  friend Value operator*(double a, const Value& b) { return b.number(a) * b; }
};

/// Thrown for a call that ONNX cannot express.
struct Unsupported {
  std::string why;
};

/// Adds the nodes of a call on the values of its inputs; throws Unsupported.
using Emitter = Value (*)(const std::vector<Value>& x, const Step& step);
/// The type of the ONNX op that takes the same inputs and no attributes, or an emitter.
using Rule = std::variant<const char*, Emitter>;
/// From the name of an op.
using Table = std::map<std::string, Rule>;

Table elementwise();
Table shapes();
Table layers();
Table fused();

}  // namespace gradtape::inline v0::onnx_export
