#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <limits>

/// Inverse trigonometric functions. The polynomials are near-minimax fits made for this file.
namespace gradtape::inline v0::detail::lanes {

template <class B>
inline constexpr double half_pi_high = is_double<B> ? 1.5707963267948966 : 1.57079637050628662;
template <class B>
inline constexpr double half_pi_low = is_double<B> ? 6.123233995736766e-17 : -4.37113883e-8;

/// arcsin of s = |x| up to 1/2; beyond, of s = √((1 - |x|) / 2), which is half of arccos |x|: the angle is s + s ·
/// series.
template <class B>
struct HalfAngle {
  B s, series;
  typename B::batch_bool_type large;
  explicit HalfAngle(const B& x) {
    const B a = xsimd::abs(x), half = number<B>(0.5);
    large = a > half;
    const B z = xsimd::select(large, lanes::fnma(half, a, half), a * a);
    s = xsimd::select(large, xsimd::sqrt(z), a);
    if constexpr (is_double<B>)
      series = z * polynomial(z, 0.03265130695944958, -0.021034339760218179, 0.021731664130916199,
                              0.0036967511965196624, 0.010782730459779784, 0.01139848440909544, 0.013980871084150609,
                              0.017351607944377474, 0.022372215206081146, 0.030381942700310537, 0.044642857174762275,
                              0.074999999999706468, 0.1666666666666676);
    else
      series = z * polynomial(z, 0.0375280200, 0.0144307762, 0.0318096816, 0.0445167318, 0.0750050531, 0.166666600);
  }
};

/// arcsin x, within 2.1 ulp.
template <class B>
B asin(const B& x) {
  const HalfAngle<B> h(x);
  const B y = lanes::fma(h.s, h.series, h.s);
  const B rest = (number<B>(half_pi_high<B>) - (y + y)) + number<B>(half_pi_low<B>);
  return with_sign(xsimd::select(h.large, rest, y), x);
}

/// arccos x, within 1.2 ulp.
template <class B>
B acos(const B& x) {
  const HalfAngle<B> h(x);
  const B y = lanes::fma(h.s, h.series, h.s), high = number<B>(half_pi_high<B>), low = number<B>(half_pi_low<B>);
  const B middle = high - (x - lanes::fnma(x, h.series, low)), twice = y + y;
  return xsimd::select(h.large, xsimd::select(x < B(0), (high + high) - (twice - (low + low)), twice), middle);
}

/// |k · π/4 ± arctan(b / a)| for 0 <= b <= a, k = `eighths` and + where `turned` is 0, - where it is the sign bit.
template <class B>
B arctan_from(const B& b, const B& a, const B& eighths, const B& turned) {
  const auto large = b > number<B>(0.5) * a;  // from there on the angle is π/4 and a rest
  const B q = xsimd::select(large, b - a, b) / xsimd::select(large, b + a, a), z = q * q;
  B series;
  if constexpr (is_double<B>)
    series = polynomial(z, -0.0083470605485189107, 0.023624445668108274, -0.037096544012849182, 0.045885109112263421,
                        -0.052297581041306725, 0.058777605516813582, -0.066662177087920396, 0.076922769742919631,
                        -0.090909076640071723, 0.11111111068365073, -0.14285714284956921, 0.19999999999993226,
                        -0.33333333333333315);
  else
    series = polynomial(z, 0.0387090996, -0.0798307358, 0.109407249, -0.142720481, 0.199994883, -0.333333269);
  const B angle = lanes::fma(q * z, series, q) ^ turned;
  const B k = eighths + xsimd::select(large, B(1) ^ turned, B(0));
  // The first part of π/4 is short: k times it is exact.
  const B high = number<B>(0x1.921fbp-1, 0x1.921fb54442dp-1), low = number<B>(1.56958239e-07, 2.6951514290790595e-15);
  return lanes::fma(k, high, lanes::fma(k, low, angle));
}

/// arctan x, within 2 ulp.
template <class B>
B atan(const B& x) {
  const B a = xsimd::abs(x), one = B(1);
  const auto steep = a > one;
  const B y = arctan_from(xsimd::select(steep, one, a), xsimd::select(steep, a, one), xsimd::select(steep, B(2), B(0)),
                          xsimd::select(steep, number<B>(-0.0), B(0)));
  return with_sign(y, x);
}

/// The angle of (x, y) with the special cases of C99 Annex F, within 2.1 ulp.
template <class B>
B atan2(const B& y, const B& x) {
  const B w = xsimd::abs(x), h = xsimd::abs(y);
  const auto steep = h > w;
  const B longer = xsimd::select(steep, h, w), shorter = xsimd::select(steep, w, h);
  const auto infinite = longer == infinity<B>();
  // Their sum may overflow; and inf / inf and 0 / 0 stand for 1 and 0.
  const B down = number<B>(0.25),
          scale = xsimd::select(longer > B(std::numeric_limits<typename B::value_type>::max() / 4), down, B(1));
  const B a = xsimd::select(infinite || longer == B(0), B(1), longer * scale);
  const B b = xsimd::select(infinite, xsimd::select(shorter == infinity<B>(), B(1), shorter * B(0)), shorter * scale);
  const auto backward = with_sign(B(1), x) < B(0);
  const B eighths = xsimd::select(steep, B(2), xsimd::select(backward, B(4), B(0)));
  const B turned = xsimd::select(steep, number<B>(-0.0), B(0)) ^ xsimd::bitofsign(x);
  return with_sign(arctan_from(b, a, eighths, turned), y);
}

}  // namespace gradtape::inline v0::detail::lanes
