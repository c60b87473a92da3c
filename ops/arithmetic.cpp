#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/elementwise.hpp>

namespace gradtape::inline v0 {

Tensor add(const Operand& a, const Operand& b) { return elementwise(rule::Add{}, a, b); }
Tensor sub(const Operand& a, const Operand& b) { return elementwise(rule::Sub{}, a, b); }
Tensor mul(const Operand& a, const Operand& b) { return elementwise(rule::Mul{}, a, b); }
Tensor div(const Operand& a, const Operand& b) { return elementwise(rule::Div{}, a, b); }
Tensor neg(const Tensor& x) { return elementwise(rule::Neg{}, x); }

Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }
Tensor operator-(const Tensor& x) { return neg(x); }

Tensor& Tensor::operator+=(const Tensor& other) { return rebind("+=", *this + other); }
Tensor& Tensor::operator-=(const Tensor& other) { return rebind("-=", *this - other); }
Tensor& Tensor::operator*=(const Tensor& other) { return rebind("*=", *this * other); }
Tensor& Tensor::operator/=(const Tensor& other) { return rebind("/=", *this / other); }

}  // namespace gradtape::inline v0
