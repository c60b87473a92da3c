#pragma once

#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

namespace suite {

namespace gt = gradtape;

/// Thrown where a case cannot be run here.
struct Skip {
  std::string reason;
};

/// The same tensor here: float, double, int64 and bool. Throws Skip for another type.
gt::Tensor to_tensor(const onnx::TensorProto& proto);

/// int32 or int64 numbers that an op here takes as C++ integers, such as axes. Throws Skip for another type.
std::vector<std::int64_t> to_integers(const onnx::TensorProto& proto);

/// The dtype here of an onnx::TensorProto::DataType. Throws Skip if there is none.
gt::Dtype to_dtype(int type);

}  // namespace suite
