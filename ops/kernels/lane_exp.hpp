#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <limits>

/// exp, log and their kin.
namespace gradtape::inline v0::detail::lanes {

template <class B>
inline constexpr double ln2_high = is_double<B> ? 6.93147180369123816490e-01 : 0.693359375;
template <class B>
inline constexpr double ln2_low = is_double<B> ? 1.90821492927058770002e-10 : -2.12194440e-4;

/// x = n · ln 2 + r with whole n and |r| <= ln(2) / 2; `high`, the part of r without ln2_low, is exact. The low bits of
/// `shifted` are the integer n + shift.
template <class B>
struct Halvings {
  B n, high, r;
  Bits<B> shifted;
  Halvings(const B& x, int shift) {
    const B whole = number<B>(whole_in_low_bits<B> + shift), sum = lanes::fma(x, number<B>(1.4426950408889634), whole);
    shifted = bits(sum);
    n = sum - whole;
    high = lanes::fma(n, number<B>(-ln2_high<B>), x);
    r = lanes::fma(n, number<B>(-ln2_low<B>), high);
  }
};

/// 2ⁿ from n + exponent_bias. Any exponent of a normal number will do, and the one below, which gives 0.
template <class B>
B power_of_two(const Bits<B>& biased) {
  return from_bits<B>(biased << mantissa_bits<B>);
}

/// (eʳ - 1 - r) / r² for |r| <= ln(2) / 2.
template <class B>
B exp_remainder(const B& r) {
  if constexpr (is_double<B>)
    return polynomial(r, 2.0920350864171122e-9, 2.5105421021060482e-8, 2.7557257004030859e-7, 2.7557254801653902e-6,
                      2.4801587342414283e-5, 1.9841269875426528e-4, 1.3888888888876985e-3, 8.3333333333258930e-3,
                      4.1666666666666678e-2, 0.16666666666666671, 0.5);
  else
    return polynomial(r, 1.99723232e-4, 1.39305042e-3, 8.33317731e-3, 4.16665114e-2, 0.166666672, 0.5);
}

/// eʳ - 1 for |r| <= ln(2) / 2.
template <class B>
B small_expm1(const B& r) {
  return lanes::fma(exp_remainder(r), r * r, r);
}

/// x between `low` and `high`, or NaN: min and max return their second argument where one is NaN.
template <class B>
B clamp(double low, double high, const B& x) {
  return xsimd::max(number<B>(low), xsimd::min(number<B>(high), x));
}

/// Whether the processor multiplies by powers of two of any size.
template <class B>
inline constexpr bool has_scalef = std::is_base_of_v<xsimd::avx512f, typename B::arch_type>;

/// x = n · ln 2 + r where eˣ is neither 0 nor inf; as times_exp takes it.
template <class B>
Halvings<B> exp_halvings(const B& x) {
  if constexpr (has_scalef<B>)
    return {xsimd::min(number<B>(89, 710), x), 0};
  else
    return {clamp(is_double<B> ? -1418.2 : -176, is_double<B> ? 710 : 89, x), 2 * exponent_bias<B>};
}

/// factor · 2ⁿ · eʳ with n of `h`, which exp_halvings made; subnormal results included.
template <class B>
B times_exp(const B& factor, const Halvings<B>& h, const B& r) {
#ifdef __AVX512F__
  if constexpr (has_scalef<B>) {
    // 0 from the lower end on, without a look at y: that is faster than underflow.
    const B y = lanes::fma(small_expm1(r), factor, factor);
    if constexpr (is_double<B>)
      return _mm512_maskz_scalef_pd(_mm512_cmp_pd_mask(h.n, number<B>(-2046), _CMP_NLE_UQ), y, h.n);
    else
      return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(h.n, number<B>(-254), _CMP_NLE_UQ), y, h.n);
  }
#endif
  // 2ⁿ as two factors, as n may lie outside of the exponents. Both are 0 from the lower end on: that is faster than
  // underflow.
  const Bits<B> first = h.shifted >> 1;
  const B scale = factor * power_of_two<B>(first);
  return lanes::fma(small_expm1(r), scale, scale) * power_of_two<B>(h.shifted - first);
}

/// eˣ, within 1 ulp.
template <class B>
B exp(const B& x) {
  const Halvings<B> h = exp_halvings(x);
  return times_exp(B(1), h, h.r);
}

/// (eˣ - 1) / 2ᵏ with k = Down, but for the sign of a zero.
template <int Down, class B>
B scaled_expm1(const B& x) {
  const Halvings<B> h(x, exponent_bias<B> - Down);
  const B scale = power_of_two<B>(h.shifted), linear = lanes::fma(scale, h.high, scale - number<B>(1. / (1 << Down)));
  return lanes::fma(scale, lanes::fma(exp_remainder(h.r), h.r * h.r, h.n * number<B>(-ln2_low<B>)), linear);
}

/// eˣ - 1, within 1.4 ulp.
template <class B>
B expm1(const B& x) {
  // A quarter of it does not overflow where e^x would.
  const B y = scaled_expm1<2>(clamp(is_double<B> ? -40 : -20, is_double<B> ? 710 : 89, x)) * B(4);
  return xsimd::select(xsimd::abs(x) < number<B>(1e-20), x, y);
}

/// u = 2ⁿ · m with m in [√½, √2), for normal u > 0.
template <class B>
struct Scaled {
  B n, m;
  explicit Scaled(const B& u) {
    using Word = typename Bits<B>::value_type;
    constexpr int shift = mantissa_bits<B>;
    constexpr Word root = is_double<B> ? Word(0x3fe6a09e00000000) : Word(0x3f3504f3), mantissa = (Word(1) << shift) - 1;
    constexpr double whole = is_double<B> ? 0x1p52 : 0x1p23;
    const Bits<B> at = bits(u) + Bits<B>((Word(exponent_bias<B>) << shift) - root);
    n = from_bits<B>((at >> shift) | bits(number<B>(whole))) - number<B>(whole + exponent_bias<B>);
    m = from_bits<B>((at & Bits<B>(mantissa)) + Bits<B>(root));
  }
};

/// n · ln 2 + ln(1 + f) for 1 + f in [√½, √2]; in f64 the series of fdlibm's e_log.c.
template <class B>
B log_sum(const B& n, const B& f) {
  const B square = f * f, half = number<B>(0.5) * square;
  B cubic;  // ln(1 + f) - f + f²/2, or with that half put in another way
  if constexpr (is_double<B>) {
    const B s = f / (B(2) + f), z = s * s;
    cubic = s * lanes::fma(z,
                           polynomial(z, 1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                                      2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                                      6.666666666666735130e-01),
                           half);
  } else {
    cubic = f * square *
            polynomial(f, -8.33043307e-2, 0.128120250, -0.129401520, 0.141881347, -0.166435987, 0.200019777,
                       -0.250002801, 0.333333254);
  }
  const B low = lanes::fma(n, number<B>(ln2_low<B>), cubic);
  return lanes::fma(n, number<B>(ln2_high<B>), f - (half - low));
}

/// `y`, the logarithm of u, where u is positive and finite, and what belongs there elsewhere.
template <class B>
B log_domain(const B& u, const B& y) {
  const B finite = xsimd::select(u < infinity<B>(), y, u);
  return xsimd::select(u <= B(0), xsimd::select(u == B(0), -infinity<B>(), quiet_nan<B>()), finite);
}

/// ln x, within 1.2 ulp.
template <class B>
B log(const B& x) {
  const auto tiny = x < B(std::numeric_limits<typename B::value_type>::min());
  const Scaled<B> s(xsimd::select(tiny, x * number<B>(0x1p54), x));
  return log_domain(x, log_sum(xsimd::select(tiny, s.n - B(54), s.n), s.m - B(1)));
}

/// ln(u.high + u.low) + twos · ln 2 for a sum that is not subnormal.
template <class B>
B log_of_sum(const Pair<B>& u, const B& twos) {
  const Scaled<B> s(u.high);
  const B down = number<B>(whole_in_low_bits<B> + exponent_bias<B>) - xsimd::min(s.n, B(exponent_bias<B>));
  return log_domain(u.high, log_sum(s.n + twos, (s.m - B(1)) + u.low * power_of_two<B>(bits(down))));
}

/// ln(1 + x), within 1.5 ulp.
template <class B>
B log1p(const B& x) {
  return with_sign(log_of_sum(exact_sum(B(1), x), B(0)), x);
}

}  // namespace gradtape::inline v0::detail::lanes
