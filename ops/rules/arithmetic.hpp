#pragma once

#include <gradtape/ops/rule.hpp>

#include <string_view>

namespace gradtape::inline v0::rule {

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

template <class A, class B>
  requires Pair<A, B>
auto operator+(A a, B b) {
  return lift<Add>([](auto x, auto y) { return x + y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator-(A a, B b) {
  return lift<Sub>([](auto x, auto y) { return x - y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator*(A a, B b) {
  return lift<Mul>([](auto x, auto y) { return lanes::mul(x, y); }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator/(A a, B b) {
  return lift<Div>([](auto x, auto y) { return x / y; }, a, b);
}
template <Value A>
auto operator-(A a) {
  return lift<Neg>([](auto x) { return lanes::neg(x); }, a);
}

}  // namespace gradtape::inline v0::rule
