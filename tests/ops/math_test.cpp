#include <array>

#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::check, cases::check_points, cases::Exact, cases::inf, cases::L, cases::vector;

namespace {

const cases::Rows math([]() -> std::vector<cases::Row> {
  using gt::Tensor, cases::also, cases::calls, cases::floating, cases::numeric, cases::on, cases::pairwise,
      cases::unary;
  const auto any = between(-2, 2), positive = between(0.5, 2), kink = cases::away_from(0);
  std::vector<cases::Call> lerps = cases::binary(
      [](const Tensor& a, const Tensor& b) { return gt::lerp(a, b, 0.3) + gt::lerp(1.5, b, a); }, any, any);
  for (const gt::Shape& shape : {gt::Shape{}, {1}, {4}, {3, 1}, {3, 4}, {0, 3, 4}})
    lerps = calls({lerps, on({{shape, any}, {{3, 4}, any}, {{4}, any}}, gt::lerp)});
  return {
      floating("exp", gt::exp, any, 3),
      floating("expm1", gt::expm1, any),
      floating("log", gt::log, positive),
      floating("log1p", gt::log1p, between(-0.5, 2)),
      floating("sqrt", gt::sqrt, positive),
      floating("rsqrt", gt::rsqrt, positive),
      numeric("square", gt::square, any, 3),
      floating("reciprocal", gt::reciprocal, kink),
      numeric("abs", gt::abs, kink),
      numeric("sign", gt::sign, kink),
      also(pairwise("pow", "pow", gt::pow, positive, any),
           calls({unary([](const Tensor& x) { return gt::pow(x, 3) + gt::pow(x, 2.0); }, any),  // bases of either sign
                  unary([](const Tensor& x) { return gt::pow(x, -2); }, kink),
                  unary([](const Tensor& x) { return gt::pow(1.5, x); }, any)}),
           {{"pow: no meaning for i64; convert with .to(gradtape::f32)", [] { gt::pow(cases::integers({2}), 2); }},
            {"pow: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
             [] { gt::pow(cases::integers({2}), 0.5); }}}),
      pairwise("hypot", "hypot", gt::hypot, kink, kink),
      pairwise("logaddexp", "logaddexp", gt::logaddexp, any, any),
      {"lerp",
       lerps,
       {{"lerp: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1",
         [] { gt::lerp(gt::zeros({2}), 1, gt::zeros({3})); }},
        {"lerp: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
         [] { gt::lerp(gt::zeros({2}), gt::zeros({2}, {.dtype = gt::f64}), 0.5); }}}},
  };
});

const std::vector<double> points{0.0,  -0.0, 1,     -1,    inf,   -inf,   cases::nan, 90,    -90,    750,    -750,
                                 1e30, 3e38, 1e-30, 1e-38, 1e-40, 1e-310, 5e-324,     2e-45, -1e-40, -1e-310};

}  // namespace

TEST_CASE("math: rows") { math.check(); }

TEST_CASE("math: the formulas on paper") {
  const auto x = between(0.5, 2)({3, 4}), g = between(-2, 2)({3, 4});
  CHECK(gt::vjp(gt::exp, x, g) == gt::approx(g * gt::exp(x)));
  CHECK(gt::vjp(gt::expm1, x, g) == gt::approx(g * gt::exp(x)));
  CHECK(gt::vjp(gt::log, x, g) == gt::approx(g / x));
  CHECK(gt::vjp(gt::log1p, x, g) == gt::approx(g / (1 + x)));
  CHECK(gt::vjp(gt::sqrt, x, g) == gt::approx(g / (2 * gt::sqrt(x))));
  CHECK(gt::vjp(gt::rsqrt, x, g) == gt::approx(-g / (2 * x * gt::sqrt(x))));
  CHECK(gt::vjp(gt::square, x, g) == gt::approx(2 * g * x));
  CHECK(gt::vjp(gt::reciprocal, x, g) == gt::approx(-g / (x * x)));
  CHECK(gt::vjp(gt::abs, x, g) == gt::approx(g));
  CHECK(gt::vjp(gt::abs, -x, g) == gt::approx(-g));
  CHECK(gt::vjp(gt::sign, x, g) == gt::approx(gt::zeros_like(g)));
  const auto b = between(-2, 2)({3, 4});
  const auto gradients_are = [&](const auto& op, const gt::Tensor& da, const gt::Tensor& db) {
    const auto [ga, gb] = gt::vjp(op, {x, b}, g);
    CHECK(ga == gt::approx(da));
    CHECK(gb == gt::approx(db));
  };
  gradients_are(gt::pow, g * b * gt::exp((b - 1) * gt::log(x)),
                g * gt::exp(b * gt::log(x)) * gt::log(x));  // b·aᵇ⁻¹, aᵇ·ln a
  gradients_are(gt::hypot, g * x / gt::sqrt(x * x + b * b), g * b / gt::sqrt(x * x + b * b));
  gradients_are(gt::logaddexp, g * gt::exp(x) / (gt::exp(x) + gt::exp(b)), g * gt::exp(b) / (gt::exp(x) + gt::exp(b)));
  const auto t = between(-1, 2)({3, 4});
  const auto [ds, de, dt] = gt::vjp(gt::lerp, {x, b, t}, g);
  CHECK(gt::lerp(x, b, t) == gt::approx((1 - t) * x + t * b));
  CHECK(ds == gt::approx(g * (1 - t)));
  CHECK(de == gt::approx(g * t));
  CHECK(dt == gt::approx(g * (b - x)));
}

TEST_CASE("math: values and gradients within a few ulps of the exact ones") {
  const auto e = [](L x) { return std::exp(x); };
  check({"exp", gt::exp, e, e}, {{-1, 1}, {-87, 88.7, 3}});
  check({"expm1", gt::expm1, [](L x) { return std::expm1(x); }, e}, {{-1, 1}, {-80, 88.7}, {-1e-3, 1e-3}});
  check({"log", gt::log, [](L x) { return std::log(x); }, [](L x) { return 1 / x; }}, {{0, 3}, {0, 1e30}});
  check({"log1p", gt::log1p, [](L x) { return std::log1p(x); }, [](L x) { return 1 / (1 + x); }},
        {{-1, 1}, {-1e-3, 1e-3}, {0, 1e30}});
  check({"sqrt", gt::sqrt, [](L x) { return std::sqrt(x); }, [](L x) { return 1 / (2 * std::sqrt(x)); }}, {{0, 10, 1}});
  check({"rsqrt", gt::rsqrt, [](L x) { return 1 / std::sqrt(x); }, [](L x) { return -1 / (2 * x * std::sqrt(x)); }},
        {{0, 10, 2, 8}});
  check({"square", gt::square, [](L x) { return x * x; }, [](L x) { return 2 * x; }}, {{-10, 10, 1}});
  check({"reciprocal", gt::reciprocal, [](L x) { return 1 / x; }, [](L x) { return -1 / (x * x); }}, {{-10, 10, 1}});
  for (const double p : {0.5, 2.0, 3.0, -1.0, -2.5, 7.0, 0.0, 1.0}) {
    CAPTURE(p);
    const Exact power{"pow", [p](const gt::Tensor& x) { return gt::pow(x, p); },
                      [p](L x) { return std::pow(x, static_cast<L>(p)); },
                      [p](L x) { return p == 0 ? 0 : p * std::pow(x, static_cast<L>(p) - 1); }};
    check(power, {{0.01, 10, 1}});
    if (p == std::trunc(p)) check(power, {{-10, -0.01, 1}});
  }
  check({"pow of a number", [](const gt::Tensor& x) { return gt::pow(2.5, x); },
         [](L x) { return std::pow(L{2.5}, x); }, [](L x) { return std::pow(L{2.5}, x) * std::log(L{2.5}); }},
        {{-20, 20, 1}});
  check({"hypot", [](const gt::Tensor& x) { return gt::hypot(x, 3); }, [](L x) { return std::hypot(x, L{3}); },
         [](L x) { return x / std::hypot(x, L{3}); }},
        {{-10, 10}, {-1e30, 1e30}});
  check({"logaddexp", [](const gt::Tensor& x) { return gt::logaddexp(x, 3); },
         [](L x) { return std::fmax(x, L{3}) + std::log1p(std::exp(-std::abs(x - 3))); },
         [](L x) { return 1 / (1 + std::exp(3 - x)); }},
        {{-20, 20, 2, 20}});  // a rounding of x - 3 is up to 10 ulps in its exponential
}

TEST_CASE("math: extreme inputs") {
  check_points({"log", gt::log, [](L x) { return std::log(x); }, [](L x) { return 1 / x; }}, points);
  check_points({"sqrt", gt::sqrt, [](L x) { return std::sqrt(x); }, [](L x) { return 1 / (2 * std::sqrt(x)); }},
               points);
  check_points({"rsqrt", gt::rsqrt, [](L x) { return 1 / std::sqrt(x); },
                [](L x) { return -1 / std::sqrt(x) / std::sqrt(x) / std::sqrt(x) / 2; }},
               {0.0, 1, -1, inf, -inf, cases::nan, 90, 1e30, 1e-20}, 2, 8);
  check_points({"square", gt::square, [](L x) { return x * x; }, [](L x) { return 2 * x; }}, points);
  check_points({"reciprocal", gt::reciprocal, [](L x) { return 1 / x; }, [](L x) { return -1 / (x * x); }}, points);
  check_points({"abs", gt::abs, [](L x) { return std::abs(x); }, [](L x) { return x > 0   ? L{1}
                                                                                  : x < 0 ? L{-1}
                                                                                          : x; }},
               points, 0, 0);
  check_points({"sign", gt::sign, [](L x) { return x > 0   ? L{1}
                                                   : x < 0 ? L{-1}
                                                           : x; }, [](L) { return L{0}; }}, points,
               0, 0);
  const auto e = [](L x) { return std::exp(x); };
  check_points({"exp", gt::exp, e, e},
               {0.0, -0.0, 1e-40, 1e-310, 5e-324, inf, -inf, cases::nan, 80, -80, 88.3, -87.3, 750, -750});
  check_points({"expm1", gt::expm1, [](L x) { return std::expm1(x); }, e},
               {0.0, -0.0, 1e-40, 1e-310, inf, -inf, cases::nan, 80, -80, 88.3, -87.3, 750, -750, -40});
  check_points({"log1p", gt::log1p, [](L x) { return std::log1p(x); }, [](L x) { return 1 / (1 + x); }}, points);
}

TEST_CASE("math: exp overflows to inf and underflows to nothing larger than the smallest normal number") {
  const auto f = cases::doubles(gt::exp(vector({90, 88.73, 88.7, -87.3, -88, -90, -103, -104}, gt::f32)));
  CHECK(f[0] == inf);
  CHECK(f[1] == inf);
  CHECK(f[2] == doctest::Approx(std::exp(88.7)).epsilon(1e-5));
  CHECK(f[3] == doctest::Approx(std::exp(-87.3)).epsilon(1e-5));
  for (std::size_t i = 4; i < f.size(); ++i) {
    CHECK(f[i] >= 0);
    CHECK(f[i] <= static_cast<double>(std::numeric_limits<float>::min()));
  }
  const auto d = gt::exp(vector({90, 709.7, 710, -90, -708, -709, -745, -750})).to_vector<double>();
  CHECK(d[0] == doctest::Approx(1.2204032943178408e39).epsilon(1e-14));
  CHECK(d[1] == doctest::Approx(std::exp(709.7)).epsilon(1e-14));
  CHECK(d[2] == inf);
  CHECK(d[3] == doctest::Approx(8.194012623990515e-40).epsilon(1e-14));
  CHECK(d[4] == doctest::Approx(std::exp(-708)).epsilon(1e-14));
  for (std::size_t i = 5; i < d.size(); ++i) {
    CHECK(d[i] >= 0);
    CHECK(d[i] <= std::numeric_limits<double>::min());
  }
}

TEST_CASE("math: signs of zero") {
  const auto zeros = vector({0.0, -0.0});
  for (const auto op : {gt::expm1, gt::log1p, gt::sqrt, gt::sign, gt::neg}) {
    const auto y = op(zeros).to_vector<double>();
    CHECK(std::signbit(y[0]) == (op == gt::neg));
    CHECK(std::signbit(y[1]) == (op != gt::neg));
  }
  CHECK_FALSE(std::signbit(gt::abs(zeros).to_vector<double>()[1]));
}

TEST_CASE("math: hypot and logaddexp at their ends") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const double large = dtype == gt::f32 ? 1e38 : 1e300, small = dtype == gt::f32 ? 1e-38 : 1e-300, nan = cases::nan;
    CHECK(gt::hypot(vector({1.5 * large, 3 * small, 0, 0, inf, -inf, nan, 1}, dtype),
                    vector({2 * large, -4 * small, 0, -2, nan, 1, 1, nan}, dtype)) ==
          gt::approx(vector({2.5 * large, 5 * small, 0, 2, inf, inf, nan, nan}, dtype)).atol(0));
    const auto [da, db] =
        gt::vjp(gt::hypot, {vector({1.5 * large, 3 * small, 0}, dtype), vector({2 * large, -4 * small, 0}, dtype)},
                gt::ones({3}, {.dtype = dtype}));
    CHECK(da == gt::approx(vector({0.6, 0.6, nan}, dtype)));
    CHECK(db == gt::approx(vector({0.8, -0.8, nan}, dtype)));
    const auto a = vector({750, -750, inf, -inf, inf, -inf, inf, nan, 1e30, 5}, dtype),
               b = vector({750, -750, 1, 1, inf, -inf, -inf, 1, -1e30, nan}, dtype);
    CHECK(gt::logaddexp(a, b) ==
          gt::approx(vector({750 + std::log(2), -750 + std::log(2), inf, 1, inf, -inf, inf, nan, 1e30, nan}, dtype)));
    const auto [la, lb] = gt::vjp(gt::logaddexp, {a, b}, gt::ones_like(a));
    CHECK(la == gt::approx(vector({0.5, 0.5, 1, 0, 0.5, 0.5, 1, nan, 1, nan}, dtype)));
    CHECK(lb == gt::approx(vector({0.5, 0.5, 0, 1, 0.5, 0.5, 0, nan, 0, nan}, dtype)));
    CHECK(gt::equal(gt::lerp(vector({0.1, 3}, dtype), vector({0.7, 1e30}, dtype), vector({0, 1}, dtype)),
                    vector({0.1, 1e30}, dtype)));
  }
  CHECK(gt::gradcheck(gt::logaddexp, {vector({1.5}), vector({1.5})}));  // a tie is no kink
}

TEST_CASE("math: pow against plain loops over every broadcast in f32 and f64") {
  cases::check_against_loops(
      gt::pow, [](double a, double b) { return std::pow(a, b); },
      [](double a, double b) { return b * std::pow(a, b - 1); },
      [](double a, double b) { return std::pow(a, b) * std::log(a); }, between(0.5, 2), between(-2, 2));
}

TEST_CASE("math: pow at every pair of special values is that of the C library") {
  const std::array values{0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5, inf, -inf, cases::nan};
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const double a : values)
      for (const double b : values) {
        CAPTURE(a);
        CAPTURE(b);
        const double y = gt::pow(vector({a}, dtype), vector({b}, dtype)).item(), expected = std::pow(a, b);
        if (std::isnan(expected)) {
          CHECK(std::isnan(y));
          continue;
        }
        CHECK((dtype == gt::f32 ? cases::ulps<float>(y, expected) : cases::ulps<double>(y, expected)) <= 1);
        CHECK(std::signbit(y) == std::signbit(expected));
      }
}

TEST_CASE("math: gradients of pow where the formula meets zero times infinity") {
  struct Point {
    double a, b, da, db;
  };
  for (const Point p : {Point{0, 0, 0, 0},
                        {0, 1, 1, 0},
                        {0, 2, 0, 0},
                        {0, 3, 0, 0},
                        {0, 0.5, inf, 0},
                        {0, -1, -inf, -inf},
                        {-2, 3, 12, cases::nan},
                        {-2, 2, -4, cases::nan},
                        {-1, 0, 0, cases::nan},
                        {2, 0, 0, std::log(2)},
                        {-3, -1, -1.0 / 9, cases::nan}}) {
    CAPTURE(p.a);
    CAPTURE(p.b);
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      const auto [da, db] =
          gt::vjp(gt::pow, {vector({p.a}, dtype), vector({p.b}, dtype)}, gt::ones({1}, {.dtype = dtype}));
      CHECK(da == gt::approx(vector({p.da}, dtype)));
      CHECK(db == gt::approx(vector({p.db}, dtype)));
    }
  }
  // Recorded, to the third order, at 0: 3x², 6x, 6.
  const auto x = gt::parameter(vector({0, 0, 0}));
  auto d = gt::pow(x, 3);
  for (const double expected : {0.0, 0.0, 6.0}) {
    d = gt::grad(gt::sum(d), {x}, {.create_graph = true})[0];
    CHECK(gt::equal(d, vector({expected, expected, expected})));
  }
}

TEST_CASE("math: abs sign and square of integers") {
  const auto n = gt::tensor({3, -4, 0}, {.dtype = gt::i64});
  CHECK(gt::equal(gt::square(n), gt::tensor({9, 16, 0}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::abs(n), gt::tensor({3, 4, 0}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::sign(n), gt::tensor({1, -1, 0}, {.dtype = gt::i64})));
}
