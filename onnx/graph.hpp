#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trace.hpp"
#include <onnx/onnx_pb.h>

namespace gradtape::inline v0::onnx_export {

/// An attribute of an ONNX node.
struct Attribute {
  std::string name;
  std::variant<std::int64_t, double, std::vector<std::int64_t>> value;
};
using NodeAttributes = std::vector<Attribute>;

/// An ONNX graph while it is built. Values go by their names.
class Graph {
 public:
  /// Constants are stored under `names`, as far as they have one.
  explicit Graph(std::map<const void*, std::string> names) : constants_(std::move(names)) {}

  /// Says that the graph computes `array`, which must stay alive, as `name`.
  void computes(const Array& array, std::string name) { values_[array.identity()] = std::move(name); }
  /// What it computes, or else a constant, stored with the model.
  std::string name(const Array& array);

  /// Adds a node; the name of its output.
  std::string node(const std::string& type, const std::vector<std::string>& inputs,
                   const NodeAttributes& attributes = {}) {
    return nodes(type, inputs, 1, attributes)[0];
  }
  /// Adds a node of several outputs.
  std::vector<std::string> nodes(const std::string& type, const std::vector<std::string>& inputs, int outputs,
                                 const NodeAttributes& attributes = {});
  std::string constant(const Array& array);                       ///< a constant of no name of its own
  std::string integers(std::span<const std::int64_t> values);     ///< a row of them
  std::string number(double value, Dtype dtype);                  ///< a scalar
  std::string reshape(const std::string& x, const Shape& shape);  ///< a value under a new shape

  void input(const std::string& name, const Array& like);   ///< declares an input
  void output(const std::string& name, const Array& like);  ///< declares `like`, which was computed, as an output

  const onnx::GraphProto& proto() const { return proto_; }

 private:
  onnx::GraphProto proto_;
  std::map<const void*, std::string> constants_, values_;
  int unnamed_ = 0;
};

/// What ONNX calls a dtype.
onnx::TensorProto::DataType onnx_type(Dtype dtype);

}  // namespace gradtape::inline v0::onnx_export
