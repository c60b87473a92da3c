#include "run.hpp"

#include <array>
#include <fstream>
#include <stdexcept>

#include "../node.hpp"

namespace suite {
namespace {

onnx::TensorProto to_proto(const gt::Tensor& x) {
  const gt::Array all = gt::packed(x.array());
  onnx::TensorProto proto;
  constexpr std::array types{onnx::TensorProto::FLOAT, onnx::TensorProto::DOUBLE, onnx::TensorProto::INT64,
                             onnx::TensorProto::BOOL};  // in the order of gt::Dtype
  proto.set_data_type(types[static_cast<std::size_t>(all.dtype())]);
  for (const std::int64_t dim : all.shape()) proto.add_dims(dim);
  proto.set_raw_data(all.data(), static_cast<std::size_t>(all.numel()) * gt::size_of(all.dtype()));
  return proto;
}

}  // namespace

onnx::ModelProto read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  onnx::ModelProto model;
  if (!file || !model.ParseFromIstream(&file)) throw std::runtime_error("cannot read " + path);
  return model;
}

gt::Tensor run(const onnx::ModelProto& model, const gt::Tensor& input) {
  const onnx::GraphProto& graph = model.graph();
  Values values{{graph.input(0).name(), to_proto(input)}};
  for (const onnx::TensorProto& constant : graph.initializer()) values[constant.name()] = constant;
  for (const onnx::NodeProto& proto : graph.node()) {
    const Node node(proto, values);
    const Outputs outputs = table().at(proto.op_type())(node);
    for (std::size_t i = 0; i < node.outputs(); ++i) values[proto.output(static_cast<int>(i))] = to_proto(outputs[i]);
  }
  return to_tensor(values.at(graph.output(0).name()));
}

}  // namespace suite
