#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace suite {

/// Tensors by name.
using Values = std::map<std::string, onnx::TensorProto>;

/// A node with the values of its inputs; refers to both. Asking for what has no counterpart here throws Skip.
class Node {
 public:
  Node(const onnx::NodeProto& node, const Values& values) : node_(node), values_(values) {}

  std::size_t size() const { return static_cast<std::size_t>(node_.input_size()); }  ///< number of inputs
  bool has(std::size_t input) const;                            ///< whether an optional input is there
  gt::Tensor operator[](std::size_t input) const;               ///< one input
  std::vector<std::int64_t> integers(std::size_t input) const;  ///< one that is an argument, such as axes
  std::size_t outputs() const { return static_cast<std::size_t>(node_.output_size()); }  ///< number of outputs

  double number(const std::string& attribute, double otherwise) const;
  std::int64_t integer(const std::string& attribute, std::int64_t otherwise) const;
  int axis(std::int64_t otherwise) const { return static_cast<int>(integer("axis", otherwise)); }
  bool flag(const std::string& attribute, bool otherwise) const { return integer(attribute, otherwise) != 0; }
  std::string text(const std::string& attribute, const std::string& otherwise) const;
  std::vector<std::int64_t> list(const std::string& attribute) const;   ///< empty if it is not there
  const onnx::TensorProto* tensor(const std::string& attribute) const;  ///< null if it is not there

  /// Throws Skip if the node has an attribute that nobody has asked for.
  void require_all_read() const;

 private:
  const onnx::AttributeProto* find(const std::string& attribute) const;
  const onnx::TensorProto& value(std::size_t input) const;

  const onnx::NodeProto& node_;
  const Values& values_;
  mutable std::set<std::string> read_;
};

/// What a node computes.
struct Outputs : std::vector<gt::Tensor> {
  Outputs(gt::Tensor one) { push_back(std::move(one)); }
  Outputs(std::vector<gt::Tensor> several) : vector(std::move(several)) {}
};

using Function = std::function<Outputs(const Node&)>;

/// From the type of a node to what computes it.
using Table = std::map<std::string, Function>;

Table activations();
Table convolutions();
Table creation();
Table elementwise();
Table indexing();
Table losses();
Table normalisation();
Table products();
Table recurrence();
Table reductions();
Table shapes();
Table training();

/// All of them.
const Table& table();

/// f of the first input; of the first two; of the first three.
template <class F>
Function unary(F f) {
  return [f](const Node& n) -> Outputs { return f(n[0]); };
}
template <class F>
Function binary(F f) {
  return [f](const Node& n) -> Outputs { return f(n[0], n[1]); };
}
template <class F>
Function ternary(F f) {
  return [f](const Node& n) -> Outputs { return f(n[0], n[1], n[2]); };
}

/// Axes or dimensions as the ops here take them.
template <class List>
List list_of(const std::vector<std::int64_t>& values) {
  List list;
  for (const std::int64_t n : values) list.push_back(n);
  return list;
}

}  // namespace suite
