#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>

namespace gradtape {

Tensor operator==(const Operand& a, const Operand& b) { return elementwise(rule::Equal{}, a, b); }
Tensor operator!=(const Operand& a, const Operand& b) { return elementwise(rule::NotEqual{}, a, b); }
Tensor operator<(const Operand& a, const Operand& b) { return elementwise(rule::Less{}, a, b); }
Tensor operator<=(const Operand& a, const Operand& b) { return elementwise(rule::LessEqual{}, a, b); }
Tensor operator>(const Operand& a, const Operand& b) { return elementwise(rule::Greater{}, a, b); }
Tensor operator>=(const Operand& a, const Operand& b) { return elementwise(rule::GreaterEqual{}, a, b); }

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) { return elementwise(rule::Where{}, Operand(condition), a, b); }
Tensor maximum(const Operand& a, const Operand& b) { return elementwise(rule::Maximum{}, a, b); }
Tensor minimum(const Operand& a, const Operand& b) { return elementwise(rule::Minimum{}, a, b); }

}  // namespace gradtape
