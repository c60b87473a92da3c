#pragma once

#include <gradtape/ops/kernels/lane_exp.hpp>

/// Hyperbolic functions and their inverses.
namespace gradtape::inline v0::detail::lanes {

/// tanh x = (u + v) / (1 + u · v) with |x| = n · ln(2) / 2 + r, u = (2ⁿ - 1) / (2ⁿ + 1), v = tanh r, within 1.9 ulp.
template <class B>
B tanh(const B& x) {
  const B a = xsimd::min(number<B>(10, 20), xsimd::abs(x)), whole = number<B>(whole_in_low_bits<B> + exponent_bias<B>);
  // Rounded so that r lies in [-0.09, 0.26]: as long as n is 0, v is all there is, which is nearly exact.
  const B sum = lanes::fma(a, number<B>(2 * 1.4426950408889634), number<B>(-0.25)) + whole, n = sum - whole;
  const B r = lanes::fma(n, number<B>(-ln2_low<B> / 2), lanes::fma(n, number<B>(-ln2_high<B> / 2), a)), z = r * r;
  B p;  // (v - r) / r³
  if constexpr (is_double<B>)
    p = polynomial(z, -1.3072652920235186e-3, 3.5763213694785306e-3, -8.8623544242766418e-3, 2.1869461424303189e-2,
                   -5.3968253521057552e-2, 0.13333333332983102, -0.33333333333332404);
  else
    p = polynomial(z, -5.12248985e-2, 0.133226871, -0.333332151);
  const B v = lanes::fma(r * z, p, r), power = power_of_two<B>(bits(sum));
  const B above = lanes::fma(power + B(1), v, power - B(1));
  return with_sign(above / (above + lanes::fma(B(-2), v, B(2))), x);
}

/// sinh x = 2q + q / (2q + 1/2) with q = (eˣ - 1) / 4, within 2.3 ulp.
template <class B>
B sinh(const B& x) {
  const B a = xsimd::abs(x), q = scaled_expm1<2>(xsimd::min(number<B>(89.5, 710.6), a)), half = q + q;
  return xsimd::select(a < number<B>(1e-20), x, with_sign(half + q / (half + number<B>(0.5)), x));
}

/// cosh x = 2q + 1/2 + 1 / (8q + 2) with the same q, within 1.8 ulp.
template <class B>
B cosh(const B& x) {
  const B half = scaled_expm1<2>(xsimd::min(number<B>(89.5, 710.6), xsimd::abs(x))) * B(2);
  return half + (number<B>(0.5) + number<B>(0.25) / (half + number<B>(0.5)));
}

/// ln(1 + w), or ln(2a) where a is so large that 1 + w is as good as that.
template <class B>
B log1p_or_twice(const B& w, const B& a) {
  const auto large = a > number<B>(0x1p28);
  const Pair<B> u = exact_sum(B(1), w);
  return log_of_sum(Pair<B>{xsimd::select(large, a, u.high), xsimd::select(large, B(0), u.low)},
                    xsimd::select(large, B(1), B(0)));
}

/// asinh x = ln(1 + |x| + x² / (1 + √(1 + x²))), with the sign of x, within 2 ulp.
template <class B>
B asinh(const B& x) {
  const B a = xsimd::abs(x), square = a * a;
  return with_sign(log1p_or_twice(a + square / (B(1) + xsimd::sqrt(B(1) + square)), a), x);
}

/// acosh x = ln(1 + t + √(2t + t²)) with t = x - 1, within 2.2 ulp.
template <class B>
B acosh(const B& x) {
  const B t = x - B(1), w = t + xsimd::sqrt(lanes::fma(t, t, t + t));
  return log1p_or_twice(xsimd::select(x < B(1), quiet_nan<B>(), w), x);
}

/// atanh x = ln(1 + 2x / (1 - x)) / 2, within 1.9 ulp.
template <class B>
B atanh(const B& x) {
  const B a = xsimd::abs(x), twice = a + a, w = twice + twice * a / (B(1) - a);
  const B y = number<B>(0.5) * log_of_sum(exact_sum(B(1), w), B(0));
  return with_sign(xsimd::select(a > B(1), quiet_nan<B>(), y), x);
}

}  // namespace gradtape::inline v0::detail::lanes
