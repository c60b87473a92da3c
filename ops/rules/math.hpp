#pragma once

#include <gradtape/ops/rules/logic.hpp>

#include <limits>
#include <string_view>

namespace gradtape::inline v0::rule {

struct Exp {
  static constexpr std::string_view name = "exp";
  auto value(auto x) const { return exp(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * y; }
};
template <Value X>
auto exp(X x) {
  return lift<Exp>([](auto v) { return lanes::exp(v); }, x);
}

struct Expm1 {
  static constexpr std::string_view name = "expm1";
  auto value(auto x) const { return expm1(x); }
  auto vjp(auto g, auto x) const { return g * exp(x); }  // y + 1 would round to 0 where e^x is small
};
template <Value X>
auto expm1(X x) {
  return lift<Expm1>([](auto v) { return lanes::expm1(v); }, x);
}

struct Log {
  static constexpr std::string_view name = "log";
  auto value(auto x) const { return log(x); }
  auto vjp(auto g, auto x) const { return g / x; }
};
template <Value X>
auto log(X x) {
  return lift<Log>([](auto v) { return lanes::log(v); }, x);
}

struct Log1p {
  static constexpr std::string_view name = "log1p";
  auto value(auto x) const { return log1p(x); }
  auto vjp(auto g, auto x) const { return g / (1 + x); }
};
template <Value X>
auto log1p(X x) {
  return lift<Log1p>([](auto v) { return lanes::log1p(v); }, x);
}

struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  auto value(auto x) const { return sqrt(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g / (2 * y); }
};
template <Value X>
auto sqrt(X x) {
  return lift<Sqrt>([](auto v) { return xsimd::sqrt(v); }, x);
}

struct Rsqrt {
  static constexpr std::string_view name = "rsqrt";
  auto value(auto x) const { return 1 / sqrt(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return -0.5 * g * y * y * y; }
};
template <Value X>
auto rsqrt(X x) {
  return call(Rsqrt{}, x);
}

struct Square {
  static constexpr std::string_view name = "square";
  static constexpr bool records_whole = true;
  static constexpr bool integers = true;
  auto value(auto x) const { return x * x; }
  auto vjp(auto g, auto x) const { return 2 * g * x; }
};
template <Value X>
auto square(X x) {
  return call(Square{}, x);
}

struct Reciprocal {
  static constexpr std::string_view name = "reciprocal";
  auto value(auto x) const { return 1 / x; }
  auto vjp(auto g, auto /*x*/, auto y) const { return -g * y * y; }
};
template <Value X>
auto reciprocal(X x) {
  return call(Reciprocal{}, x);
}

struct Sign {
  static constexpr std::string_view name = "sign";
  static constexpr bool integers = true;
  auto value(auto x) const { return where(x > 0, 1, where(x < 0, -1, x)); }  // 0 and NaN are themselves
  auto vjp(auto /*g*/, auto /*x*/) const { return 0; }
};
template <Value X>
auto sign(X x) {
  return call(Sign{}, x);
}

struct Abs {
  static constexpr std::string_view name = "abs";
  static constexpr bool integers = true;
  auto value(auto x) const { return abs(x); }
  auto vjp(auto g, auto x) const { return g * sign(x); }
};
template <Value X>
auto abs(X x) {
  return lift<Abs>([](auto v) { return xsimd::abs(v); }, x);
}

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
template <class A, class B>
  requires Pair<A, B>
auto pow(const A& a, const B& b) {
  return lift<Pow>([](auto x, auto y) { return lanes::pow(x, y); }, a, b);
}

struct Hypot {
  static constexpr std::string_view name = "hypot";
  auto value(auto a, auto b) const {
    // Scaled by the larger: no square overflows or vanishes.
    const auto large = maximum(abs(a), abs(b)), small = minimum(abs(a), abs(b));
    const auto finite = where(small == 0, large, large * sqrt(1 + square(small / large)));
    return where(logical_or(isinf(a), isinf(b)), std::numeric_limits<double>::infinity(), finite);
  }
  auto vjp(auto g, auto a, auto b, auto y) const { return grads(g * (a / y), g * (b / y)); }
};
template <class A, class B>
  requires Pair<A, B>
auto hypot(A a, B b) {
  return call(Hypot{}, a, b);
}

struct Logaddexp {
  static constexpr std::string_view name = "logaddexp";
  auto value(auto a, auto b) const { return maximum(a, b) + log1p(exp(-abs(gap(a, b)))); }
  auto vjp(auto g, auto a, auto b) const { return grads(g * sigmoid(gap(a, b)), g * sigmoid(gap(b, a))); }

 private:
  static auto gap(auto a, auto b) { return where(logical_and(a == b, isinf(a)), 0, a - b); }  // inf - inf is NaN
};
template <class A, class B>
  requires Pair<A, B>
auto logaddexp(A a, B b) {
  return call(Logaddexp{}, a, b);
}

struct Lerp {
  static constexpr std::string_view name = "lerp";
  // From the nearer end, so that both ends are exact.
  auto value(auto a, auto b, auto t) const { return where(abs(t) < 0.5, a + t * (b - a), b - (1 - t) * (b - a)); }
  auto vjp(auto g, auto a, auto b, auto t) const { return grads(g * (1 - t), g * t, g * (b - a)); }
};
template <Argument A, Argument B, Argument T>
  requires(Value<A> || Value<B> || Value<T>)
auto lerp(A start, B end, T weight) {
  return call(Lerp{}, start, end, weight);
}

}  // namespace gradtape::inline v0::rule
