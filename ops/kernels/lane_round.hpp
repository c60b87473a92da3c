#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

/// Rounding, division with a rest, signs and kinds of numbers.
namespace gradtape::inline v0::detail::lanes {

template <class B>
inline constexpr bool is_integer = std::is_integral_v<typename B::value_type>;

/// `f` of registers of float or double; integers stay as they are.
template <class B, class F>
B to_whole(const B& x, [[maybe_unused]] F f) {
  if constexpr (is_integer<B>)
    return x;
  else
    return f(x);
}

template <class B>
B floor(const B& x) {
  return to_whole(x, [](auto v) { return xsimd::floor(v); });
}
template <class B>
B ceil(const B& x) {
  return to_whole(x, [](auto v) { return xsimd::ceil(v); });
}
template <class B>
B trunc(const B& x) {
  return to_whole(x, [](auto v) { return xsimd::trunc(v); });
}
/// The nearest whole number, the even one of two.
template <class B>
B round(const B& x) {
  return to_whole(x, [](auto v) { return xsimd::nearbyint(v); });
}

/// |x| with the sign of y.
template <class B>
B copysign(const B& x, const B& y) {
  return with_sign(xsimd::abs(x), y);
}

/// 1, -1, or 0 for either zero; NaN for NaN, as in numpy (PyTorch gives 0).
template <class B>
B sign(const B& x) {
  return xsimd::select(x > B(0), B(1), xsimd::select(x < B(0), B(-1), x + B(0)));
}

template <class B>
auto isnan(const B& x) {
  return inverse(x == x);
}
template <class B>
auto isinf(const B& x) {
  if constexpr (is_integer<B>)
    return inverse(x == x);
  else
    return xsimd::abs(x) == infinity<B>();
}
template <class B>
auto isfinite(const B& x) {
  if constexpr (is_integer<B>)
    return x == x;
  else
    return xsimd::abs(x) < infinity<B>();
}

/// x - y · trunc(x / y), exactly, with the sign of x.
template <class B>
B fmod(const B& x, const B& y) {
  const auto element = [](auto a, auto b) { return std::fmod(a, b); };
  if constexpr (!has_fma<typename B::arch_type>) {
    return by_element(element, x, y);
  } else {
    const B ratio = x / y, whole = xsimd::trunc(ratio), rest = lanes::fnma(whole, y, x);
    // Where rounding has carried the ratio to the next whole number, the rest has the wrong sign.
    const B lacking = xsimd::select(rest * with_sign(B(1), x) < B(0), lanes::copysign(y, x), B(0));
    const auto near = lanes::isfinite(y) && xsimd::abs(ratio) < number<B>(0x1p23, 0x1p52);
    const B z = with_sign(xsimd::abs(rest + lacking), x);
    if (xsimd::all(near)) return z;
    return xsimd::select(near, z, by_element(element, x, y));
  }
}

/// x - y · floor(x / y) with the sign of y, as Python's %: exactly but for one rounding. What stands behind the last
/// element must not stop the program, so of integers the rest by 0 is 0.
template <class B>
B remainder(const B& x, const B& y) {
  using T = typename B::value_type;
  if constexpr (std::is_integral_v<T>) {
    const auto element = [](T a, T b) -> T {
      if (b == 0 || b == -1) return 0;
      const T m = a % b;
      return m != 0 && (m < 0) != (b < 0) ? m + b : m;
    };
    return by_element(element, x, y);
  } else {
    const B m = lanes::fmod(x, y);
    return xsimd::select(m == B(0), lanes::copysign(m, y), xsimd::select(m * with_sign(B(1), y) < B(0), m + y, m));
  }
}

/// floor(x / y), where it fits the number that belongs to remainder, as Python's //. Of integers x / 0 is 0, and the
/// quotient of the smallest one by -1 wraps around.
template <class B>
B floor_divide(const B& x, const B& y) {
  using T = typename B::value_type;
  if constexpr (std::is_integral_v<T>) {
    const auto element = [](T a, T b) -> T {
      if (b == 0) return 0;
      if (b == -1 && a == std::numeric_limits<T>::min()) return a;
      return a / b - (a % b != 0 && (a < 0) != (b < 0));
    };
    return by_element(element, x, y);
  } else {
    const B m = lanes::fmod(x, y), whole = xsimd::nearbyint((x - m) / y);
    const B quotient = whole - xsimd::select(m * with_sign(B(1), y) < B(0), B(1), B(0));
    return xsimd::select(y == B(0), x / y, xsimd::select(quotient == B(0), with_sign(B(0), x / y), quotient));
  }
}

}  // namespace gradtape::inline v0::detail::lanes
