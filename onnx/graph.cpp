#include "graph.hpp"

#include <fmt/format.h>

namespace gradtape::inline v0::onnx_export {
namespace {

onnx::TensorProto tensor_proto(const Array& array, const std::string& name) {
  const Array all = gradtape::packed(array);
  onnx::TensorProto proto;
  proto.set_name(name);
  proto.set_data_type(onnx_type(all.dtype()));
  for (const std::int64_t dim : all.shape()) proto.add_dims(dim);
  proto.set_raw_data(all.data(), static_cast<std::size_t>(all.numel()) * size_of(all.dtype()));
  return proto;
}

void describe(onnx::ValueInfoProto& info, const std::string& name, const Array& like) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(like.dtype()));
  auto& shape = *type.mutable_shape();
  for (const std::int64_t dim : like.shape()) shape.add_dim()->set_dim_value(dim);
}

void set(onnx::AttributeProto& to, const Attribute& from) {
  to.set_name(from.name);
  if (const auto* number = std::get_if<double>(&from.value)) {
    to.set_type(onnx::AttributeProto::FLOAT);
    to.set_f(static_cast<float>(*number));
  } else if (const auto* integer = std::get_if<std::int64_t>(&from.value)) {
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(*integer);
  } else {
    to.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t i : std::get<std::vector<std::int64_t>>(from.value)) to.add_ints(i);
  }
}

}  // namespace

onnx::TensorProto::DataType onnx_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return onnx::TensorProto::FLOAT;
    case Dtype::f64:
      return onnx::TensorProto::DOUBLE;
    case Dtype::i64:
      return onnx::TensorProto::INT64;
    case Dtype::boolean:
      break;
  }
  return onnx::TensorProto::BOOL;
}

std::string Graph::name(const Array& array) {
  if (const auto value = values_.find(array.identity()); value != values_.end()) return value->second;
  const auto known = constants_.find(array.identity());
  std::string name = known == constants_.end() ? constant(array) : known->second;
  if (known != constants_.end()) *proto_.add_initializer() = tensor_proto(array, name);
  computes(array, name);
  return name;
}

std::vector<std::string> Graph::nodes(const std::string& type, const std::vector<std::string>& inputs, int outputs,
                                      const NodeAttributes& attributes) {
  const std::string name = fmt::format("{}_{}", type, proto_.node_size());
  onnx::NodeProto& node = *proto_.add_node();
  node.set_name(name);
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  for (const Attribute& attribute : attributes) set(*node.add_attribute(), attribute);
  for (int i = 0; i < outputs; ++i) node.add_output(outputs == 1 ? name : fmt::format("{}_{}", name, i));
  return {node.output().begin(), node.output().end()};
}

std::string Graph::constant(const Array& array) {
  const std::string name = fmt::format("constant_{}", unnamed_++);
  *proto_.add_initializer() = tensor_proto(array, name);
  return name;
}

std::string Graph::integers(std::span<const std::int64_t> values) {
  const Array row = Array::make(i64, {values.size()});
  std::copy(values.begin(), values.end(), row.data<std::int64_t>());
  return constant(row);
}

std::string Graph::number(double value, Dtype dtype) {
  const Array scalar = Array::make(dtype, {});
  fill(scalar, value);
  return constant(scalar);
}

std::string Graph::reshape(const std::string& x, const Shape& shape) {
  return node("Reshape", {x, integers({shape.begin(), shape.end()})}, {{"allowzero", std::int64_t{1}}});
}

void Graph::input(const std::string& name, const Array& like) {
  describe(*proto_.add_input(), name, like);
  computes(like, name);
}

void Graph::output(const std::string& name, const Array& like) {
  describe(*proto_.add_output(), name, like);
  onnx::NodeProto& node = *proto_.add_node();
  node.set_op_type("Identity");
  node.add_input(this->name(like));
  node.add_output(name);
}

}  // namespace gradtape::inline v0::onnx_export
