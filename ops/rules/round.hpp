#pragma once

#include <gradtape/ops/rules/arithmetic.hpp>

#include <string_view>

namespace gradtape::inline v0::rule {

struct Floor {
  static constexpr std::string_view name = "floor";
  static constexpr bool integers = true;
  auto value(auto x) const { return floor(x); }
  auto vjp(auto /*g*/, auto /*x*/) const { return 0; }
};
template <Value X>
auto floor(X x) {
  return lift<Floor>([](auto v) { return lanes::floor(v); }, x);
}

struct Ceil {
  static constexpr std::string_view name = "ceil";
  static constexpr bool integers = true;
  auto value(auto x) const { return ceil(x); }
  auto vjp(auto /*g*/, auto /*x*/) const { return 0; }
};
template <Value X>
auto ceil(X x) {
  return lift<Ceil>([](auto v) { return lanes::ceil(v); }, x);
}

struct Round {
  static constexpr std::string_view name = "round";
  static constexpr bool integers = true;
  auto value(auto x) const { return round(x); }
  auto vjp(auto /*g*/, auto /*x*/) const { return 0; }
};
template <Value X>
auto round(X x) {
  return lift<Round>([](auto v) { return lanes::round(v); }, x);
}

struct Trunc {
  static constexpr std::string_view name = "trunc";
  static constexpr bool integers = true;
  auto value(auto x) const { return trunc(x); }
  auto vjp(auto /*g*/, auto /*x*/) const { return 0; }
};
template <Value X>
auto trunc(X x) {
  return lift<Trunc>([](auto v) { return lanes::trunc(v); }, x);
}

struct Remainder {
  static constexpr std::string_view name = "remainder";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return remainder(a, b); }
  // The quotient is whole; floor(a / b) would be off by one where a / b rounds up to a whole number.
  auto vjp(auto g, auto a, auto b, auto y) const { return grads(g, -g * round((a - y) / b)); }
};
template <class A, class B>
  requires Pair<A, B>
auto remainder(A a, B b) {
  return lift<Remainder>([](auto x, auto y) { return lanes::remainder(x, y); }, a, b);
}

}  // namespace gradtape::inline v0::rule
