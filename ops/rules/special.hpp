#pragma once

#include <gradtape/ops/rules/math.hpp>

#include <numbers>
#include <string_view>

namespace gradtape::inline v0::rule {

struct Erf {
  static constexpr std::string_view name = "erf";
  auto value(auto x) const { return erf(x); }
  auto vjp(auto g, auto x) const { return 2 * std::numbers::inv_sqrtpi * g * exp(-x * x); }
};
template <Value X>
auto erf(X x) {
  return lift<Erf>([](auto v) { return lanes::erf(v); }, x);
}

struct Erfc {
  static constexpr std::string_view name = "erfc";
  auto value(auto x) const { return erfc(x); }
  auto vjp(auto g, auto x) const { return -2 * std::numbers::inv_sqrtpi * g * exp(-x * x); }
};
template <Value X>
auto erfc(X x) {
  return lift<Erfc>([](auto v) { return lanes::erfc(v); }, x);
}

struct Lgamma {
  static constexpr std::string_view name = "lgamma";
  auto value(auto x) const { return lgamma(x); }
  auto vjp(auto g, auto x) const { return g * digamma(x); }
};
template <Value X>
auto lgamma(X x) {
  return lift<Lgamma>([](auto v) { return lanes::lgamma(v); }, x);
}

struct Digamma {
  static constexpr std::string_view name = "digamma";
  auto value(auto x) const { return digamma(x); }
  auto vjp(auto g, auto x) const { return g * polygamma(1, x); }
};
template <Value X>
auto digamma(X x) {
  return lift<Digamma>([](auto v) { return lanes::digamma(v); }, x);
}

struct Polygamma {
  static constexpr std::string_view name = "polygamma";
  int n;
  auto value(auto x) const { return polygamma(n, x); }
  auto vjp(auto g, auto x) const { return g * polygamma(n + 1, x); }
};
template <Value X>
auto polygamma(int n, X x) {
  return lift(
      Polygamma{n}, [n](auto v) { return lanes::polygamma(n, v); }, x);
}

}  // namespace gradtape::inline v0::rule
