#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>

/// Trigonometric functions.
namespace gradtape::inline v0::detail::lanes {

/// So far the lanes go; beyond, n · π/2 would not be exact enough, and the C library computes.
template <class B>
inline constexpr double largest_angle = is_double<B> ? 0x1p30 : 0x1p14;

/// x = n · π/2 + r with whole n and |r| <= π/4 and a little, for |x| <= largest_angle; then the sine and cosine of r by
/// the polynomials of fdlibm's k_sin.c and k_cos.c, with shorter ones in f32.
template <class B>
struct QuarterTurn {
  B sine, cosine;
  Bits<B> n;  // in the lowest bits

  explicit QuarterTurn(const B& x) {
    const B whole = number<B>(whole_in_low_bits<B>), sum = lanes::fma(x, number<B>(0.63661977236758134), whole);
    n = bits(sum);
    // π/2 in three parts, each as long as a number is, the second not negative, for the sign of zero. What the second
    // takes away is rounded only in the end.
    const B turns = sum - whole, about = exact_rest(turns, number<B>(1.57079625, 1.5707963267948966), x);
    const Pair<B> second = exact_product(turns, number<B>(7.54979013e-08, 6.123233995736766e-17));
    const Pair<B> r = exact_sum(about, lanes::neg(second.high));
    const B low = r.low - lanes::fma(turns, number<B>(-1.71512451e-15, -1.4973849048591698e-33), second.low);

    const B z = r.high * r.high, half = number<B>(0.5), first = number<B>(-0.166666545, -1.66666666666666324348e-01);
    B s, c;
    if constexpr (is_double<B>) {
      s = polynomial(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
                     -1.98412698298579493134e-04, 8.33333333332248946124e-03);
      c = polynomial(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
                     2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02);
    } else {
      s = polynomial(z, -1.95143219e-4, 8.33215354e-3);
      c = polynomial(z, 2.44326592e-5, -1.38873118e-3, 4.16666456e-2);
    }
    const B cube = z * r.high, square = half * z, near = B(1) - square;
    sine = r.high - ((z * (half * low - cube * s) - low) - cube * first);
    cosine = near + (((B(1) - near) - square) + (z * z * c - r.high * low));
  }

  /// The sign bit where bit `k` of n + `more` is set.
  B sign(int k, unsigned more = 0) const {
    return from_bits<B>((n + Bits<B>(more)) << (static_cast<int>(8 * sizeof(typename B::value_type)) - 1 - k)) &
           number<B>(-0.0);
  }
  auto odd() const { return with_sign(B(1), sign(0)) < B(0); }
};

/// `near` where |x| <= largest_angle, the C library's `far` for the other elements.
template <class B, class Near, class Far>
B by_size(const B& x, Near near, Far far) {
  const auto small = xsimd::abs(x) <= number<B>(largest_angle<B>);
  const B y = near(QuarterTurn<B>(xsimd::select(small, x, B(0))));
  if (xsimd::all(small)) return y;
  const auto choose = [far](auto v, auto done) { return std::abs(v) <= largest_angle<B> ? done : far(v); };
  return by_element(choose, x, y);
}

/// sin x, within 1 ulp.
template <class B>
B sin(const B& x) {
  const auto near = [](const QuarterTurn<B>& t) { return xsimd::select(t.odd(), t.cosine, t.sine) ^ t.sign(1); };
  return by_size(x, near, [](auto v) { return std::sin(v); });
}

/// cos x, within 1 ulp.
template <class B>
B cos(const B& x) {
  const auto near = [](const QuarterTurn<B>& t) { return xsimd::select(t.odd(), t.sine, t.cosine) ^ t.sign(1, 1); };
  return by_size(x, near, [](auto v) { return std::cos(v); });
}

/// tan x, within 2.5 ulp.
template <class B>
B tan(const B& x) {
  const auto near = [](const QuarterTurn<B>& t) {
    const auto odd = t.odd();
    return (xsimd::select(odd, t.cosine, t.sine) / xsimd::select(odd, t.sine, t.cosine)) ^ t.sign(0);
  };
  return by_size(x, near, [](auto v) { return std::tan(v); });
}

}  // namespace gradtape::inline v0::detail::lanes
