#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Elementwise arithmetic with broadcasting; an operand may be a C++ number, which takes the tensor's dtype.
// f32, f64, and i64 except for division. Errors: ShapeError if shapes do not broadcast, DtypeError for mixed dtypes.

Tensor add(const Operand& a, const Operand& b);  ///< a + b
Tensor sub(const Operand& a, const Operand& b);  ///< a - b
Tensor mul(const Operand& a, const Operand& b);  ///< a * b
Tensor div(const Operand& a, const Operand& b);  ///< a / b, IEEE 754: x/0 is ±inf, 0/0 NaN; f32 and f64 only
Tensor neg(const Tensor& x);                     ///< -x

Tensor operator+(const Operand& a, const Operand& b);
Tensor operator-(const Operand& a, const Operand& b);
Tensor operator*(const Operand& a, const Operand& b);
Tensor operator/(const Operand& a, const Operand& b);
Tensor operator-(const Tensor& x);

}  // namespace gradtape::inline v0
