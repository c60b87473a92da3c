#pragma once

#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/rules/arithmetic.hpp>

#include <string_view>

namespace gradtape::inline v0::rule {

struct Equal {
  static constexpr std::string_view name = "==";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a == b; }
};

struct NotEqual {
  static constexpr std::string_view name = "!=";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a != b; }
};

struct Less {
  static constexpr std::string_view name = "<";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a < b; }
};

struct LessEqual {
  static constexpr std::string_view name = "<=";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a <= b; }
};

struct Greater {
  static constexpr std::string_view name = ">";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a > b; }
};

struct GreaterEqual {
  static constexpr std::string_view name = ">=";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a >= b; }
};

struct Where {
  static constexpr std::string_view name = "where";
  static constexpr bool integers = true;
  static constexpr unsigned conditions = 0b001;
  auto value(auto c, auto a, auto b) const { return where(c != 0, a, b); }
  auto vjp(auto g, auto c, auto /*a*/, auto /*b*/) const {
    return grads(NoGradient{}, where(c != 0, g, 0), where(c != 0, 0, g));
  }
};

struct Maximum {
  static constexpr std::string_view name = "maximum";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return maximum(a, b); }
  // Written so that where either is NaN both pass it on.
  auto vjp(auto g, auto a, auto b) const {
    return grads(where(a < b, 0, where(a == b, g / 2, g)), where(b < a, 0, where(a == b, g / 2, g)));
  }
};

struct Minimum {
  static constexpr std::string_view name = "minimum";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return minimum(a, b); }
  auto vjp(auto g, auto a, auto b) const {
    return grads(where(a > b, 0, where(a == b, g / 2, g)), where(b > a, 0, where(a == b, g / 2, g)));
  }
};

template <class A, class B>
  requires Pair<A, B>
auto operator<(A a, B b) {
  return lift<Less>([](auto x, auto y) { return x < y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator<=(A a, B b) {
  return lift<LessEqual>([](auto x, auto y) { return x <= y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator>(A a, B b) {
  return lift<Greater>([](auto x, auto y) { return x > y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator>=(A a, B b) {
  return lift<GreaterEqual>([](auto x, auto y) { return x >= y; }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto operator==(A a, B b) {
  return lift<Equal>([](auto x, auto y) { return x == y; }, a, b);
}
// xsimd 8.1's own != is false for NaN on AVX.
template <class A, class B>
  requires Pair<A, B>
auto operator!=(A a, B b) {
  return lift<NotEqual>([](auto x, auto y) { return lanes::inverse(x == y); }, a, b);
}

/// `condition ? a : b`, lane by lane; what is not chosen has no effect on the result, NaN included.
template <Argument C, Argument A, Argument B>
  requires(Value<C> || Value<A> || Value<B>)
auto where(C condition, A a, B b) {
  if constexpr (constexpr int level = detail::highest_level<A, B>; level > 0) {
    const auto value = where(condition, detail::primal<level>(a), detail::primal<level>(b));
    const auto slope_a = detail::tangent<level>(a);
    const auto slope_b = detail::tangent<level>(b);
    const auto slope = [&] {
      if constexpr (Number<decltype(slope_a)> && Number<decltype(slope_b)>)
        return 0;  // a derivative that is a number is 0
      else
        return where(condition, slope_a, slope_b);
    }();
    return Dual<std::remove_const_t<decltype(value)>, std::remove_const_t<decltype(slope)>, level>{value, slope};
  } else {
    return lift<Where>([](auto c, auto x, auto y) { return lanes::select(c, x, y); }, condition, a, b);
  }
}

// NaN wins on either side, as in IEEE 754-2019 maximum and minimum.
template <class A, class B>
  requires Pair<A, B>
auto maximum(A a, B b) {
  return lift<Maximum>([](auto x, auto y) { return lanes::select(x == x, lanes::select(x > y, x, y), x); }, a, b);
}
template <class A, class B>
  requires Pair<A, B>
auto minimum(A a, B b) {
  return lift<Minimum>([](auto x, auto y) { return lanes::select(x == x, lanes::select(x < y, x, y), x); }, a, b);
}

struct Clamp {
  static constexpr std::string_view name = "clamp";
  static constexpr bool integers = true;
  double min, max;
  void attributes(AttributeVisitor& v) const { v("min", min), v("max", max); }
  auto value(auto x) const { return minimum(maximum(x, min), max); }
  auto vjp(auto g, auto x) const {
    return where(x < min, 0, where(x > max, 0, g));
  }  // so that NaN passes its gradient on
};
template <Value X>
auto clamp(X x, const ClampOptions& options) {
  return call(Clamp{options.min, options.max}, x);
}

}  // namespace gradtape::inline v0::rule
