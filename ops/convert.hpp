#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

/// Rows of the identity: labels i64 (…) -> default_dtype()
/// (…, classes), 1 at the label and 0 elsewhere. Throws ValueError for a label outside [0, classes), DtypeError unless
/// i64.
Tensor one_hot(const Tensor& labels, std::int64_t classes);

}  // namespace gradtape::inline v0
