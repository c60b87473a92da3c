#pragma once

#include <gradtape/ops/kernels/lane_exp.hpp>

#include <cmath>
#include <limits>

/// Powers.
namespace gradtape::inline v0::detail::lanes {

/// a + b without an error, for |a| >= |b| or a = 0.
template <class B>
Pair<B> ordered_sum(const B& a, const B& b) {
  const B s = a + b;
  return {s, b - (s - a)};
}

/// ln a as a sum of two, to 63 bits and more, for finite a > 0: 2 artanh s with s = (m - 1) / (m + 1).
template <class B>
[[gnu::visibility("hidden")]] Pair<B> exact_log(const B& a) {
  const auto tiny = a < B(std::numeric_limits<typename B::value_type>::min());
  const Scaled<B> u(xsimd::select(tiny, a * number<B>(0x1p54), a));
  const B n = xsimd::select(tiny, u.n - B(54), u.n), f = u.m - B(1), sum = u.m + B(1), lost = u.m - (sum - B(1));
  const B inverse = B(1) / sum, s = f * inverse, s_low = (exact_rest(s, sum, f) - s * lost) * inverse;

  Pair<B> square = exact_product(s, s);
  square.low = lanes::fma(s + s, s_low, square.low);
  Pair<B> cube = exact_product(square.high, s);
  cube.low = cube.low + lanes::fma(square.high, s_low, square.low * s);
  const B series = polynomial(square.high, 0.11724799769187573, 0.11706072734265523, 0.13334811181834288,
                              0.15384594834842072, 0.18181818336684955, 0.22222222221649629, 0.2857142857142938, 0.4);
  Pair<B> factor = ordered_sum(number<B>(0.66666666666666663), series * square.high);  // 2/3 + 2s²/5 + …
  factor.low = factor.low + number<B>(3.7007434154171883e-17);
  const Pair<B> tail = exact_product(cube.high, factor.high);
  const B tail_low = tail.low + lanes::fma(cube.high, factor.low, cube.low * factor.high);

  const Pair<B> first = ordered_sum(n * number<B>(ln2_high<B>), s + s), second = ordered_sum(first.high, tail.high);
  const B low = lanes::fma(n, number<B>(ln2_low<B>), s_low + s_low) + tail_low;
  return ordered_sum(second.high, (first.low + second.low) + low);
}

/// a^b in f64 for finite a > 0 and |b| <= 1e20.
template <class B>
B positive_power(const B& a, const B& b) {
  const Pair<B> log = exact_log(a), product = exact_product(log.high, b);
  const Halvings<B> h = exp_halvings(product.high);
  const B rest = clamp(-0.01, 0.01, lanes::fma(log.low, b, product.low));  // large where the result is 0 or inf
  return times_exp(B(1), h, h.high - lanes::fma(h.n, number<B>(ln2_low<B>), lanes::neg(rest)));
}

/// a^b in registers of double, to the 30 bits that f32 wants, for a and b of f32 as above.
template <class B>
B rough_power(const B& a, const B& b) {
  const Scaled<B> u(a);
  const B s = (u.m - B(1)) / (u.m + B(1)), z = s * s;
  const B series = polynomial(z, 0.23582456230934662, 0.28537294115217315, 0.400003354051084, 0.6666666564442536);
  const B log = lanes::fma(u.n, number<B>(0.69314718055994531), lanes::fma(s * z, series, s + s));
  const Halvings<B> h(clamp(-200, 200, log * b), exponent_bias<B>);
  const B q = polynomial(h.r, 1.991398057852037e-4, 1.3946335535822611e-3, 8.3332728005187026e-3, 4.166626556899912e-2,
                         0.16666666821807086, 0.50000000795910815);
  const B scale = power_of_two<B>(h.shifted);
  return lanes::fma(lanes::fma(q, h.r * h.r, h.r), scale, scale);
}

/// x^y with the special cases of C99 Annex F, within 1.2 ulp. The C library's where there is no fma, and it is the faster
/// one.
template <class B>
B pow(const B& x, const B& y) {
  if constexpr (!has_fma<typename B::arch_type>) return by_element([](auto a, auto b) { return std::pow(a, b); }, x, y);

  const B a = xsimd::abs(x), largest = B(std::numeric_limits<typename B::value_type>::max());
  // Beyond 1e20 every power but that of 1 is 0 or infinite.
  const B limited = clamp(-1e20, 1e20, y);
  B power;
  if constexpr (is_double<B>)
    power = positive_power(a, limited);
  else
    power = in_double([](const auto& u, const auto& v) { return rough_power(u, v); }, a, limited);

  const B inverse = xsimd::select(a == B(0), infinity<B>(), xsimd::select(a > largest, B(0), a));
  const B of_special = xsimd::select(y > B(0), a, xsimd::select(y < B(0), inverse, y));  // of 0, inf and NaN
  const B size = xsimd::select(a > B(0) && a <= largest, power, of_special);

  const B half = y * number<B>(0.5);
  const auto whole = xsimd::floor(y) == y, odd = whole && xsimd::floor(half) < half;
  const B result = xsimd::select(odd, with_sign(size, x), size);
  const B real = xsimd::select(x < B(0) && a <= largest && lanes::inverse(whole), quiet_nan<B>(), result);
  return xsimd::select(y == B(0) || x == B(1), B(1), real);
}

}  // namespace gradtape::inline v0::detail::lanes
