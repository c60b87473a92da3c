#include <ops/cases.hpp>

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

}  // namespace

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

TEST_CASE("where: gradcheck over shapes broadcasts and views") {
  const auto any = between(-2, 2);
  // Conditions that no small step turns over: every a lies in [-1, 1], every b outside of it, on both sides.
  cases::gradcheck_all([](const gt::Tensor& a, const gt::Tensor& b) { return gt::where(a > b, a * b, b); },
                       between(-1, 1), outside);
  cases::gradcheck_all([](const gt::Tensor& x) { return gt::where(x.detach() > 0, x * x, 3); }, cases::away_from(0));
  const gt::RandomStream random_stream(33);
  for (const gt::Shape& shape : {gt::Shape{}, gt::Shape{1}, gt::Shape{4}, gt::Shape{3, 1}, gt::Shape{1, 4},
                                 gt::Shape{3, 4}, gt::Shape{2, 3, 4}}) {
    CAPTURE(gt::to_string(shape));
    const auto c = coin(shape);
    CHECK(gt::gradcheck(gt::where, {c, any({3, 4}), any({4})}));
    CHECK(gt::gradcheck(gt::where, {c, any({3, 1}), any({})}));
  }
  const auto turned = gt::transpose(coin({4, 3}));
  CHECK(gt::gradcheck(gt::where, {turned, any({3, 4}), any({3, 1})}));
  CHECK(gt::gradcheck(gt::where, {coin({3, 70}), any({3, 1}), any({70})}));
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

TEST_CASE("maximum and minimum: gradcheck over shapes broadcasts and views") {
  const auto inside = between(-1, 1);
  cases::gradcheck_all(gt::maximum, inside, outside);
  cases::gradcheck_all(gt::minimum, inside, outside);
  cases::gradcheck_all(
      [](const gt::Tensor& a, const gt::Tensor& b) { return gt::maximum(a * a, b) * gt::minimum(a, b); }, inside,
      outside);
  cases::gradcheck_all([](const gt::Tensor& x) { return gt::maximum(x, 0) + gt::minimum(0.05, x) * x; },
                       cases::away_from(0));
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

TEST_CASE("compare: error messages word for word") {
  using cases::message_of;
  const auto f = gt::zeros({2}), d = gt::zeros({2}, {.dtype = gt::f64}), n = gt::tensor({1, 2}, {.dtype = gt::i64}),
             c = flags({true, false});
  CHECK(message_of<gt::ShapeError>([&] { return f == gt::zeros({3}); }) ==
        "==: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1");
  CHECK(message_of<gt::DtypeError>([&] { return f < d; }) ==
        "<: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return c != n; }) ==
        "!=: dtypes boolean and i64 do not mix; convert one with .to(gradtape::boolean)");
  CHECK(message_of<gt::DtypeError>([&] { return n == 0.5; }) ==
        "==: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::where(f, f, f); }) ==
        "where: input 0 must be boolean, not f32; compare it with something first");
  CHECK(message_of<gt::DtypeError>([&] { return gt::where(n, f, f); }) ==
        "where: input 0 must be boolean, not i64; compare it with something first");
  CHECK(message_of<gt::DtypeError>([&] { return gt::where(c, f, d); }) ==
        "where: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::where(c, c, c); }) ==
        "where: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::where(c, n, 0.5); }) ==
        "where: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)");
  CHECK(message_of<gt::ShapeError>([&] { return gt::where(c, gt::zeros({3}), 0); }) ==
        "where: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1");
  CHECK(message_of<gt::DtypeError>([&] { return gt::maximum(c, c); }) ==
        "maximum: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::minimum(f, d); }) ==
        "minimum: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
  // Read left to right, as it was written.
  CHECK(message_of<gt::DtypeError>([&] { return f > d; }) ==
        ">: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
  CHECK(message_of<gt::ShapeError>([&] { return f >= gt::zeros({3}); }) ==
        ">=: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1");
}
