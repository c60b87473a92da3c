#pragma once

#include <gradtape/ops/logic.hpp>
#include <gradtape/ops/rules/compare.hpp>

#include <limits>
#include <string_view>

namespace gradtape::inline v0::rule {

struct IsNan {
  static constexpr std::string_view name = "isnan";
  static constexpr bool integers = true;
  auto value(auto x) const { return isnan(x); }
};
template <Value X>
auto isnan(X x) {
  return lift<IsNan>([](auto v) { return lanes::isnan(v); }, x);
}

struct IsInf {
  static constexpr std::string_view name = "isinf";
  static constexpr bool integers = true;
  auto value(auto x) const { return isinf(x); }
};
template <Value X>
auto isinf(X x) {
  return lift<IsInf>([](auto v) { return lanes::isinf(v); }, x);
}

struct IsFinite {
  static constexpr std::string_view name = "isfinite";
  static constexpr bool integers = true;
  auto value(auto x) const { return isfinite(x); }
};
template <Value X>
auto isfinite(X x) {
  return lift<IsFinite>([](auto v) { return lanes::isfinite(v); }, x);
}

struct NanToNum {
  static constexpr std::string_view name = "nan_to_num";
  NanToNumOptions to;
  auto value(auto x) const {
    const double most = largest(x);
    return where(isnan(x), to.nan,
                 where(x > most, to.posinf.value_or(most), where(x < -most, to.neginf.value_or(-most), x)));
  }
  auto vjp(auto g, auto x) const { return where(isfinite(x), g, 0); }

 private:
  template <class X>
  static double largest([[maybe_unused]] const X& x) {
    if constexpr (std::same_as<X, Tensor>)
      return x.dtype() == f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    else if constexpr (!detail::is_probe<X>)
      return std::numeric_limits<typename X::rule_value>::max();
    else
      return 0;
  }
};
template <Value X>
auto nan_to_num(X x, const NanToNumOptions& options = {}) {
  return call(NanToNum{options}, x);
}

// Booleans reach a rule as 0 or 1, and in a larger expression as the outcome of a comparison.
struct LogicalAnd {
  static constexpr std::string_view name = "logical_and";
  static constexpr unsigned conditions = 0b11;
  auto value(auto a, auto b) const { return logical_and(a != 0, b != 0); }
};

struct LogicalOr {
  static constexpr std::string_view name = "logical_or";
  static constexpr unsigned conditions = 0b11;
  auto value(auto a, auto b) const { return logical_or(a != 0, b != 0); }
};

struct LogicalXor {
  static constexpr std::string_view name = "logical_xor";
  static constexpr unsigned conditions = 0b11;
  auto value(auto a, auto b) const { return logical_xor(a != 0, b != 0); }
};

struct LogicalNot {
  static constexpr std::string_view name = "logical_not";
  static constexpr unsigned conditions = 0b1;
  auto value(auto x) const { return logical_not(x != 0); }
};

template <class A, class B>
  requires Pair<A, B>
auto logical_and(A a, B b) {
  return lift<LogicalAnd>([](auto x, auto y) { return x & y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto logical_or(A a, B b) {
  return lift<LogicalOr>([](auto x, auto y) { return x | y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto logical_xor(A a, B b) {
  // xsimd 8.1 takes ^ of masks for | on AVX-512.
  return lift<LogicalXor>([](auto x, auto y) { return (x | y) & lanes::inverse(x & y); }, a, b);
}
template <Value X>
auto logical_not(X x) {
  return lift<LogicalNot>([](auto v) { return lanes::inverse(v); }, x);
}

}  // namespace gradtape::inline v0::rule
