#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::vector;

namespace {

gt::Tensor random(const gt::Shape& shape) { return between(-2, 2)(shape); }

/// Every pair of these values, as two vectors.
template <class T>
std::pair<std::vector<T>, std::vector<T>> pairs_of(const std::vector<T>& values) {
  std::pair<std::vector<T>, std::vector<T>> out;
  for (const T a : values)
    for (const T b : values) out.first.push_back(a), out.second.push_back(b);
  return out;
}

template <class T>
gt::Tensor tensor_of(const std::vector<T>& values) {
  return gt::tensor(std::span(values), {values.size()});
}

gt::Tensor flags(std::initializer_list<gt::Literal> values) {
  return gt::tensor(gt::Literal(values), {.dtype = gt::boolean});
}

/// Beyond [-1, 1], on both sides: far from ties with what lies inside.
gt::Tensor outside(const gt::Shape& shape) {
  return gt::away_from(0, shape, {.distance = 1.1, .spread = 3, .dtype = gt::f64});
}

/// A condition of the shape, about half of it true.
gt::Tensor coin(const gt::Shape& shape) { return gt::uniform(shape) < 0.5; }

/// Rows of a comparison by name and as an operator.
template <class F, class Operator>
std::vector<cases::Row> comparison(const std::string& op, const std::string& symbol, F f, Operator symbolic) {
  const auto any = between(-2, 2);
  return {cases::pairwise(op, symbol, f, any, any, 0),
          cases::pairwise("operator" + symbol, symbol, symbolic, any, any, 0)};
}

const cases::Rows comparisons([]() -> std::vector<cases::Row> {
  using gt::Tensor;
  std::vector<cases::Row> rows;
  for (auto& pair : {comparison("eq", "==", gt::eq, [](const Tensor& a, const Tensor& b) { return a == b; }),
                     comparison("ne", "!=", gt::ne, [](const Tensor& a, const Tensor& b) { return a != b; }),
                     comparison("lt", "<", gt::lt, [](const Tensor& a, const Tensor& b) { return a < b; }),
                     comparison("le", "<=", gt::le, [](const Tensor& a, const Tensor& b) { return a <= b; }),
                     comparison("gt", ">", gt::gt, [](const Tensor& a, const Tensor& b) { return a > b; }),
                     comparison("ge", ">=", gt::ge, [](const Tensor& a, const Tensor& b) { return a >= b; })})
    rows.insert(rows.end(), pair.begin(), pair.end());
  const auto n = [] { return gt::tensor({1, 2}, {.dtype = gt::i64}); };
  rows[0] = cases::also(rows[0], {},
                        {{"==: dtypes boolean and i64 do not mix; convert one with .to(gradtape::boolean)",
                          [=] { gt::eq(cases::booleans({2}), n()); }},
                         {"==: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
                          [=] { gt::eq(n(), 0.5); }}});
  return rows;
});

const cases::Rows choices([]() -> std::vector<cases::Row> {
  using gt::Tensor, cases::also, cases::calls, cases::on;
  const auto any = between(-2, 2), inside = between(-1, 1), kink = cases::away_from(0);
  const auto n = [] { return gt::tensor({1, 2}, {.dtype = gt::i64}); };
  const auto f = [] { return gt::zeros({2}); };
  std::vector<cases::Call> wheres =
      cases::binary([](const Tensor& a, const Tensor& b) { return gt::where(a > b, a * b, b); }, inside, outside);
  for (const gt::Shape& shape : {gt::Shape{}, {1}, {4}, {3, 1}, {1, 4}, {3, 4}, {2, 3, 4}, {0, 3, 4}})
    wheres = calls({wheres, on({{shape, coin}, {{3, 4}, any}, {{4}, any}}, gt::where),
                    on({{shape, coin}, {{3, 1}, any}, {{}, any}}, gt::where)});
  return {
      {"where",
       wheres,
       {{"where: input 0 must be boolean, not f32; compare it with something first", [=] { gt::where(f(), f(), f()); }},
        {"where: input 0 must be boolean, not i64; compare it with something first", [=] { gt::where(n(), f(), f()); }},
        {"where: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
         [=] { gt::where(cases::booleans({2}), f(), gt::zeros({2}, {.dtype = gt::f64})); }},
        {"where: no meaning for boolean; convert with .to(gradtape::f32)",
         [] { gt::where(cases::booleans({2}), cases::booleans({2}), cases::booleans({2})); }},
        {"where: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
         [=] { gt::where(cases::booleans({2}), n(), 0.5); }},
        {"where: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1",
         [] { gt::where(cases::booleans({2}), gt::zeros({3}), 0); }}}},
      also(cases::pairwise("maximum", "maximum", gt::maximum, inside, outside),
           cases::unary([](const Tensor& x) { return gt::maximum(x, 0) * x; }, kink),
           {{"maximum: no meaning for boolean; convert with .to(gradtape::f32)",
             [] { gt::maximum(cases::booleans({2}), cases::booleans({2})); }}}),
      also(cases::pairwise("minimum", "minimum", gt::minimum, inside, outside),
           cases::unary([](const Tensor& x) { return gt::minimum(0.05, x) * x; }, kink)),
      also(cases::numeric(
               "clamp", [](const Tensor& x) { return gt::clamp(x, {.min = 0}); }, kink),
           calls({cases::unary([](const Tensor& x) { return gt::clamp(x, {.max = 0}) * x; }, kink),
                  cases::unary([](const Tensor& x) { return gt::clamp(x, {.min = -1.05, .max = 1.05}); }, inside)}),
           {{"clamp: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
             [=] { gt::clamp(n(), {.max = 0.5}); }}}),
  };
});

}  // namespace

TEST_CASE("comparisons: rows") { comparisons.check(); }
TEST_CASE("where maximum minimum and clamp: rows") { choices.check(); }

TEST_CASE("comparisons: every pair of values in every dtype") {
  const auto check = []<class T>(const std::vector<T>& values) {
    const auto [a, b] = pairs_of(values);
    const gt::Tensor ta = tensor_of(a), tb = tensor_of(b);
    const auto same = [&, &left = a, &right = b](const gt::Tensor& actual, auto f) {
      REQUIRE(actual.dtype() == gt::boolean);
      const auto result = actual.to_vector<bool>();
      for (std::size_t i = 0; i < left.size(); ++i) {
        CAPTURE(left[i]);
        CAPTURE(right[i]);
        CHECK(result[i] == f(left[i], right[i]));
      }
    };
    same(ta == tb, [](T x, T y) { return x == y; });
    same(ta != tb, [](T x, T y) { return x != y; });
    same(ta < tb, [](T x, T y) { return x < y; });
    same(ta <= tb, [](T x, T y) { return x <= y; });
    same(ta > tb, [](T x, T y) { return x > y; });
    same(ta >= tb, [](T x, T y) { return x >= y; });
  };
  check(std::vector<double>{0.0, -0.0, 1, -1, 1e-310, inf, -inf, cases::nan});
  check(std::vector<float>{0.0F, -0.0F, 1, -1, 1e-40F, static_cast<float>(inf), static_cast<float>(-inf),
                           static_cast<float>(cases::nan)});
  check(std::vector<std::int64_t>{0, 1, -1, (std::int64_t{1} << 60) + 1, std::int64_t{1} << 60,
                                  std::numeric_limits<std::int64_t>::min()});
  const auto p = flags({true, true, false, false}), q = flags({true, false, true, false});
  CHECK(gt::equal(p == q, flags({true, false, false, true})));
  CHECK(gt::equal(p != q, flags({false, true, true, false})));
  CHECK(gt::equal(p < q, flags({false, false, true, false})));
  CHECK(gt::equal(p >= q, flags({true, true, false, true})));
}

TEST_CASE("comparisons: a number on either side") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64}) {
    const auto x = vector({1, 2, 3}).to(dtype);
    CHECK(gt::equal(x == 2, flags({false, true, false})));
    CHECK(gt::equal(2 != x, flags({true, false, true})));
    CHECK(gt::equal(x < 2, flags({true, false, false})));
    CHECK(gt::equal(2 < x, flags({false, false, true})));
    CHECK(gt::equal(x >= 2.0, flags({false, true, true})));
    CHECK(gt::equal(2 >= x, flags({true, true, false})));
    CHECK(gt::equal(x > 2, flags({false, false, true})));
    CHECK(gt::equal(x <= 2, flags({true, true, false})));
  }
}

TEST_CASE("comparisons: broadcast like arithmetic and leave no node") {
  const gt::RandomStream random_stream(31);
  for (const auto& [left, right] : cases::broadcasts()) {
    const auto a = random(left), b = random(right);
    const auto result = (gt::parameter(a) < b);
    CHECK_FALSE(result.requires_grad());
    const auto av = cases::doubles(a), bv = cases::doubles(b);
    const auto actual = result.to_vector<bool>();
    bool same = true;
    for (std::int64_t i = 0; i < result.numel(); ++i)
      same = same && actual[static_cast<std::size_t>(i)] ==
                         (av[cases::source(i, result.shape(), left)] < bv[cases::source(i, result.shape(), right)]);
    CHECK(same);
  }
}

TEST_CASE("where: value and gradients on paper") {
  const gt::RandomStream random_stream(32);
  const auto a = random({3, 4}), b = random({3, 4}), g = random({3, 4}), c = coin({3, 4});
  const auto chosen = c.to(gt::f64);  // 1 or 0
  CHECK(gt::where(c, a, b) == gt::approx(chosen * a + (1 - chosen) * b));
  const auto pick = [&](const gt::Tensor& x, const gt::Tensor& y) { return gt::where(c, x, y); };
  const auto [da, db] = gt::vjp(pick, {a, b}, g);
  CHECK(da == gt::approx(g * chosen));
  CHECK(db == gt::approx(g * (1 - chosen)));
  CHECK(gt::equal(gt::where(c, a, 7), gt::where(c, a, gt::full_like(a, 7))));
  CHECK(gt::equal(gt::where(c, -1.5, b), gt::where(c, gt::full_like(b, -1.5), b)));
  CHECK(gt::where(c, 1, 0).dtype() == gt::f32);
  const auto n = gt::tensor({1, 2, 3}, {.dtype = gt::i64});
  CHECK(gt::equal(gt::where(flags({true, false, true}), n, -n), gt::tensor({1, -2, 3}, {.dtype = gt::i64})));
}

TEST_CASE("where: NaN and infinity in the branch not chosen touch neither value nor gradient") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const double bad : {cases::nan, inf, -inf}) {
      const auto c = flags({true, false, true, false, true});
      const auto a = vector({1, bad, 3, bad, 5}, dtype), b = vector({bad, 2, bad, 4, bad}, dtype);
      CHECK(gt::equal(gt::where(c, a, b), vector({1, 2, 3, 4, 5}, dtype)));
      const auto pick = [&](const gt::Tensor& x, const gt::Tensor& y) { return gt::where(c, x, y); };
      const auto [da, db] = gt::vjp(pick, {a, b}, gt::ones_like(a));
      CHECK(gt::equal(da, vector({1, 0, 1, 0, 1}, dtype)));
      CHECK(gt::equal(db, vector({0, 1, 0, 1, 0}, dtype)));
      // A gradient that is itself NaN reaches only the side that was chosen.
      const auto [na, nb] = gt::vjp(pick, {a, b}, vector({bad, 1, 1, bad, 1}, dtype));
      CHECK(na == gt::approx(vector({bad, 0, 1, 0, 1}, dtype)));
      CHECK(nb == gt::approx(vector({0, 1, 0, bad, 0}, dtype)));
      // Recorded as well: the derivative of the gradient.
      const auto x = gt::parameter(a);
      const auto first = gt::grad(gt::sum(gt::where(c, x * x, b)), {x}, {.create_graph = true})[0];
      CHECK(cases::doubles(first)[0] == 2);
      CHECK(cases::doubles(first)[2] == 6);
    }
}

TEST_CASE("where: saves the condition alone") {
  const auto a = gt::parameter(random({2}));
  const std::string tape = gt::tape_string(gt::where(flags({true, false}), a, 0));
  CHECK(tape.substr(0, tape.find('\n')).ends_with("saves input 0 [2]"));
}

TEST_CASE("maximum and minimum: the formulas on paper") {
  const gt::RandomStream random_stream(34);
  const auto a = random({3, 4}), b = random({3, 4}), g = random({3, 4});
  const auto larger = (a > b).to(gt::f64);
  const auto [da, db] = gt::vjp(gt::maximum, {a, b}, g);
  CHECK(da == gt::approx(g * larger));
  CHECK(db == gt::approx(g * (1 - larger)));
  const auto [ma, mb] = gt::vjp(gt::minimum, {a, b}, g);
  CHECK(ma == gt::approx(g * (1 - larger)));
  CHECK(mb == gt::approx(g * larger));
}

TEST_CASE("maximum and minimum: against plain loops over every broadcast in f32 and f64") {
  const auto any = between(-2, 2);
  cases::check_against_loops(
      gt::maximum, [](double a, double b) { return std::max(a, b); },
      [](double a, double b) { return a > b ? 1.0 : 0.0; }, [](double a, double b) { return b > a ? 1.0 : 0.0; }, any,
      any);
  cases::check_against_loops(
      gt::minimum, [](double a, double b) { return std::min(a, b); },
      [](double a, double b) { return a < b ? 1.0 : 0.0; }, [](double a, double b) { return b < a ? 1.0 : 0.0; }, any,
      any);
}

TEST_CASE("maximum and minimum: NaN wins on either side and ties share the gradient") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto a = vector({cases::nan, 1, cases::nan, inf, -inf, 2}, dtype),
               b = vector({1, cases::nan, cases::nan, 1, 1, 2}, dtype);
    CHECK(gt::maximum(a, b) == gt::approx(vector({cases::nan, cases::nan, cases::nan, inf, 1, 2}, dtype)));
    CHECK(gt::minimum(a, b) == gt::approx(vector({cases::nan, cases::nan, cases::nan, 1, -inf, 2}, dtype)));
    const auto x = vector({3, 3}, dtype), y = vector({3, 4}, dtype), g = vector({5, 7}, dtype);
    for (const auto op : {gt::maximum, gt::minimum}) {
      const auto [dx, dy] = gt::vjp(op, {x, y}, g);
      CHECK(cases::doubles(dx)[0] == 2.5);
      CHECK(cases::doubles(dy)[0] == 2.5);
    }
  }
  const auto n = gt::tensor({1, 5}, {.dtype = gt::i64});
  CHECK(gt::equal(gt::maximum(n, 3), gt::tensor({3, 5}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::minimum(3, n), gt::tensor({1, 3}, {.dtype = gt::i64})));
}

TEST_CASE("clamp: values and gradients at the bounds and beyond") {
  const double nan = cases::nan;
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({-inf, -2, -1, 0.5, 2, 3, inf, nan}, dtype), ones = gt::ones_like(x);
    const auto check = [&](const gt::ClampOptions& options, const std::vector<double>& y,
                           const std::vector<double>& slopes) {
      const auto f = [&](const gt::Tensor& v) { return gt::clamp(v, options); };
      CHECK(f(x) == gt::approx(vector(y, dtype)));
      CHECK(gt::vjp(f, x, ones) == gt::approx(vector(slopes, dtype)));
    };
    check({.min = -1, .max = 2}, {-1, -1, -1, 0.5, 2, 2, 2, nan}, {0, 0, 1, 1, 1, 0, 0, 1});
    check({.min = -1}, {-1, -1, -1, 0.5, 2, 3, inf, nan}, {0, 0, 1, 1, 1, 1, 1, 1});
    check({.max = 2}, {-inf, -2, -1, 0.5, 2, 2, 2, nan}, {1, 1, 1, 1, 1, 0, 0, 1});
    check({}, {-inf, -2, -1, 0.5, 2, 3, inf, nan}, {1, 1, 1, 1, 1, 1, 1, 1});
    check({.min = 1, .max = 0}, {0, 0, 0, 0, 0, 0, 0, nan}, {0, 0, 0, 0, 0, 0, 0, 1});
  }
  const auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  const auto n = gt::tensor({least, -5L, 0L, 7L, most}, {.dtype = gt::i64});
  CHECK(gt::equal(gt::clamp(n, {.min = -1, .max = 2}), gt::tensor({-1, -1, 0, 2, 2}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::clamp(n, {.max = 2}), gt::tensor({least, -5L, 0L, 2L, 2L}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::clamp(n, {.min = -1e30, .max = 1e30}), n));
}

TEST_CASE("where: no gradient of a choice is silently 0 where a value is NaN") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({cases::nan}, dtype), one = gt::ones({1}, {.dtype = dtype});
    for (const auto op : {gt::maximum, gt::minimum})
      for (const auto& [a, b] : {std::pair{x, one}, {one, x}, {x, x}}) {
        const auto [da, db] = gt::vjp(op, {a, b}, one);
        CHECK(da.item() == 1);
        CHECK(db.item() == 1);
      }
    for (const auto op : {gt::abs, gt::relu}) CHECK(gt::vjp(op, x, one).item() != 0);
  }
}
