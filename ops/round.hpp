#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Whole numbers near x, elementwise; f32, f64, and i64, which stays as it is. The gradient is 0.
Tensor floor(const Tensor& x);  ///< the next one below or at x
Tensor ceil(const Tensor& x);   ///< the next one above or at x
Tensor round(const Tensor& x);  ///< the nearest; of two the even one
Tensor trunc(const Tensor& x);  ///< the next one towards 0

/// a - b * floor(a / b), elementwise with broadcasting: what whole multiples of b leave of a, with the sign of b; f32,
/// f64, i64. NaN for b = 0; of integers that throws ValueError. The gradient of b is -floor(a / b).
Tensor remainder(const Operand& a, const Operand& b);

}  // namespace gradtape::inline v0
