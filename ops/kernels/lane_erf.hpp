#pragma once

#include <gradtape/ops/kernels/lane_exp.hpp>

/// The error function and its complement. The polynomials are near-minimax fits made for this file.
namespace gradtape::inline v0::detail::lanes {

/// erf x = 1 - e^(-x - x·q(x)) for x >= 0, q a polynomial; within 2 ulp.
template <class B>
B erf(const B& x) {
  const B a = xsimd::min(B(is_double<B> ? 6 : 4), xsimd::abs(x));
  B q;
  if constexpr (is_double<B>)
    q = polynomial(a, -1.2492785262164478e-16, 6.7231898376641319e-15, -1.7016191541645123e-13, 2.6926517678031204e-12,
                   -2.9858639957660041e-11, 2.4626924924450693e-10, -1.5626620571250549e-09, 7.7618532856610092e-09,
                   -3.0253694790452446e-08, 9.0832400852469718e-08, -1.965689317641332e-07, 2.3416275679529066e-07,
                   1.9735686020694945e-07, -1.5806437911300919e-06, 2.6856042088763722e-06, 3.5178675891085908e-06,
                   -2.9788358848223092e-05, 6.4520778726001907e-05, 2.586876926968103e-05, -0.00059012309705168918,
                   0.0016962059535534865, -0.00020919464427650707, -0.019128447008671331, 0.10277260330192355,
                   0.6366197723675816, 0.12837916709551259);
  else
    q = polynomial(a, -9.38741414e-06, 0.000118856697, -0.000637349964, 0.00167565921, -0.000169494626, -0.0191478245,
                   0.102776304, 0.636619568, 0.128379166);
  return with_sign(xsimd::abs(scaled_expm1<0>(lanes::neg(lanes::fma(a, q, a)))), x);
}

/// erfc x = e^(-x²) · g(p) / (x + k) for x >= 1/2, with a polynomial g of p = (x - k) / (x + k), 2 minus that below
/// -1/2, and 1 - erf x by another polynomial between; within 4 ulp, and 5 without fma.
template <class B>
B erfc(const B& x) {
  const B a = xsimd::min(B(is_double<B> ? 28 : 11), xsimd::abs(x)), square = a * a, k = number<B>(2.3125, 3.609375);
  // 1 / (a + k) as a sum of two, so that p and g / (a + k) are rounded once.
  const Pair<B> sum = exact_sum(a, k);
  const B inverse = B(1) / sum.high,
          rest = inverse * lanes::fnma(inverse, sum.low, exact_rest(inverse, sum.high, B(1)));
  const B p = lanes::fma(rest, B(-2) * k, lanes::fma(inverse, B(-2) * k, B(1)));
  B g, small;
  if constexpr (is_double<B>) {
    g = polynomial(p, 9.3162603347492942e-09, 8.3446473208414521e-09, -8.9226667162380006e-08, -7.0817568062904624e-08,
                   6.3034795065156824e-07, 2.904658946822796e-07, -4.4883326488146735e-06, 1.2763072986885374e-06,
                   3.2117910896594309e-05, -5.2796086621873202e-05, -0.00017656741299383854, 0.00084825301224307384,
                   -0.00061217445898182363, -0.0067169287813151849, 0.035767345562882483, -0.10926758045660576,
                   0.24919522912392555, -0.4600150992385913, 0.71328519183526562);
    small = polynomial(square, 1.4726885237963692e-06, -1.4845951251323291e-05, 0.00012053339268507491,
                       -0.00085482978413581345, 0.0052239773740492615, -0.026866170632953355, 0.11283791670925558,
                       -0.37612638903183476, 0.12837916709551256);
  } else {
    g = polynomial(p, 0.00020933662, 0.0002653397, -0.00148107868, -0.00192319165, 0.0117222343, 0.00320275304,
                   -0.118440765, 0.393041672);
    small = polynomial(square, 0.0047199178, -0.0267581505, 0.11282838, -0.376126093, 0.128379166);
  }
  // k is such that rounding hardly moves the last two coefficients: as an element of T, g loses a bit where it is
  // small.
  g = lanes::fma(lanes::fma(g, p, number<B>(-0.76615669, -0.94739006095784417)), p,
                 number<B>(1.04376626, 1.0892950871189264));
  const Pair<B> exact = exact_product(a, a);
  const Halvings<B> h = exp_halvings(lanes::neg(exact.high));
  const B r = h.high - lanes::fma(h.n, number<B>(ln2_low<B>), exact.low);
  const B y = times_exp(lanes::fma(g, inverse, g * rest), h, r);
  return xsimd::select(a < number<B>(0.5), B(1) - lanes::fma(x, small, x), xsimd::select(x < B(0), B(2) - y, y));
}

}  // namespace gradtape::inline v0::detail::lanes
