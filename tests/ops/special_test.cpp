#include <numbers>

#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::Exact, cases::inf, cases::L, cases::vector;

namespace {

auto polygamma_at(int n) {
  return [n](const gt::Tensor& x) { return gt::polygamma(n, x); };
}

const cases::Rows special([]() -> std::vector<cases::Row> {
  const auto any = between(-2, 2), positive = between(0.5, 5);
  const auto below = [](const gt::Shape& shape) { return between(0.2, 0.8)(shape) - 2; };  // between two poles
  return {
      cases::floating("erf", gt::erf, any, 3),
      cases::floating("erfc", gt::erfc, any, 3),
      cases::also(cases::floating("lgamma", gt::lgamma, positive, 3), cases::unary(gt::lgamma, below)),
      cases::also(cases::floating("digamma", gt::digamma, positive), cases::unary(gt::digamma, below)),
      cases::also(
          cases::floating("polygamma", polygamma_at(2), positive),
          cases::calls({cases::unary(polygamma_at(0), positive), cases::unary(polygamma_at(1), positive)}),
          {{"polygamma: n is -1; a derivative of digamma has n >= 0", [] { gt::polygamma(-1, gt::zeros({2})); }}}),
  };
});

/// ψ⁽ⁿ⁾(x) for x > 0: the recurrence (DLMF 5.15.5) up to x >= 40, there the asymptotic series (5.15.9, 5.11.2).
L exact_polygamma(int n, L x) {
  const L bernoulli[] = {L(1) / 6,  -L(1) / 30,     L(1) / 42, -L(1) / 30,
                         L(5) / 66, -L(691) / 2730, L(7) / 6,  -L(3617) / 510};
  const L sign = n % 2 ? 1 : -1, factorial = std::tgamma(L(n) + 1);
  L sum = 0;
  for (; x < 40; ++x) sum += sign * factorial / std::pow(x, L(n) + 1);
  sum += n == 0 ? std::log(x) : sign * std::tgamma(L(n)) / std::pow(x, L(n));
  sum += sign * factorial / (2 * std::pow(x, L(n) + 1));
  for (int k = 1; k <= 8; ++k)
    sum += sign * bernoulli[k - 1] * std::tgamma(L(2 * k + n)) / std::tgamma(L(2 * k + 1)) / std::pow(x, L(2 * k + n));
  return sum;
}
auto reference(int n) {
  return [n](L x) { return exact_polygamma(n, x); };
}

}  // namespace

TEST_CASE("special: rows") { special.check(); }

TEST_CASE("special: the formulas on paper") {
  const gt::RandomStream random(81);
  const auto x = between(-2, 2)({3, 4}), g = between(-2, 2)({3, 4}), p = between(0.5, 5)({3, 4});
  const auto bell = 2 / std::sqrt(std::numbers::pi) * gt::exp(-x * x);
  CHECK(gt::vjp(gt::erf, x, g) == gt::approx(g * bell));
  CHECK(gt::vjp(gt::erfc, x, g) == gt::approx(-g * bell));
  CHECK(gt::vjp(gt::lgamma, p, g) == gt::approx(g * gt::digamma(p)));
  CHECK(gt::vjp(gt::digamma, p, g) == gt::approx(g * gt::polygamma(1, p)));
  CHECK(gt::vjp(polygamma_at(3), p, g) == gt::approx(g * gt::polygamma(4, p)));
  CHECK(gt::polygamma(0, p) == gt::approx(gt::digamma(p)));
}

TEST_CASE("special: known values") {
  const double gamma = std::numbers::egamma, pi = std::numbers::pi, zeta3 = 1.2020569031595942854;
  const auto x = vector({1, 0.5, 2, -0.5});
  CHECK(gt::digamma(x) == gt::approx(vector({-gamma, -gamma - 2 * std::log(2), 1 - gamma, 0.03648997397857652056})));
  CHECK(gt::polygamma(1, x) == gt::approx(vector({pi * pi / 6, pi * pi / 2, pi * pi / 6 - 1, pi * pi / 2 + 4})));
  CHECK(gt::polygamma(2, vector({1, 0.5})) == gt::approx(vector({-2 * zeta3, -14 * zeta3})));
  CHECK(gt::polygamma(3, vector({1, 0.5})) == gt::approx(vector({std::pow(pi, 4) / 15, std::pow(pi, 4)})));
  CHECK(gt::lgamma(vector({1, 2, 5, 0.5, -0.5})) ==
        gt::approx(vector({0, 0, std::log(24), std::log(pi) / 2, std::log(2 * std::sqrt(pi))})));
}

TEST_CASE("special: values and gradients within a few ulps of the exact ones") {
  const auto bell = [](L x) { return 2 / std::sqrt(std::numbers::pi_v<L>) * std::exp(-x * x); };
  // A rounding of x² is one of x² ulps in its exponential.
  cases::check({"erf", gt::erf, [](L x) { return std::erf(x); }, bell}, {{-1, 1}, {-4, 4, 2, 20}, {-1e-3, 1e-3}});
  cases::check({"erfc", gt::erfc, [](L x) { return std::erfc(x); }, [&](L x) { return -bell(x); }},
               {{-1, 1, 3}, {-4, 4, 3, 20}, {4, 9, 3, 90}});
  cases::check({"lgamma", gt::lgamma, [](L x) { return std::lgamma(x); }, reference(0)}, {{2.5, 20}, {20, 1e5}});
  cases::check({"digamma", gt::digamma, reference(0), reference(1)}, {{0.01, 1}, {2, 30}, {30, 1e5}});
  cases::check({"trigamma", polygamma_at(1), reference(1), reference(2)}, {{0.1, 2, 4, 8}, {2, 50, 4, 8}});
  cases::check({"polygamma", polygamma_at(3), reference(3), reference(4)}, {{0.1, 2, 8, 16}, {2, 50, 8, 16}});
}

TEST_CASE("special: extremes") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({inf, -inf, 0.0, -0.0, 90, -90, 750, cases::nan}, dtype), ones = gt::ones_like(x);
    CHECK(gt::erf(x) == gt::approx(vector({1, -1, 0, 0, 1, -1, 1, cases::nan}, dtype)));
    CHECK(gt::erfc(x) == gt::approx(vector({0, 2, 1, 1, 0, 2, 0, cases::nan}, dtype)));
    const double slope = 2 / std::sqrt(std::numbers::pi);
    CHECK(gt::vjp(gt::erf, x, ones) == gt::approx(vector({0, 0, slope, slope, 0, 0, 0, cases::nan}, dtype)));
    const auto poles = vector({0.0, -0.0, -1, -2, inf, cases::nan}, dtype);
    CHECK(gt::lgamma(poles) == gt::approx(vector({inf, inf, inf, inf, inf, cases::nan}, dtype)));
    CHECK(gt::digamma(poles) == gt::approx(vector({-inf, inf, cases::nan, cases::nan, inf, cases::nan}, dtype)));
  }
}
