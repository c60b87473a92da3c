#include "tensor.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace suite {
namespace {

/// The elements are bytes, or stand in a field of their type.
template <class T>
void read(const onnx::TensorProto& proto, const auto& field, T* to, std::int64_t n) {
  const std::string& raw = proto.raw_data();
  if (raw.size() == static_cast<std::size_t>(n) * sizeof(T))
    std::memcpy(to, raw.data(), raw.size());
  else if (raw.empty() && field.size() == n)
    std::ranges::transform(field, to, [](auto x) { return static_cast<T>(x); });
  else
    throw std::runtime_error("tensor '" + proto.name() + "' has not as many elements as its shape says");
}

gt::Shape shape_of(const onnx::TensorProto& proto) {
  return gt::Shape(std::vector<std::int64_t>(proto.dims().begin(), proto.dims().end()));
}

[[noreturn]] void skip_type(int type) { throw Skip{"dtype " + onnx::TensorProto::DataType_Name(type)}; }

}  // namespace

gt::Dtype to_dtype(int type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return gt::f32;
    case onnx::TensorProto::DOUBLE:
      return gt::f64;
    case onnx::TensorProto::INT64:
      return gt::i64;
    case onnx::TensorProto::BOOL:
      return gt::boolean;
    default:
      skip_type(type);
  }
}

gt::Tensor to_tensor(const onnx::TensorProto& proto) {
  const gt::Array array = gt::Array::make(to_dtype(proto.data_type()), shape_of(proto));
  switch (array.dtype()) {
    case gt::f32:
      read(proto, proto.float_data(), array.data<float>(), array.numel());
      break;
    case gt::f64:
      read(proto, proto.double_data(), array.data<double>(), array.numel());
      break;
    case gt::i64:
      read(proto, proto.int64_data(), array.data<std::int64_t>(), array.numel());
      break;
    case gt::boolean:
      read(proto, proto.int32_data(), array.data<bool>(), array.numel());
      break;
  }
  return gt::Tensor(array);
}

std::vector<std::int64_t> to_integers(const onnx::TensorProto& proto) {
  if (proto.data_type() == onnx::TensorProto::INT64) return to_tensor(proto).to_vector<std::int64_t>();
  if (proto.data_type() != onnx::TensorProto::INT32) skip_type(proto.data_type());
  std::vector<std::int32_t> values(static_cast<std::size_t>(shape_of(proto).numel()));
  read(proto, proto.int32_data(), values.data(), static_cast<std::int64_t>(values.size()));
  return {values.begin(), values.end()};
}

}  // namespace suite
