#pragma once

#include <gradtape/core/tensor.hpp>

#include <limits>

namespace gradtape::inline v0 {

// Elementwise comparisons with broadcasting, boolean results; every dtype, both operands alike; NaN compares false but
// for !=.
Tensor eq(const Operand& a, const Operand& b);  ///< a == b
Tensor ne(const Operand& a, const Operand& b);  ///< a != b
Tensor lt(const Operand& a, const Operand& b);  ///< a < b
Tensor le(const Operand& a, const Operand& b);  ///< a <= b
Tensor gt(const Operand& a, const Operand& b);  ///< a > b
Tensor ge(const Operand& a, const Operand& b);  ///< a >= b

Tensor operator==(const Operand& a, const Operand& b);
Tensor operator!=(const Operand& a, const Operand& b);
Tensor operator<(const Operand& a, const Operand& b);
Tensor operator<=(const Operand& a, const Operand& b);
Tensor operator>(const Operand& a, const Operand& b);
Tensor operator>=(const Operand& a, const Operand& b);

/// condition ? a : b, elementwise with broadcasting; `condition` is boolean. What is not chosen has no effect on values
/// or gradients, NaN included. Throws DtypeError unless the condition is boolean and a and b are alike.
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);

// f32, f64, i64, elementwise with broadcasting.
Tensor maximum(const Operand& a, const Operand& b);  ///< the larger; NaN if either is; ties share the gradient evenly
Tensor minimum(const Operand& a, const Operand& b);  ///< the smaller; NaN if either is; ties share the gradient evenly

/// Options of clamp.
struct ClampOptions {
  double min = -std::numeric_limits<double>::infinity();  ///< no bound below unless told
  double max = std::numeric_limits<double>::infinity();   ///< no bound above unless told
};

/// min(max(x, min), max), elementwise; f32, f64, i64; NaN stays NaN, and a `max` below `min` is what every element
/// becomes. The gradient is that of x within the bounds and at them, 0 outside. Throws DtypeError for a bound of i64
/// that is not whole.
Tensor clamp(const Tensor& x, const ClampOptions& options);

}  // namespace gradtape::inline v0
