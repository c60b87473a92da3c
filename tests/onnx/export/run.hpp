#pragma once

#include <string>

#include "../tensor.hpp"

namespace suite {

/// Reads a model. Throws std::runtime_error.
onnx::ModelProto read(const std::string& path);

/// What the graph of a model computes of its one input, node by node.
gt::Tensor run(const onnx::ModelProto& model, const gt::Tensor& input);

}  // namespace suite
