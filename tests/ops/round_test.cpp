#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::vector;

namespace {

/// Numbers between the whole ones, and away from the halves.
gt::Tensor between_steps(const gt::Shape& shape) {
  return cases::whole(-3, 3)(shape).to(gt::f64) + between(0.1, 0.4)(shape);
}

gt::Tensor i64(std::initializer_list<gt::Literal> values) {
  return gt::tensor(gt::Literal(values), {.dtype = gt::i64});
}

const cases::Rows rounding([]() -> std::vector<cases::Row> {
  const auto dividend = [](const gt::Shape& shape) {
    return gt::away_from(0, shape, {.distance = 0.5, .spread = 2.5, .dtype = gt::f64});
  };
  const auto divisor = [](const gt::Shape& shape) {
    return gt::away_from(0, shape, {.distance = 3, .spread = 4, .dtype = gt::f64});
  };
  return {
      cases::numeric("floor", gt::floor, between_steps),
      cases::numeric("ceil", gt::ceil, between_steps),
      cases::numeric("round", gt::round, between_steps),
      cases::numeric("trunc", gt::trunc, between_steps),
      cases::also(cases::pairwise("remainder", "remainder", gt::remainder, dividend, divisor),
                  cases::unary([](const gt::Tensor& x) { return gt::remainder(x, 1) * gt::remainder(7, x + 10); },
                               between_steps),
                  {{"remainder: integers have no remainder by 0; convert them with .to(gradtape::f32), where it is NaN",
                    [] {
                      gt::remainder(i64({1, 2}), 0);
                    }},
                   {"remainder: integers have no remainder by 0; convert them with .to(gradtape::f32), where it is NaN",
                    [] {
                      gt::remainder(7, i64({3, 0}));
                    }}}),
  };
});

}  // namespace

TEST_CASE("round: rows") { rounding.check(); }

TEST_CASE("round: values are those of the C library, and every gradient is 0") {
  std::vector<double> points{0.0,
                             -0.0,
                             0.5,
                             -0.5,
                             1.5,
                             -1.5,
                             2.5,
                             -2.5,
                             3.5,
                             0.49999999999999994,
                             0.49999997,
                             1e-40,
                             -1e-40,
                             inf,
                             -inf,
                             cases::nan,
                             8388607.5,
                             8388608,
                             8388609,
                             4503599627370495.5,
                             4503599627370496,
                             9007199254740994,
                             1e30,
                             -1e300};
  for (double x = -4; x <= 4; x += 0.125) points.push_back(x);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector(points, dtype);
    const auto in = cases::doubles(x);
    const auto same = [&](gt::Tensor (*op)(const gt::Tensor&), double (*exact)(double)) {
      std::vector<double> expected;
      for (const double v : in) expected.push_back(exact(v));
      const auto actual = cases::doubles(op(x));
      for (std::size_t i = 0; i < in.size(); ++i) {
        CAPTURE(in[i]);
        if (std::isnan(expected[i])) {
          CHECK(std::isnan(actual[i]));
        } else {
          CHECK(actual[i] == expected[i]);
          CHECK(std::signbit(actual[i]) == std::signbit(expected[i]));
        }
      }
      CHECK(gt::equal(gt::vjp(op, x, gt::ones_like(x)), gt::zeros_like(x)));
    };
    same(gt::floor, std::floor);
    same(gt::ceil, std::ceil);
    same(gt::round, std::nearbyint);
    same(gt::trunc, std::trunc);
  }
  const auto n = i64({std::numeric_limits<std::int64_t>::min(), -3L, 0L, std::numeric_limits<std::int64_t>::max()});
  for (const auto op : {gt::floor, gt::ceil, gt::round, gt::trunc}) CHECK(gt::equal(op(n), n));
}

TEST_CASE("remainder: values and gradients on paper") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto a = vector({7, -7, 7, -7, 5.5, 6, -6, 0, 1e30}, dtype), b = vector({3, 3, -3, -3, 2, 3, 3, 3, 7}, dtype);
    const auto y = cases::doubles(gt::remainder(a, b));
    const std::vector<double> expected{1, 2, -2, -1, 1.5, 0, 0, 0};
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(y[i] == expected[i]);
    CHECK(y.back() >= 0);
    CHECK(y.back() < 7);
    const auto [da, db] = gt::vjp(gt::remainder, {a, b}, gt::ones_like(a));
    CHECK(gt::equal(da, gt::ones_like(a)));
    const auto slopes = cases::doubles(db);
    const std::vector<double> quotients{-2, 3, 3, -2, -2, -2, 2, 0};  // -floor(a / b)
    for (std::size_t i = 0; i < quotients.size(); ++i) CHECK(slopes[i] == quotients[i]);
    // a / b rounds to 3, but a is less than 3 b.
    const double third = dtype == gt::f32 ? static_cast<double>(1.0F / 3) : 1.0 / 3;
    const auto [dn, dm] =
        gt::vjp(gt::remainder, {vector({1}, dtype), vector({third}, dtype)}, gt::ones({1}, {.dtype = dtype}));
    CHECK(dm.item() == -std::floor(1 / static_cast<long double>(third)));
    const auto bad = cases::doubles(
        gt::remainder(vector({1, 0, inf, -inf, cases::nan, 1}, dtype), vector({0, 0, 2, 2, 2, cases::nan}, dtype)));
    for (const double v : bad) CHECK(std::isnan(v));
    CHECK(gt::equal(gt::remainder(vector({1, -1}, dtype), inf), vector({1, inf}, dtype)));
  }
}

TEST_CASE("remainder: of integers") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  const auto a = i64({7L, -7L, 7L, -7L, 6L, least, least, most, most}),
             b = i64({3L, 3L, -3L, -3L, -3L, -1L, most, least, 10L});
  CHECK(gt::equal(gt::remainder(a, b), i64({1L, 2L, -2L, -1L, 0L, 0L, most - 1, -1L, 7L})));
  CHECK(gt::equal(gt::remainder(i64({-1, 0, 1, 2}), 2), i64({1, 0, 1, 0})));
  CHECK(gt::remainder(cases::integers({0}), 0).numel() == 0);
}
