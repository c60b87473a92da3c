#pragma once

#include <gradtape/ops/rules/arithmetic.hpp>
#include <gradtape/ops/rules/compare.hpp>

#include <string_view>

namespace gradtape::rule {

struct Exp {
  static constexpr std::string_view name = "exp";
  auto value(auto x) const { return exp(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * y; }
};
template <Value X> auto exp(X x) { return lift<Exp>([](auto v) { return lanes::exp(v); }, x); }

struct Log {
  static constexpr std::string_view name = "log";
  auto value(auto x) const { return log(x); }
  auto vjp(auto g, auto x) const { return g / x; }
};
template <Value X> auto log(X x) { return lift<Log>([](auto v) { return lanes::log(v); }, x); }

struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  auto value(auto x) const { return sqrt(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g / (2 * y); }
};
template <Value X> auto sqrt(X x) { return lift<Sqrt>([](auto v) { return xsimd::sqrt(v); }, x); }

struct Square {
  static constexpr std::string_view name = "square";
  static constexpr bool integers = true;
  auto value(auto x) const { return x * x; }
  auto vjp(auto g, auto x) const { return 2 * g * x; }
};
template <Value X> auto square(X x) { return call(Square{}, x); }

struct Sin {
  static constexpr std::string_view name = "sin";
  auto value(auto x) const { return sin(x); }
  auto vjp(auto g, auto x) const { return g * cos(x); }
};
template <Value X> auto sin(X x) { return lift<Sin>([](auto v) { return lanes::sin(v); }, x); }

struct Cos {
  static constexpr std::string_view name = "cos";
  auto value(auto x) const { return cos(x); }
  auto vjp(auto g, auto x) const { return -g * sin(x); }
};
template <Value X> auto cos(X x) { return lift<Cos>([](auto v) { return lanes::cos(v); }, x); }

struct Tanh {
  static constexpr std::string_view name = "tanh";
  auto value(auto x) const { return tanh(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * (1 - y * y); }
};
template <Value X> auto tanh(X x) { return lift<Tanh>([](auto v) { return xsimd::tanh(v); }, x); }

struct Sign {
  static constexpr std::string_view name = "sign";
  static constexpr bool integers = true;
  auto value(auto x) const { return where(x > 0, 1, where(x < 0, -1, x)); }  // 0 and NaN are themselves
  auto vjp(auto /*g*/, auto /*x*/) const { return 0; }
};
template <Value X> auto sign(X x) { return call(Sign{}, x); }

struct Abs {
  static constexpr std::string_view name = "abs";
  static constexpr bool integers = true;
  auto value(auto x) const { return abs(x); }
  auto vjp(auto g, auto x) const { return g * sign(x); }
};
template <Value X> auto abs(X x) { return lift<Abs>([](auto v) { return xsimd::abs(v); }, x); }

struct Pow {
  static constexpr std::string_view name = "pow";
  auto value(auto a, auto b) const { return pow(a, b); }
  auto vjp(auto g, auto a, auto b, auto y) const {
    // At base 0 the formulas meet 0·inf where the limit is 0; a base of 1 gives that limit.
    const auto base = where(b == 0, where(a == 0, 1 + a, a), a), inside = where(b >= 0, where(a == 0, 1 + a, a), a);
    return grads(g * b * pow(base, b - 1), g * y * log(inside));
  }
};
// By reference, for xsimd has a pow(const T&, const U&) of anything: the more constrained of two alike is chosen.
template <class A, class B> requires Pair<A, B> auto pow(const A& a, const B& b) { return lift<Pow>([](auto x, auto y) { return lanes::pow(x, y); }, a, b); }

}  // namespace gradtape::rule
