#pragma once

#include "tensor.hpp"

namespace suite {

/// What differs, empty if nothing does: shapes, dtypes, integers and booleans must be equal, floating numbers within
/// onnx's own tolerance, |actual - expected| <= 1e-7 + 1e-3 |expected|; NaN and infinities where they are expected.
std::string difference(const gt::Tensor& actual, const gt::Tensor& expected);

}  // namespace suite
