#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

/// The logarithm of the gamma function and its derivatives, element by element in long double, whose further digits
/// take up the rounding of the sums.
namespace gradtape::inline v0::detail::lanes {

/// Named by the register, so that no two instruction sets share code.
template <class B>
struct Gamma {
  using Real = long double;
  static constexpr Real infinity = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();
  static constexpr Real far = -30;  // from here on to the right, step by step to where the series hold

  static double lgamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);  // std::lgamma writes to a global variable
  }

  /// -inf and inf at +0 and -0, NaN at the other poles, as SciPy and PyTorch have it.
  static Real digamma(Real x) {
    if (x == 0) return -std::copysign(infinity, x);
    if (x < 0 && x == std::floor(x)) return nan;
    if (x < far)
      return digamma(1 - x) -
             std::numbers::pi_v<Real> / std::tan(std::numbers::pi_v<Real> * (x - std::floor(x)));  // reflection
    Real sum = 0;
    for (; x < 12; ++x) sum -= 1 / x;
    const Real z = 1 / (x * x);
    // log x - 1/2x - Σ B₂ₖ / (2k x²ᵏ)   (Abramowitz and Stegun 6.3.18)
    const Real tail =
        z * (1.0L / 12 -
             z * (1.0L / 120 - z * (1.0L / 252 - z * (1.0L / 240 - z * (1.0L / 132 - z * (691.0L / 32760 - z / 12))))));
    return sum + std::log(x) - Real(0.5) / x - tail;
  }

  /// Hurwitz' zeta function Σ (q + k)⁻ˢ for whole s >= 2 by the formula of Euler and Maclaurin; inf at q = 0, -1, ….
  static Real zeta(int s, Real q) {
    if (std::isnan(q)) return q;
    if (q <= 0 && q == std::floor(q)) return infinity;
    if (q < far) {
      // The sum over all whole numbers depends on the fraction alone; less those below q.
      const Real f = q - std::floor(q), sign = s % 2 == 0 ? 1 : -1;
      return zeta(s, f) + sign * (zeta(s, 1 - f) - zeta(s, 1 - q));
    }
    if (q == infinity) return 0;
    Real sum = 0;
    for (const Real start = 12 + Real(s) / 2; q < start; ++q) sum += std::pow(q, -s);
    constexpr Real bernoulli[] = {1.0L / 6,  -1.0L / 30,     1.0L / 42, -1.0L / 30,
                                  5.0L / 66, -691.0L / 2730, 7.0L / 6,  -3617.0L / 510};
    const Real power = std::pow(q, -s), z = 1 / (q * q);
    sum += power * q / (s - 1) + power / 2;
    Real factor = s * power / q / 2;  // s (s+1) … (s+2k-2) / (2k)! · q^(-s-2k+1)
    for (int k = 1; k <= 8; ++k) {
      sum += bernoulli[k - 1] * factor;
      factor *= z * (s + 2 * k - 1) * (s + 2 * k) / ((2 * k + 1) * (2 * k + 2));
    }
    return sum;
  }

  /// The n-th derivative of digamma.
  static Real polygamma(int n, Real x) {
    if (n == 0) return digamma(x);
    return (n % 2 == 0 ? -1 : 1) * std::tgamma(Real(n) + 1) * zeta(n + 1, x);
  }
};

template <class B>
B lgamma(const B& x) {
  return by_element([](auto v) { return static_cast<decltype(v)>(Gamma<B>::lgamma(static_cast<double>(v))); }, x);
}

template <class B>
B digamma(const B& x) {
  return by_element([](auto v) { return static_cast<decltype(v)>(Gamma<B>::digamma(v)); }, x);
}

template <class B>
B polygamma(int n, const B& x) {
  return by_element([n](auto v) { return static_cast<decltype(v)>(Gamma<B>::polygamma(n, v)); }, x);
}

}  // namespace gradtape::inline v0::detail::lanes
