#include <gradtape/ops/kernels/lane_math.hpp>

#include <ops/lanes.hpp>

namespace lanes = gradtape::detail::lanes;
using namespace lane_test;

// `f` of registers beside the function of the same name in std.
// clang-format off
#define LANES(f) #f, [](const auto& v) { return lanes::f(v); }, [](long double v) { return std::f(v); }
#define LANES2(f) #f, [](const auto& v, const auto& w) { return lanes::f(v, w); }, [](long double v, long double w) { return std::f(v, w); }
// clang-format on

TEST_CASE("lanes: exp and log and their kin") {
  const auto both = []<class T>(T) {
    const double low = sizeof(T) == 8 ? -750 : -105, high = sizeof(T) == 8 ? 712 : 90;
    check<T>(LANES(exp), 1.05, {even<T>(-2, 2), even<T>(low, high)});
    check<T>(LANES(expm1), 1.4, {even<T>(-2, 2), even<T>(-50, high), spread<T>(1e-20, 2)});
    check<T>(LANES(log), 1.2, {even<T>(0.7, 1.45), even<T>(0, 3), spread<T>(1e-30, 1e30)});
    check<T>(LANES(log1p), 1.5, {even<T>(-1, 1), even<T>(-1, 10), spread<T>(1e-20, 1)});
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: exp where its result is subnormal") {
  const auto f = [](const auto& x) { return lanes::exp(x); };
  const auto e = [](long double x) { return std::exp(x); };
  CHECK(worst<float>(f, e, even<float>(-104, -87)) <= 1);
  CHECK(worst<double>(f, e, even<double>(-746, -708)) <= 1);
}

TEST_CASE("lanes: hyperbolic functions and their inverses") {
  const auto both = []<class T>(T) {
    const double high = sizeof(T) == 8 ? 712 : 90;
    check<T>(LANES(tanh), 1.9, {even<T>(-1, 1), even<T>(-20, 20), spread<T>(1e-10, 2)});
    check<T>(LANES(sinh), 2.3, {even<T>(-1, 1), even<T>(-high, high), spread<T>(1e-21, 2)});
    check<T>(LANES(cosh), 1.8, {even<T>(-1, 1), even<T>(-high, high)});
    check<T>(LANES(asinh), 2, {even<T>(-3, 3), spread<T>(1e-10, 2), spread<T>(1, 1e10)});
    check<T>(LANES(acosh), 2.2, {even<T>(1, 1.1), even<T>(1, 3), spread<T>(1, 1e10)});
    check<T>(LANES(atanh), 1.9, {even<T>(-1, 1), spread<T>(1e-10, 1)});
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: tanh and erf never exceed one") {
  const auto both = []<class T>(T) {
    const std::vector<T> x = even<T>(2, 30);
    for (const T y : apply<T>([](const auto& v) { return lanes::tanh(v); }, x)) REQUIRE(y <= 1);
    for (const T y : apply<T>([](const auto& v) { return lanes::erf(v); }, x)) REQUIRE(y <= 1);
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: error function and its complement") {
  const auto both = []<class T>(T) {
    const double high = sizeof(T) == 8 ? 28 : 11;
    check<T>(LANES(erf), 2, {even<T>(-1, 1), even<T>(-6, 6), spread<T>(1e-10, 1)});
    check<T>(LANES(erfc), lanes::has_fma<xsimd::default_arch> ? 4 : 5,
             {even<T>(-1, 1), even<T>(-6, 6), even<T>(5, high), spread<T>(1e-10, 1)});
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: pow") {
  const auto both = []<class T>(T) {
    const double big = sizeof(T) == 8 ? 700 : 85;
    std::vector<T> whole = even<T>(-20, 20), x = spread<T>(1e-10, 1e10);
    for (T& v : whole) v = std::floor(v);
    std::reverse(x.begin(), x.end());
    check<T>(LANES2(pow), 1,
             {patterns<T>(), even<T>(0, 10), even<T>(0.9, 1.1), even<T>(0.999, 1.001), spread<T>(1e-30, 1e30), x},
             {spread<T>(1e-5, 1e5), spread<T>(1e-3, 30), spread<T>(1, 10 * big), spread<T>(1, 1000 * big),
              spread<T>(1e-3, 1), whole});
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: trigonometric functions and their inverses") {
  const auto both = []<class T>(T) {
    const double largest = lanes::largest_angle<Batch<T>>;
    const std::vector<std::vector<T>> angles{even<T>(-1, 1), even<T>(-100, 100), even<T>(-largest, largest),
                                             spread<T>(1e-3, 1e12)};
    check<T>(LANES(sin), 1, angles);
    check<T>(LANES(cos), 1, angles);
    check<T>(LANES(tan), 2.5, angles);
    check<T>(LANES(asin), 2.1, {even<T>(-1, 1), even<T>(0.4, 0.6), spread<T>(1e-10, 1)});
    check<T>(LANES(acos), 1.2, {even<T>(-1, 1), even<T>(0.4, 0.6), even<T>(0.99, 1)});
    check<T>(LANES(atan), 2, {even<T>(-1, 1), even<T>(-10, 10), even<T>(0.4, 0.6), spread<T>(1e-10, 1e10)});
    std::vector<T> x = spread<T>(1e-5, 1e5), turned = even<T>(-1, 1);
    std::reverse(x.begin(), x.end());
    std::reverse(turned.begin(), turned.end());
    check<T>(LANES2(atan2), 2.1, {even<T>(-1, 1), spread<T>(1e-5, 1e5), patterns<T>()},
             {turned, x, spread<T>(1e-20, 1e20)});
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: sine, cosine and tangent next to the multiples of a quarter turn") {
  const auto both = []<class T>(T) {
    std::vector<T> x;
    for (int k = -5000; k <= 5000; ++k) {
      const auto near = static_cast<T>(k * 1.5707963267948966), half = near / 2;
      for (const T v :
           {near, std::nextafter(near, inf<T>), std::nextafter(near, -inf<T>), half, std::nextafter(half, inf<T>)})
        x.push_back(v);
    }
    const auto check_one = [&](auto, auto f, auto exact, double bound) { CHECK(worst<T>(f, exact, x) <= bound); };
    check_one(LANES(sin), 1);
    check_one(LANES(cos), 1);
    check_one(LANES(tan), 2.5);
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: rounding, signs and division with a rest") {
  using L = long double;
  const auto both = []<class T>(T) {
    const std::vector<std::vector<T>> x{even<T>(-10, 10), spread<T>(1e-3, 1e20)};
    check<T>(LANES(floor), 0, x);
    check<T>(LANES(ceil), 0, x);
    check<T>(LANES(trunc), 0, x);
    check<T>(
        "round", [](const auto& v) { return lanes::round(v); }, [](L v) { return std::nearbyint(v); }, 0, x);
    check<T>(
        "sign", [](const auto& v) { return lanes::sign(v); },
        [](L v) { return std::isnan(v) ? v : L(v > 0) - L(v < 0); }, 0, x);
    std::vector<T> y = spread<T>(1e-3, 1e6);
    std::reverse(y.begin(), y.end());
    for (std::size_t i = 0; i < 2000; ++i) y[i] = x[1][i] / static_cast<T>(1 + i % 7);  // ratios next to whole numbers
    check<T>(LANES2(copysign), 0, x, {y, y});
    check<T>(LANES2(fmod), 0, x, {y, y});
    const auto remainder = [](L a, L b) {
      const L m = std::fmod(a, b);
      return m == 0 ? std::copysign(m, b) : (m < 0) != (b < 0) ? m + b : m;
    };
    check<T>("remainder", [](const auto& v, const auto& w) { return lanes::remainder(v, w); }, remainder, 1, x, {y, y});
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: kinds of numbers") {
  const auto both = []<class T>(T) {
    for (const T x : special<T>()) {
      CAPTURE(x);
      const Batch<T> v(x);
      CHECK(lanes::isnan(v).get(0) == std::isnan(x));
      CHECK(lanes::isinf(v).get(0) == std::isinf(x));
      CHECK(lanes::isfinite(v).get(0) == std::isfinite(x));
    }
  };
  both(float{});
  both(double{});
}

TEST_CASE("lanes: quotients and rests of integers and of numbers round to the lower side") {
  using I = std::int64_t;
  const auto divide = [](const auto& v, const auto& w) { return lanes::floor_divide(v, w); };
  const auto remainder = [](const auto& v, const auto& w) { return lanes::remainder(v, w); };
  const I least = std::numeric_limits<I>::min();
  const std::vector<I> x{7, -7, 7, -7, 6, -6, 0, 5, least, least, least}, y{3, 3, -3, -3, 3, 3, 5, 0, -1, 1, 0};
  CHECK(apply<I>(divide, x, y) == std::vector<I>{2, -3, -3, 2, 2, -2, 0, 0, least, least, 0});
  CHECK(apply<I>(remainder, x, y) == std::vector<I>{1, 2, -2, -1, 0, 0, 0, 0, 0, 0, 0});
  const auto both = [&]<class T>(T) {
    const std::vector<T> a{7, -7, 7, -7, 7.5, 1, -1, -1, 1, -3, T(0.3)},
        b{3, 3, -3, -3, 2, 0, 0, inf<T>, inf<T>, T(1.5), T(0.1)};
    CHECK(apply<T>(divide, a, b) ==
          std::vector<T>{2, -3, -3, 2, 3, inf<T>, -inf<T>, -1, 0, -2, sizeof(T) == 8 ? T(2) : T(3)});
  };
  both(float{});
  both(double{});
}
