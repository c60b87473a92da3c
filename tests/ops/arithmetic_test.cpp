#include <string>

#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::vector;

namespace {

gt::Tensor random(const gt::Shape& shape) { return between(-2, 2)(shape); }

const cases::Rows arithmetic([]() -> std::vector<cases::Row> {
  using gt::Tensor, cases::also, cases::calls, cases::pairwise, cases::unary;
  const auto any = between(-2, 2), divisor = between(0.5, 2);
  const auto n = [] { return gt::tensor({1, 2}, {.dtype = gt::i64}); };
  const auto flags = [] { return cases::booleans({2}); };
  return {
      also(pairwise("add", "add", gt::add, any, any), {},
           {{"add: dtypes i64 and f32 do not mix; convert one with .to(gradtape::i64)",
             [=] { gt::add(n(), gt::zeros({2})); }},
            {"add: no meaning for boolean; convert with .to(gradtape::f32)", [=] { gt::add(flags(), flags()); }},
            {"add: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
             [=] { gt::add(n(), 0.5); }},
            {"add: this Tensor is empty (default-constructed or moved from); give it a value first",
             [] { gt::add(Tensor(), gt::zeros({2})); }}}),
      pairwise("sub", "sub", gt::sub, any, any),
      also(pairwise("mul", "mul", gt::mul, any, any, 3), {},
           {{"mul: the number 1.25 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
             [=] { gt::mul(1.25, n()); }}}),
      also(pairwise("div", "div", gt::div, any, divisor), {},
           {{"div: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::div(n(), n()); }}}),
      cases::numeric("neg", gt::neg, any),
      // The operators also with a number on either side, and one tensor twice.
      also(pairwise(
               "operator+", "add", [](const Tensor& a, const Tensor& b) { return a + b; }, any, any),
           unary([](const Tensor& x) { return 1 + x + x + 2; }, any)),
      also(pairwise(
               "operator-", "sub", [](const Tensor& a, const Tensor& b) { return a - b; }, any, any),
           unary([](const Tensor& x) { return -x - (1 - x) - 3; }, any)),
      also(pairwise(
               "operator*", "mul", [](const Tensor& a, const Tensor& b) { return a * b; }, any, any),
           unary([](const Tensor& x) { return 3 * x * x * x * 2; }, any)),
      also(pairwise(
               "operator/", "div", [](const Tensor& a, const Tensor& b) { return a / b; }, any, divisor),
           unary([](const Tensor& x) { return 3 / x + x / (x * x + 1) / 7; }, cases::away_from(0))),
  };
});

}  // namespace

TEST_CASE("arithmetic: rows") { arithmetic.check(); }

TEST_CASE("arithmetic: the formulas on paper") {
  const auto a = random({3, 4}), b = gt::away_from(0.0, {3, 4}, {.dtype = gt::f64}), g = random({3, 4});
  const auto gradients_are = [&](const auto& op, const gt::Tensor& da, const gt::Tensor& db) {
    const auto [ga, gb] = gt::vjp(op, {a, b}, g);
    CHECK(ga == gt::approx(da));
    CHECK(gb == gt::approx(db));
  };
  gradients_are(gt::add, g, g);
  gradients_are(gt::sub, g, -1 * g);
  gradients_are(gt::mul, g * b, g * a);
  gradients_are(gt::div, g / b, -1 * g * a / (b * b));
  CHECK(gt::vjp(gt::neg, a, g) == gt::approx(-1 * g));
}

TEST_CASE("arithmetic: values and gradients against plain loops over every broadcast in f32 and f64") {
  const auto one = [](double, double) { return 1.0; };
  const auto left = [](double a, double) { return a; };
  const auto right = [](double, double b) { return b; };
  const auto any = between(-2, 2);
  cases::check_against_loops(
      gt::add, [](double a, double b) { return a + b; }, one, one, any, any);
  cases::check_against_loops(
      gt::sub, [](double a, double b) { return a - b; }, one, [](double, double) { return -1.0; }, any, any);
  cases::check_against_loops(
      gt::mul, [](double a, double b) { return a * b; }, right, left, any, any);
  cases::check_against_loops(
      gt::div, [](double a, double b) { return a / b; }, [](double, double b) { return 1 / b; },
      [](double a, double b) { return -a / (b * b); }, any, between(0.5, 2));
}

TEST_CASE("arithmetic: values are those of IEEE 754 to the bit") {
  const auto check = [&]<class T>(T) {
    std::vector<T> a, b;
    const T special[] = {0, -T{0}, 1, -1, T(0.1), T(1e-40), T(cases::inf), -T(cases::inf), T(cases::nan), T(3e38)};
    for (const T x : special)
      for (const T y : special) a.push_back(x), b.push_back(y);
    const gt::Tensor ta = gt::tensor(std::span(a), {a.size()}), tb = gt::tensor(std::span(b), {b.size()});
    const auto same = [&](const gt::Tensor& actual, auto f) {
      const auto values = actual.template to_vector<T>();
      for (std::size_t i = 0; i < a.size(); ++i) {
        const T expected = f(a[i], b[i]);
        CAPTURE(a[i]);
        CAPTURE(b[i]);
        if (std::isnan(expected)) {
          CHECK(std::isnan(values[i]));
        } else {
          CHECK(values[i] == expected);
          CHECK(std::signbit(values[i]) == std::signbit(expected));
        }
      }
    };
    same(ta + tb, [](T x, T y) { return x + y; });
    same(ta - tb, [](T x, T y) { return x - y; });
    same(ta * tb, [](T x, T y) { return x * y; });
    same(ta / tb, [](T x, T y) { return x / y; });
    same(-ta, [](T x, T) { return -x; });
  };
  check(float{});
  check(double{});
}

TEST_CASE("arithmetic: a number on either side takes the dtype of the tensor and makes no node") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({1, 2, -4}, dtype);
    CHECK(gt::equal(x + 1, vector({2, 3, -3}, dtype)));
    CHECK(gt::equal(1.5 + x, vector({2.5, 3.5, -2.5}, dtype)));
    CHECK(gt::equal(x - 1.0F, vector({0, 1, -5}, dtype)));
    CHECK(gt::equal(1 - x, vector({0, -1, 5}, dtype)));
    CHECK(gt::equal(x * 2L, vector({2, 4, -8}, dtype)));
    CHECK(gt::equal(-0.5 * x, vector({-0.5, -1, 2}, dtype)));
    CHECK(gt::equal(x / 4, vector({0.25, 0.5, -1}, dtype)));
    CHECK(gt::equal(1 / x, vector({1, 0.5, -0.25}, dtype)));
    CHECK(gt::equal(gt::add(2, x), vector({3, 4, -2}, dtype)));
    const auto w = gt::parameter(x);
    CHECK(gt::equal(gt::grad(gt::sum(3 * w - 1), {w})[0], gt::full_like(x, 3)));
    CHECK(gt::equal(gt::grad(gt::sum(1 - w), {w})[0], gt::full_like(x, -1)));
    CHECK(gt::equal(gt::grad(gt::sum(4 / w), {w})[0], vector({-4, -1, -0.25}, dtype)));
    const std::string tape = gt::tape_string(2 * w);
    CHECK(std::count(tape.begin(), tape.end(), '\n') == 2);  // the product and the leaf
  }
}

TEST_CASE("arithmetic: i64 stays i64 but does not divide") {
  const auto a = gt::tensor({7, -3, 1L << 60}, {.dtype = gt::i64}), b = gt::tensor({2, 5, 3}, {.dtype = gt::i64});
  CHECK(gt::equal(a + b, gt::tensor({9, 2, (1L << 60) + 3}, {.dtype = gt::i64})));
  CHECK(gt::equal(a - b, gt::tensor({5, -8, (1L << 60) - 3}, {.dtype = gt::i64})));
  CHECK(gt::equal(a * b, gt::tensor({14, -15, 3L << 60}, {.dtype = gt::i64})));
  CHECK(gt::equal(-a, gt::tensor({-7, 3, -(1L << 60)}, {.dtype = gt::i64})));
  CHECK(gt::equal(a + 2.0, gt::tensor({9, -1, (1L << 60) + 2}, {.dtype = gt::i64})));
  CHECK_FALSE((a + b).requires_grad());
}

TEST_CASE("arithmetic: one tensor twice") {
  const auto x = gt::parameter(random({37}));
  const auto twice = gt::grad(gt::sum(x + x), {x})[0];
  CHECK(gt::equal(twice, gt::full_like(x, 2)));
  CHECK(gt::equal(gt::grad(gt::sum(x * x), {x})[0], 2 * x.detach()));
  CHECK(gt::equal(gt::grad(gt::sum(x - x), {x})[0], gt::zeros_like(x)));
  CHECK(gt::grad(gt::sum(x / x), {x})[0] == gt::approx(gt::zeros_like(x)));
}

TEST_CASE("arithmetic: what the nodes save") {
  const auto a = gt::parameter(random({2})), b = gt::parameter(random({2}));
  const auto c = random({2});
  const auto saves = [](const gt::Tensor& y) {
    const std::string tape = gt::tape_string(y), first = tape.substr(0, tape.find('\n'));
    return first.substr(first.find("saves"));
  };
  CHECK(saves(a + b) == "saves nothing");
  CHECK(saves(a - b) == "saves nothing");
  CHECK(saves(-a) == "saves nothing");
  CHECK(saves(a * b) == "saves input 0 [2], input 1 [2]");
  CHECK(saves(a * c) == "saves input 1 [2]");
  CHECK(saves(c * a) == "saves input 0 [2]");
  CHECK(saves(a / c) == "saves input 1 [2]");
  CHECK(saves(c / a) == "saves input 1 [2], output [2]");
}

TEST_CASE("arithmetic: division by zero") {
  const auto a = vector({1, -1, 0, inf, 1}), b = vector({0, 0, 0, inf, inf});
  const auto y = cases::doubles(a / b);
  CHECK(y[0] == inf);
  CHECK(y[1] == -inf);
  CHECK(std::isnan(y[2]));
  CHECK(std::isnan(y[3]));
  CHECK(y[4] == 0);
  const auto [da, db] = gt::vjp(gt::div, {a, b}, gt::ones({5}, {.dtype = gt::f64}));
  CHECK(cases::doubles(da)[0] == inf);   // 1 / b
  CHECK(cases::doubles(db)[0] == -inf);  // -a / b²
  CHECK(cases::doubles(db)[1] == inf);
  CHECK(cases::doubles(da)[4] == 0);
}
