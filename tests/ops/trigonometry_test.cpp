#include <numbers>

#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::check, cases::check_points, cases::inf, cases::L, cases::vector;

namespace {

const cases::Rows trigonometry([]() -> std::vector<cases::Row> {
  using cases::floating;
  const auto any = between(-2, 2), turns = between(-6, 6), inside = between(-0.8, 0.8), kink = cases::away_from(0);
  return {
      floating("sin", gt::sin, turns, 3),
      floating("cos", gt::cos, turns, 3),
      floating("tan", gt::tan, between(-1.2, 1.2)),
      floating("asin", gt::asin, inside),
      floating("acos", gt::acos, inside),
      floating("atan", gt::atan, any),
      cases::also(cases::pairwise("atan2", "atan2", gt::atan2, kink, kink),
                  cases::unary([](const gt::Tensor& x) { return gt::atan2(x, 2) + gt::atan2(-3, x); }, kink)),
      floating("sinh", gt::sinh, any),
      floating("cosh", gt::cosh, any),
      floating("tanh", gt::tanh, between(-3, 3), 3),
      floating("asinh", gt::asinh, any),
      floating("acosh", gt::acosh, between(1.5, 3)),
      floating("atanh", gt::atanh, inside),
  };
});

}  // namespace

TEST_CASE("trigonometry: rows") { trigonometry.check(); }

TEST_CASE("trigonometry: the formulas on paper") {
  const gt::RandomStream random(91);
  const auto x = between(-0.9, 0.9)({3, 4}), g = between(-2, 2)({3, 4}), p = between(1.1, 3)({3, 4});
  const auto e = gt::exp(x), inverse = gt::exp(-x), s = (e - inverse) / 2, c = (e + inverse) / 2;
  CHECK(gt::vjp(gt::sin, x, g) == gt::approx(g * gt::cos(x)));
  CHECK(gt::vjp(gt::cos, x, g) == gt::approx(-g * gt::sin(x)));
  CHECK(gt::vjp(gt::tan, x, g) == gt::approx(g / gt::square(gt::cos(x))));
  CHECK(gt::vjp(gt::asin, x, g) == gt::approx(g / gt::sqrt(1 - x * x)));
  CHECK(gt::vjp(gt::acos, x, g) == gt::approx(-g / gt::sqrt(1 - x * x)));
  CHECK(gt::vjp(gt::atan, x, g) == gt::approx(g / (1 + x * x)));
  CHECK(gt::vjp(gt::sinh, x, g) == gt::approx(g * c));
  CHECK(gt::vjp(gt::cosh, x, g) == gt::approx(g * s));
  CHECK(gt::tanh(x) == gt::approx(s / c));
  CHECK(gt::vjp(gt::tanh, x, g) == gt::approx(g / (c * c)));
  CHECK(gt::vjp(gt::asinh, x, g) == gt::approx(g / gt::sqrt(x * x + 1)));
  CHECK(gt::vjp(gt::acosh, p, g) == gt::approx(g / gt::sqrt(p * p - 1)));
  CHECK(gt::vjp(gt::atanh, x, g) == gt::approx(g / (1 - x * x)));
  const auto [dy, dx] = gt::vjp(gt::atan2, {x, p}, g);
  CHECK(dy == gt::approx(g * p / (x * x + p * p)));
  CHECK(dx == gt::approx(-g * x / (x * x + p * p)));
}

TEST_CASE("trigonometry: values and gradients within a few ulps of the exact ones") {
  const auto s = [](L x) { return std::sin(x); };
  const auto c = [](L x) { return std::cos(x); };
  for (const double size : {0.7, 3.0, 60.0, 200.0, 1e4, 8e5, 1e7, 1e30}) {
    check({"sin", gt::sin, s, c}, {{-size, size}});
    check({"cos", gt::cos, c, [&](L x) { return -s(x); }}, {{-size, size}});
    check({"tan", gt::tan, [](L x) { return std::tan(x); }, [&](L x) { return 1 / (c(x) * c(x)); }},
          {{-size, size, 3, 8}});
  }
  const auto root = [](L x) { return std::sqrt((1 - x) * (1 + x)); };
  check({"asin", gt::asin, [](L x) { return std::asin(x); }, [&](L x) { return 1 / root(x); }},
        {{-1, 1}, {0.999, 1}, {-1e-3, 1e-3}});
  check({"acos", gt::acos, [](L x) { return std::acos(x); }, [&](L x) { return -1 / root(x); }},
        {{-1, 1}, {0.999, 1}, {-1, -0.999}});
  check({"atan", gt::atan, [](L x) { return std::atan(x); }, [](L x) { return 1 / (1 + x * x); }},
        {{-1, 1}, {-100, 100}, {-1e18, 1e18}});
  const auto sh = [](L x) { return std::sinh(x); };
  const auto ch = [](L x) { return std::cosh(x); };
  check({"sinh", gt::sinh, sh, ch}, {{-1, 1}, {-89, 89}, {-1e-3, 1e-3}});
  check({"cosh", gt::cosh, ch, sh}, {{-1, 1}, {-89, 89}, {-1e-3, 1e-3}});
  check({"asinh", gt::asinh, [](L x) { return std::asinh(x); }, [](L x) { return 1 / std::hypot(x, L{1}); }},
        {{-1, 1}, {-100, 100}, {-1e30, 1e30}});
  check({"acosh", gt::acosh, [](L x) { return std::acosh(x); }, [](L x) { return 1 / std::sqrt((x - 1) * (x + 1)); }},
        {{1, 1.01}, {1, 100}, {1, 1e30}});
  check({"atanh", gt::atanh, [](L x) { return std::atanh(x); }, [](L x) { return 1 / ((1 - x) * (1 + x)); }},
        {{-1, 1}, {0.999, 1}, {-1e-3, 1e-3}});
  check({"atan2", [](const gt::Tensor& x) { return gt::atan2(x, -3); }, [](L x) { return std::atan2(x, L{-3}); },
         [](L x) { return -3 / (x * x + 9); }},
        {{-10, 10, 2, 6}, {-1e17, 1e17, 2, 6}});
}

TEST_CASE("trigonometry: tanh near saturation") {
  // 1 - y² loses digits there; what remains is an error of an ulp of 1.
  const auto check_slopes = []<class T>(T) {
    const gt::Tensor x = gt::uniform({5000}, {.low = -15, .high = 15, .dtype = gt::dtype_of<T>});
    const auto in = cases::doubles(x), slopes = cases::doubles(gt::vjp(gt::tanh, x, gt::ones_like(x)));
    double worst = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
      worst = std::max(worst, std::abs(slopes[i] - 1 / std::pow(std::cosh(in[i]), 2)));
    CHECK(worst <= 4 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  };
  check_slopes(float{});
  check_slopes(double{});
  check({"tanh", gt::tanh, [](L x) { return std::tanh(x); }, [](L x) { return 1 / std::pow(std::cosh(x), L{2}); }},
        {{-0.5, 0.5}, {-1e-3, 1e-3}});
}

TEST_CASE("trigonometry: extreme inputs") {
  const std::vector<double> points{0.0,  -0.0, 1,     -1,    inf,   -inf,   cases::nan, 90,    -90,    750,    -750,
                                   1e30, 3e38, 1e-30, 1e-38, 1e-40, 1e-310, 5e-324,     2e-45, -1e-40, -1e-310};
  check_points({"sin", gt::sin, [](L x) { return std::sin(x); }, [](L x) { return std::cos(x); }}, points);
  check_points({"cos", gt::cos, [](L x) { return std::cos(x); }, [](L x) { return -std::sin(x); }}, points);
  check_points({"tan", gt::tan, [](L x) { return std::tan(x); }, [](L x) { return 1 / (std::cos(x) * std::cos(x)); }},
               points, 3, 8);
  check_points(
      {"asin", gt::asin, [](L x) { return std::asin(x); }, [](L x) { return 1 / std::sqrt((1 - x) * (1 + x)); }},
      points);
  check_points(
      {"acos", gt::acos, [](L x) { return std::acos(x); }, [](L x) { return -1 / std::sqrt((1 - x) * (1 + x)); }},
      points);
  check_points({"atan", gt::atan, [](L x) { return std::atan(x); }, [](L x) { return 1 / (1 + x * x); }},
               {0.0, -0.0, 1, -1, inf, -inf, cases::nan, 750, 1e18});
  check_points({"sinh", gt::sinh, [](L x) { return std::sinh(x); }, [](L x) { return std::cosh(x); }}, points);
  check_points({"cosh", gt::cosh, [](L x) { return std::cosh(x); }, [](L x) { return std::sinh(x); }}, points);
  check_points({"asinh", gt::asinh, [](L x) { return std::asinh(x); }, [](L x) { return 1 / std::hypot(x, L{1}); }},
               points);
  check_points({"acosh", gt::acosh, [](L x) { return std::acosh(x); },
                [](L x) { return 1 / (std::sqrt(x - 1) * std::sqrt(x + 1)); }},
               points);
  check_points({"atanh", gt::atanh, [](L x) { return std::atanh(x); }, [](L x) { return 1 / ((1 - x) * (1 + x)); }},
               {0.0, -0.0, 1, -1, cases::nan, 0.5, 1e-30});
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({inf, -inf, 90, -90, 750, -750, 0.0, -0.0, 1e-40, -1e-310, cases::nan}, dtype);
    const auto y = cases::doubles(gt::tanh(x)), slopes = cases::doubles(gt::vjp(gt::tanh, x, gt::ones_like(x)));
    const std::vector<double> expected{1, -1, 1, -1, 1, -1, 0, 0, 1e-40, -1e-310};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::abs(y[i] - expected[i]) <= (dtype == gt::f32 ? std::numeric_limits<float>::min() : 0));
      CHECK(slopes[i] == (std::abs(expected[i]) == 1 ? 0 : 1));
    }
    CHECK(std::isnan(y.back()));
    CHECK(std::isnan(slopes.back()));
  }
}

TEST_CASE("trigonometry: signs of zero") {
  const auto zeros = vector({0.0, -0.0});
  for (const auto op : {gt::sin, gt::tan, gt::asin, gt::atan, gt::sinh, gt::tanh, gt::asinh, gt::atanh}) {
    const auto y = op(zeros).to_vector<double>();
    CHECK_FALSE(std::signbit(y[0]));
    CHECK(std::signbit(y[1]));
  }
}

TEST_CASE("trigonometry: atan2 at every pair of special values is that of the C library") {
  const std::vector<double> values{0.0, -0.0, 1.0, -1.0, 2.0, -0.5, 1e-300, -1e300, 1e300, inf, -inf, cases::nan};
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const double a : values)
      for (const double b : values) {
        const double y = vector({a}, dtype).item(), x = vector({b}, dtype).item();
        CAPTURE(y);
        CAPTURE(x);
        const double actual = gt::atan2(vector({y}, dtype), vector({x}, dtype)).item(), expected = std::atan2(y, x);
        CHECK((dtype == gt::f32 ? cases::distance<float>(actual, expected)
                                : cases::distance<double>(actual, expected)) <= 2);
        if (!std::isnan(expected)) CHECK(std::signbit(actual) == std::signbit(expected));
      }
  // The squares of the coordinates neither overflow nor vanish in the gradient.
  const auto [dy, dx] =
      gt::vjp(gt::atan2, {vector({3e200, 3e-200, 0}), vector({4e200, 4e-200, 0})}, gt::ones({3}, {.dtype = gt::f64}));
  CHECK(dy == gt::approx(vector({0.16e-200, 0.16e200, cases::nan})).atol(0));
  CHECK(dx == gt::approx(vector({-0.12e-200, -0.12e200, cases::nan})).atol(0));
}

TEST_CASE("trigonometry: sine and cosine near multiples of a quarter turn") {
  // The doubles next to k·π/2, where the result is what rounding of the argument left over, and sums that round across
  // a quadrant.
  std::vector<double> x;
  for (int k = -2000; k <= 2000; ++k) {
    const double near = k * 1.5707963267948966;
    for (const double v :
         {near, std::nextafter(near, inf), std::nextafter(near, -inf), near / 2, std::nextafter(near / 2, inf)})
      x.push_back(v);
  }
  x.insert(x.end(), {823549.6645, 823549.7, 710.0, 5.319372648326541e+255});
  const auto s = gt::sin(vector(x)).to_vector<double>(), c = gt::cos(vector(x)).to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max({worst, cases::ulps<double>(s[i], std::sin(x[i])), cases::ulps<double>(c[i], std::cos(x[i]))});
  CHECK(worst <= 2);
  const auto sf = cases::doubles(gt::sin(vector(x, gt::f32))), cf = cases::doubles(gt::cos(vector(x, gt::f32)));
  worst = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const auto exact = static_cast<double>(static_cast<float>(x[i]));
    worst = std::max({worst, cases::ulps<float>(sf[i], std::sin(exact)), cases::ulps<float>(cf[i], std::cos(exact))});
  }
  CHECK(worst <= 2);
}
