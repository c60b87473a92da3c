#pragma once

#include <gradtape/ops/rules/math.hpp>

#include <string_view>

namespace gradtape::inline v0::rule {

struct Sin {
  static constexpr std::string_view name = "sin";
  auto value(auto x) const { return sin(x); }
  auto vjp(auto g, auto x) const { return g * cos(x); }
};
template <Value X>
auto sin(X x) {
  return lift<Sin>([](auto v) { return lanes::sin(v); }, x);
}

struct Cos {
  static constexpr std::string_view name = "cos";
  auto value(auto x) const { return cos(x); }
  auto vjp(auto g, auto x) const { return -g * sin(x); }
};
template <Value X>
auto cos(X x) {
  return lift<Cos>([](auto v) { return lanes::cos(v); }, x);
}

struct Tan {
  static constexpr std::string_view name = "tan";
  auto value(auto x) const { return tan(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * (1 + y * y); }
};
template <Value X>
auto tan(X x) {
  return lift<Tan>([](auto v) { return lanes::tan(v); }, x);
}

// Near ±1 the differences 1 - x and 1 + x are exact where 1 - x² is not.
struct Asin {
  static constexpr std::string_view name = "asin";
  auto value(auto x) const { return asin(x); }
  auto vjp(auto g, auto x) const { return g / sqrt((1 - x) * (1 + x)); }
};
template <Value X>
auto asin(X x) {
  return lift<Asin>([](auto v) { return lanes::asin(v); }, x);
}

struct Acos {
  static constexpr std::string_view name = "acos";
  auto value(auto x) const { return acos(x); }
  auto vjp(auto g, auto x) const { return -g / sqrt((1 - x) * (1 + x)); }
};
template <Value X>
auto acos(X x) {
  return lift<Acos>([](auto v) { return lanes::acos(v); }, x);
}

struct Atan {
  static constexpr std::string_view name = "atan";
  auto value(auto x) const { return atan(x); }
  auto vjp(auto g, auto x) const { return g / (1 + x * x); }
};
template <Value X>
auto atan(X x) {
  return lift<Atan>([](auto v) { return lanes::atan(v); }, x);
}

struct Atan2 {
  static constexpr std::string_view name = "atan2";
  auto value(auto y, auto x) const { return atan2(y, x); }
  auto vjp(auto g, auto y, auto x) const {
    const auto radius = hypot(y, x);
    const auto over = g / radius;  // divided by twice, for its square may overflow
    return grads(over * (x / radius), -over * (y / radius));
  }
};
template <class A, class B>
  requires Pair<A, B>
auto atan2(A y, B x) {
  return lift<Atan2>([](auto v, auto u) { return lanes::atan2(v, u); }, y, x);
}

struct Sinh {
  static constexpr std::string_view name = "sinh";
  auto value(auto x) const { return sinh(x); }
  auto vjp(auto g, auto x) const { return g * cosh(x); }
};
template <Value X>
auto sinh(X x) {
  return lift<Sinh>([](auto v) { return lanes::sinh(v); }, x);
}

struct Cosh {
  static constexpr std::string_view name = "cosh";
  auto value(auto x) const { return cosh(x); }
  auto vjp(auto g, auto x) const { return g * sinh(x); }
};
template <Value X>
auto cosh(X x) {
  return lift<Cosh>([](auto v) { return lanes::cosh(v); }, x);
}

struct Tanh {
  static constexpr std::string_view name = "tanh";
  static constexpr bool records_whole = true;
  auto value(auto x) const { return tanh(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * (1 - y * y); }
};
template <Value X>
auto tanh(X x) {
  return lift<Tanh>([](auto v) { return lanes::tanh(v); }, x);
}

struct Asinh {
  static constexpr std::string_view name = "asinh";
  auto value(auto x) const { return asinh(x); }
  auto vjp(auto g, auto x) const { return g / hypot(x, 1); }
};
template <Value X>
auto asinh(X x) {
  return lift<Asinh>([](auto v) { return lanes::asinh(v); }, x);
}

struct Acosh {
  static constexpr std::string_view name = "acosh";
  auto value(auto x) const { return acosh(x); }
  auto vjp(auto g, auto x) const { return g / (sqrt(x - 1) * sqrt(x + 1)); }
};
template <Value X>
auto acosh(X x) {
  return lift<Acosh>([](auto v) { return lanes::acosh(v); }, x);
}

struct Atanh {
  static constexpr std::string_view name = "atanh";
  auto value(auto x) const { return atanh(x); }
  auto vjp(auto g, auto x) const { return g / ((1 - x) * (1 + x)); }
};
template <Value X>
auto atanh(X x) {
  return lift<Atanh>([](auto v) { return lanes::atanh(v); }, x);
}

}  // namespace gradtape::inline v0::rule
