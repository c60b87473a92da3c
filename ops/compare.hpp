#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

// Elementwise comparisons with broadcasting, boolean results; every dtype, both operands alike; NaN compares false but for !=.
Tensor operator==(const Operand& a, const Operand& b);
Tensor operator!=(const Operand& a, const Operand& b);
Tensor operator<(const Operand& a, const Operand& b);
Tensor operator<=(const Operand& a, const Operand& b);
Tensor operator>(const Operand& a, const Operand& b);
Tensor operator>=(const Operand& a, const Operand& b);

/// condition ? a : b, elementwise with broadcasting; `condition` is boolean. What is not chosen has no effect on values or
/// gradients, NaN included. Throws DtypeError unless the condition is boolean and a and b are alike.
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);

/// The larger of a and b, elementwise; NaN if either is. Ties share the gradient evenly.
Tensor maximum(const Operand& a, const Operand& b);
/// The smaller of a and b, elementwise; NaN if either is. Ties share the gradient evenly.
Tensor minimum(const Operand& a, const Operand& b);

}  // namespace gradtape
