#pragma once

#include <gradtape/ops/kernels/lane_exp.hpp>

/// Hyperbolic functions and their inverses.
namespace gradtape::inline v0::detail::lanes {

/// tanh x = t / (t + 2) with t = e²ˣ - 1, within 1.5 ulp.
template <class B>
B tanh(const B& x) {
  const B a = xsimd::abs(x), z = a * a;
  const Halvings<B> h(xsimd::min(B(is_double<B> ? 40 : 20), a + a), exponent_bias<B>);
  const B scale = power_of_two<B>(h.shifted), t = lanes::fma(scale, small_expm1(h.r), scale - B(1));
  B p;  // (tanh a - a) / a³ for a < 0.3, where three roundings would weigh too much
  if constexpr (is_double<B>)
    p = polynomial(z, 5.0251364020256956e-4, -1.4416759736604595e-3, 3.59087687742109e-3, -8.8631709905959734e-3,
                   2.186948659015139e-2, -5.396825393573737e-2, 0.13333333333307029, -0.33333333333333259);
  else
    p = polynomial(z, 2.05322597e-2, -5.39126061e-2, 0.133333102, -0.333333343);
  return with_sign(xsimd::select(a < number<B>(0.3), lanes::fma(a * z, p, a), t / (t + B(2))), x);
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
