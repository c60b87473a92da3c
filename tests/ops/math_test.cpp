#include <array>

#include <ops/cases.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::vector;

namespace {

/// The largest distance of `op` from `exact`, computed in long double, over random numbers in [low, high], in ulps.
template <class T, class Op, class Exact>
double worst_ulps(const Op& op, Exact exact, double low, double high) {
  const gt::RandomStream random(21);
  const gt::Tensor x = gt::uniform({20000}, {.low = low, .high = high, .dtype = gt::dtype_of<T>});
  const auto in = x.to_vector<T>(), out = op(x).template to_vector<T>();
  double worst = 0;
  for (std::size_t i = 0; i < in.size(); ++i)
    worst = std::max(worst, cases::ulps<T>(out[i], static_cast<double>(exact(static_cast<long double>(in[i])))));
  return worst;
}

/// `op` and its gradient at `points`, in both dtypes, against values from plain std:: calls; what is NaN must be NaN.
template <class Op, class F, class D>
void check_points(const Op& op, F f, D d, const std::vector<double>& points, double tolerance) {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const gt::Tensor x = vector(points, dtype);
    const auto in = cases::doubles(x), out = cases::doubles(op(x)),
               grad = cases::doubles(gt::vjp(op, x, gt::ones_like(x)));
    for (std::size_t i = 0; i < in.size(); ++i) {
      CAPTURE(gt::to_string(dtype));
      CAPTURE(in[i]);
      const auto rounded = [&](double v) { return dtype == gt::f32 ? static_cast<double>(static_cast<float>(v)) : v; };
      const auto distance = [&](double a, double e) {
        return dtype == gt::f32 ? cases::ulps<float>(a, e) : cases::ulps<double>(a, e);
      };
      CHECK(distance(out[i], rounded(f(in[i]))) <= tolerance);
      CHECK(distance(grad[i], rounded(d(in[i]))) <= tolerance + 1);
    }
  }
}

gt::Tensor random(const gt::Shape& shape) { return between(0.5, 2)(shape); }

}  // namespace

TEST_CASE("math: the formulas on paper") {
  const auto x = random({3, 4}), g = between(-2, 2)({3, 4});
  CHECK(gt::vjp(gt::exp, x, g) == gt::approx(g * gt::exp(x)));
  CHECK(gt::vjp(gt::log, x, g) == gt::approx(g / x));
  CHECK(gt::vjp(gt::sqrt, x, g) == gt::approx(g / (2 * gt::sqrt(x))));
  CHECK(gt::vjp(gt::square, x, g) == gt::approx(2 * g * x));
  CHECK(gt::vjp(gt::sin, x, g) == gt::approx(g * gt::cos(x)));
  CHECK(gt::vjp(gt::cos, x, g) == gt::approx(-1 * g * gt::sin(x)));
  CHECK(gt::vjp(gt::abs, x, g) == gt::approx(g));
  CHECK(gt::vjp(gt::abs, -x, g) == gt::approx(-1 * g));
  const auto b = between(-2, 2)({3, 4});
  const auto [da, db] = gt::vjp(gt::pow, {x, b}, g);
  CHECK(da == gt::approx(g * b * gt::exp((b - 1) * gt::log(x))));     // b·aᵇ⁻¹
  CHECK(db == gt::approx(g * gt::exp(b * gt::log(x)) * gt::log(x)));  // aᵇ·ln a
}

TEST_CASE("math: values within two ulps of the exact ones") {
  const auto check = []<class T>(T) {
    using L = long double;
    const auto e = [](L x) { return std::exp(x); };
    const auto l = [](L x) { return std::log(x); };
    const auto s = [](L x) { return std::sin(x); };
    const auto c = [](L x) { return std::cos(x); };
    CHECK(worst_ulps<T>(gt::exp, e, -1, 1) <= 2);
    CHECK(worst_ulps<T>(gt::exp, e, -87, 88.7) <= 3);  // the last of it is a product
    if (std::is_same_v<T, double>) CHECK(worst_ulps<T>(gt::exp, e, -708, 709.7) <= 3);
    CHECK(worst_ulps<T>(gt::log, l, 0, 3) <= 2);
    CHECK(worst_ulps<T>(gt::log, l, 0, 1e30) <= 2);
    CHECK(worst_ulps<T>(
              gt::sqrt, [](L x) { return std::sqrt(x); }, 0, 10) <= 1);
    CHECK(worst_ulps<T>(
              gt::square, [](L x) { return x * x; }, -10, 10) <= 1);
    for (const double size : {0.7, 3.0, 60.0, 200.0, 1e4, 8e5, 1e7, 1e30}) {
      CAPTURE(size);
      CHECK(worst_ulps<T>(gt::sin, s, -size, size) <= 2);
      CHECK(worst_ulps<T>(gt::cos, c, -size, size) <= 2);
    }
    for (const double p : {0.5, 2.0, 3.0, -1.0, -2.5, 7.0, 0.0, 1.0}) {
      CAPTURE(p);
      const auto power = [p](L x) { return std::pow(x, static_cast<L>(p)); };
      CHECK(worst_ulps<T>([p](const gt::Tensor& x) { return gt::pow(x, p); }, power, 0.01, 10) <= 1);
      if (p == std::trunc(p))
        CHECK(worst_ulps<T>([p](const gt::Tensor& x) { return gt::pow(x, p); }, power, -10, -0.01) <= 1);
    }
    CHECK(worst_ulps<T>([](const gt::Tensor& x) { return gt::pow(2.5, x); }, [](L x) { return std::pow(L{2.5}, x); },
                        -20, 20) <= 1);
  };
  check(float{});
  check(double{});
}

TEST_CASE("math: sine and cosine near multiples of a quarter turn") {
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

TEST_CASE("math: gradcheck over shapes and views") {
  const auto any = between(-2, 2), positive = between(0.5, 2);
  cases::gradcheck_all(gt::exp, any);
  cases::gradcheck_all(gt::log, positive);
  cases::gradcheck_all(gt::sqrt, positive);
  cases::gradcheck_all(gt::square, any);
  cases::gradcheck_all(gt::sin, between(-6, 6));
  cases::gradcheck_all(gt::cos, between(-6, 6));
  cases::gradcheck_all(gt::abs, cases::away_from(0));
  cases::gradcheck_all(gt::pow, positive, any);
  cases::gradcheck_all([](const gt::Tensor& x) { return gt::pow(x, 3); }, any);  // bases of either sign
  cases::gradcheck_all([](const gt::Tensor& x) { return gt::pow(x, 2.0); }, any);
  cases::gradcheck_all([](const gt::Tensor& x) { return gt::pow(x, -2); }, cases::away_from(0));
  cases::gradcheck_all([](const gt::Tensor& x) { return gt::pow(1.5, x); }, any);
}

TEST_CASE("math: pow against plain loops over every broadcast in f32 and f64") {
  cases::check_against_loops(
      gt::pow, [](double a, double b) { return std::pow(a, b); },
      [](double a, double b) { return b * std::pow(a, b - 1); },
      [](double a, double b) { return std::pow(a, b) * std::log(a); }, between(0.5, 2), between(-2, 2));
}

TEST_CASE("math: extreme inputs") {
  const std::vector<double> all{0.0,  -0.0, 1,     -1,    inf,   -inf,   cases::nan, 80,    -80,    750,    -750,
                                1e30, 3e38, 1e-30, 1e-38, 1e-40, 1e-310, 5e-324,     2e-45, -1e-40, -1e-310};
  check_points(
      gt::log, [](double x) { return std::log(x); }, [](double x) { return 1 / x; }, all, 1);
  check_points(
      gt::sqrt, [](double x) { return std::sqrt(x); }, [](double x) { return 1 / (2 * std::sqrt(x)); }, all, 1);
  check_points(
      gt::square, [](double x) { return x * x; }, [](double x) { return 2 * x; }, all, 1);
  check_points(
      gt::sin, [](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }, all, 2);
  check_points(
      gt::cos, [](double x) { return std::cos(x); }, [](double x) { return -std::sin(x); }, all, 2);
  check_points(
      gt::abs, [](double x) { return std::abs(x); }, [](double x) { return x > 0   ? 1.0
                                                                           : x < 0 ? -1.0
                                                                                   : x; }, all, 0);
  const auto e = [](double x) { return std::exp(x); };
  check_points(gt::exp, e, e,
               {0.0, -0.0, 1e-40, 1e-310, 5e-324, inf, -inf, cases::nan, 80, -80, 88.3, -87.3, 750, -750}, 2);
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
  for (const auto op : {gt::sqrt, gt::sin, gt::neg}) {
    const auto y = op(zeros).to_vector<double>();
    CHECK(std::signbit(y[0]) == (op == gt::neg));
    CHECK(std::signbit(y[1]) == (op != gt::neg));
  }
  CHECK_FALSE(std::signbit(gt::abs(zeros).to_vector<double>()[1]));
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

TEST_CASE("math: square and abs take i64 and the others do not") {
  const auto n = gt::tensor({3, -4, 0}, {.dtype = gt::i64});
  CHECK(gt::equal(gt::square(n), gt::tensor({9, 16, 0}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::abs(n), gt::tensor({3, 4, 0}, {.dtype = gt::i64})));
  const auto message = [&](const auto& op) { return cases::message_of<gt::DtypeError>([&] { return op(n); }); };
  CHECK(message(gt::exp) == "exp: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message(gt::log) == "log: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message(gt::sqrt) == "sqrt: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message(gt::sin) == "sin: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message(gt::cos) == "cos: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message([](const gt::Tensor& x) { return gt::pow(x, 2); }) ==
        "pow: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message([](const gt::Tensor& x) { return gt::pow(x, 0.5); }) ==
        "pow: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)");
}

TEST_CASE("math: other error messages word for word") {
  using cases::message_of;
  const auto flags = gt::tensor({true, false}, {.dtype = gt::boolean});
  CHECK(message_of<gt::DtypeError>([&] { return gt::exp(flags); }) ==
        "exp: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::abs(flags); }) ==
        "abs: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::ShapeError>([] { return gt::pow(gt::zeros({2}), gt::zeros({3})); }) ==
        "pow: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1");
  CHECK(message_of<gt::DtypeError>([] { return gt::pow(gt::zeros({2}), gt::zeros({2}, {.dtype = gt::f64})); }) ==
        "pow: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
}
