#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/elementwise.hpp>

namespace gradtape {
namespace {

struct Add {
  static constexpr std::string_view name = "add";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a + b; }
  auto vjp(auto g, auto /*a*/, auto /*b*/) const { return grads(g, g); }
};

struct Sub {
  static constexpr std::string_view name = "sub";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a - b; }
  auto vjp(auto g, auto /*a*/, auto /*b*/) const { return grads(g, -g); }
};

struct Mul {
  static constexpr std::string_view name = "mul";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a * b; }
  auto vjp(auto g, auto a, auto b) const { return grads(g * b, g * a); }
};

struct Div {
  static constexpr std::string_view name = "div";
  auto value(auto a, auto b) const { return a / b; }
  auto vjp(auto g, auto /*a*/, auto b, auto y) const { return grads(g / b, -g * y / b); }
};

struct Neg {
  static constexpr std::string_view name = "neg";
  static constexpr bool integers = true;
  auto value(auto x) const { return -x; }
  auto vjp(auto g, auto /*x*/) const { return -g; }
};

}  // namespace

Tensor add(const Operand& a, const Operand& b) { return elementwise(Add{}, a, b); }
Tensor sub(const Operand& a, const Operand& b) { return elementwise(Sub{}, a, b); }
Tensor mul(const Operand& a, const Operand& b) { return elementwise(Mul{}, a, b); }
Tensor div(const Operand& a, const Operand& b) { return elementwise(Div{}, a, b); }
Tensor neg(const Tensor& x) { return elementwise(Neg{}, x); }

Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }
Tensor operator-(const Tensor& x) { return neg(x); }

Tensor& Tensor::operator+=(const Tensor& other) { return rebind("+=", *this + other); }
Tensor& Tensor::operator-=(const Tensor& other) { return rebind("-=", *this - other); }
Tensor& Tensor::operator*=(const Tensor& other) { return rebind("*=", *this * other); }
Tensor& Tensor::operator/=(const Tensor& other) { return rebind("/=", *this / other); }

}  // namespace gradtape
