#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

/// Rows of x by number: x (n, …), rows i64 (m) -> (m, …). The gradient adds up where a row is taken twice. Throws IndexError
/// for a row outside [0, n), DtypeError unless rows are i64, ShapeError unless rows are a vector.
Tensor take(const Tensor& x, const Tensor& rows);

}  // namespace gradtape
