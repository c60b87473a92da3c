#include <ops/rows.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::vector;

namespace {

gt::Tensor random(const gt::Shape& shape) { return between(-3, 3)(shape); }

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

/// exp(x) / sum(exp(x)) over groups of `n` elements `step` apart, in long double.
std::vector<double> softmax_of(const std::vector<double>& x, std::size_t n, std::size_t step) {
  std::vector<double> out(x.size());
  for (std::size_t at = 0; at < x.size(); ++at) {
    const std::size_t first = at - at / step % n * step;
    long double total = 0;
    for (std::size_t k = 0; k < n; ++k) total += std::exp(static_cast<long double>(x[first + k * step]));
    out[at] = static_cast<double>(std::exp(static_cast<long double>(x[at])) / total);
  }
  return out;
}

const auto softmax_rows = [](const gt::Tensor& x) { return gt::softmax(x); };
const auto log_softmax_rows = [](const gt::Tensor& x) { return gt::log_softmax(x); };

/// A function of the last axis, along every axis of several shapes.
template <class F>
std::vector<cases::Call> along_axes(F f) {
  std::vector<cases::Call> out;
  for (const gt::Shape& shape : {gt::Shape{1}, {37}, {3, 4}, {1, 1}, {2, 3, 5}, {0}, {3, 0}, {0, 3}})
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (cases::Call& call : cases::at({shape}, between(-3, 3), [=](const gt::Tensor& x) { return f(x, {.axis = axis}); }))
        out.push_back(std::move(call));
  return out;
}

const cases::Rows activations([]() -> std::vector<cases::Row> {
  const auto any = between(-3, 3), kink = cases::away_from(0);
  const auto integers = [] { return gt::zeros({2}, {.dtype = gt::i64}); };
  return {
      {"sigmoid",
       cases::unary(gt::sigmoid, any),
       {{"sigmoid: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::sigmoid(integers()); }}},
       3},
      {"tanh",
       cases::unary(gt::tanh, any),
       {{"tanh: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::tanh(integers()); }}},
       3},
      {"relu",
       cases::calls({cases::unary(gt::relu, kink),
                     cases::unary([](const gt::Tensor& x) { return gt::relu(x) * x; }, kink)}),  // a second derivative
       {{"relu: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::relu(integers()); }}}},
      {"softmax",
       along_axes(gt::softmax),
       {{"softmax: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::softmax(integers()); }},
        {"softmax: axis 2 is out of range for rank 2; use -2 to 1", [] { gt::softmax(gt::zeros({2, 3}), {.axis = 2}); }}}},
      {"log_softmax",
       along_axes(gt::log_softmax),
       {{"log_softmax: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::log_softmax(integers()); }},
        {"log_softmax: axis -1 of a scalar; a scalar has no axes", [] { gt::log_softmax(gt::zeros({})); }}}},
  };
});

}  // namespace

TEST_CASE("activations: rows") { activations.check(); }

TEST_CASE("activations: the formulas on paper") {
  const gt::RandomStream stream(41);
  const auto x = random({3, 4}), g = random({3, 4});
  const auto s = 1 / (1 + gt::exp(-x)), t = (gt::exp(2 * x) - 1) / (gt::exp(2 * x) + 1);
  CHECK(gt::sigmoid(x) == gt::approx(s));
  CHECK(gt::vjp(gt::sigmoid, x, g) == gt::approx(g * s * (1 - s)));
  CHECK(gt::tanh(x) == gt::approx(t));
  CHECK(gt::vjp(gt::tanh, x, g) == gt::approx(g * (1 - t * t)));
  CHECK(gt::vjp(gt::relu, x, g) == gt::approx(g * (x > 0).to(gt::f64)));
  const auto y = gt::exp(x) / gt::sum(gt::exp(x), {.axes = -1, .keepdims = true});
  CHECK(gt::softmax(x) == gt::approx(y));
  CHECK(gt::vjp(gt::softmax, x, g) == gt::approx(y * (g - gt::sum(g * y, {.axes = -1, .keepdims = true}))));
  CHECK(gt::log_softmax(x) == gt::approx(gt::log(y)));
  CHECK(gt::vjp(gt::log_softmax, x, g) == gt::approx(g - y * gt::sum(g, {.axes = -1, .keepdims = true})));
}

TEST_CASE("activations: values and gradients within a few ulps of the exact ones in f32 and f64") {
  const gt::RandomStream stream(42);
  const auto check = []<class T>(T) {
    const gt::Tensor x = gt::uniform({20000}, {.low = -15, .high = 15, .dtype = gt::dtype_of<T>});
    const auto worst = [&](const gt::Tensor& actual, auto exact) {
      const auto in = cases::doubles(x), out = cases::doubles(actual);
      double most = 0;
      for (std::size_t i = 0; i < in.size(); ++i)
        most = std::max(most, cases::ulps<T>(out[i], static_cast<double>(exact(static_cast<long double>(in[i])))));
      return most;
    };
    using L = long double;
    const auto ones = gt::ones_like(x);
    CHECK(worst(gt::sigmoid(x), [](L v) { return 1 / (1 + std::exp(-v)); }) <= 3);
    CHECK(worst(gt::tanh(x), [](L v) { return std::tanh(v); }) <= 2);
    CHECK(worst(gt::relu(x), [](L v) { return std::max(v, L{0}); }) == 0);
    CHECK(worst(gt::vjp(gt::relu, x, ones), [](L v) { return v > 0 ? L{1} : L{0}; }) == 0);
    // Near saturation 1 - y and 1 - y² lose digits; what remains is an error of an ulp of 1.
    const double eps = std::numeric_limits<T>::epsilon();
    const auto in = cases::doubles(x), ds = cases::doubles(gt::vjp(gt::sigmoid, x, ones)),
               dt = cases::doubles(gt::vjp(gt::tanh, x, ones));
    double most = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
      most = std::max({most, std::abs(ds[i] - sigmoid_of(in[i]) * (1 - sigmoid_of(in[i]))),
                       std::abs(dt[i] - (1 - std::tanh(in[i]) * std::tanh(in[i])))});
    CHECK(most <= 4 * eps);
  };
  check(float{});
  check(double{});
}

TEST_CASE("activations: extreme inputs") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({inf, -inf, 90, -90, 750, -750, 0.0, -0.0, 1e-40, -1e-310, cases::nan}, dtype),
               ones = gt::ones_like(x);
    const double least =
        dtype == gt::f32 ? std::numeric_limits<float>::min() : 0;  // sigmoid(-90) is subnormal in f32: 8.19e-40
    const auto s = cases::doubles(gt::sigmoid(x)), ds = cases::doubles(gt::vjp(gt::sigmoid, x, ones));
    const std::vector<double> sigmoids{1, 0, 1, 8.194012623990515e-40, 1, 0, 0.5, 0.5, 0.5, 0.5};
    const std::vector<double> slopes{0, 0, 0, 8.194012623990515e-40, 0, 0, 0.25, 0.25, 0.25, 0.25};
    const auto t = cases::doubles(gt::tanh(x)), dt = cases::doubles(gt::vjp(gt::tanh, x, ones));
    const std::vector<double> tanhs{1, -1, 1, -1, 1, -1, 0, 0, 1e-40, -1e-310};
    const auto r = cases::doubles(gt::relu(x)), dr = cases::doubles(gt::vjp(gt::relu, x, ones)), in = cases::doubles(x);
    for (std::size_t i = 0; i < sigmoids.size(); ++i) {
      CAPTURE(in[i]);
      CHECK(std::abs(s[i] - sigmoids[i]) <= least + 1e-14 * sigmoids[i]);
      CHECK(std::abs(ds[i] - slopes[i]) <= least + 1e-14 * slopes[i]);
      CHECK(std::abs(t[i] - tanhs[i]) <= least);
      CHECK(dt[i] == (std::abs(in[i]) > 1 ? 0 : 1));
      CHECK(r[i] == std::max(in[i], 0.0));
      CHECK(dr[i] == (in[i] > 0 ? 1 : 0));
    }
    for (const auto& y : {s, ds, t, dt, r}) CHECK(std::isnan(y.back()));
    CHECK(std::signbit(t[7]));
  }
}

TEST_CASE("activations: what the nodes save") {
  const auto x = gt::parameter(random({2, 3}));
  for (const auto op : {gt::sigmoid, gt::tanh, gt::relu}) {
    const std::string tape = gt::tape_string(op(x));
    CHECK(tape.substr(0, tape.find('\n')).ends_with("saves output [2, 3]"));
  }
  for (const auto op : {gt::softmax, gt::log_softmax}) {
    const std::string tape = gt::tape_string(op(x, {}));
    CHECK(tape.substr(0, tape.find('\n')).ends_with("saves output [2, 3]"));
  }
}

TEST_CASE("softmax: values along every axis of every shape in f32 and f64") {
  const gt::RandomStream stream(43);
  for (const gt::Shape& shape : {gt::Shape{1}, gt::Shape{3}, gt::Shape{37}, gt::Shape{3, 4}, gt::Shape{2, 3, 5},
                                 gt::Shape{5, 100}, gt::Shape{2, 1, 9}})
    for (int axis = -shape.rank(); axis < shape.rank(); ++axis)
      for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
        CAPTURE(gt::to_string(shape));
        CAPTURE(axis);
        const auto x = random(shape).to(gt::f32).to(dtype);
        std::size_t step = 1;
        for (int k = shape.rank() - 1; k > (axis < 0 ? axis + shape.rank() : axis); --k)
          step *= static_cast<std::size_t>(shape[k]);
        auto expected = softmax_of(cases::doubles(x), static_cast<std::size_t>(shape[axis]), step);
        const auto as_tensor = [&] { return gt::tensor(std::span(expected), shape).to(dtype); };
        CHECK(gt::softmax(x, {.axis = axis}) == gt::approx(as_tensor()));
        for (double& p : expected) p = std::log(p);
        CHECK(gt::log_softmax(x, {.axis = axis}) == gt::approx(as_tensor()));
      }
}

TEST_CASE("softmax: large and infinite inputs") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto of = [&](const std::vector<double>& x) { return gt::softmax(vector(x, dtype)); };
    CHECK(of({750, 750}) == gt::approx(vector({0.5, 0.5}, dtype)));
    CHECK(of({-750, -750}) == gt::approx(vector({0.5, 0.5}, dtype)));
    CHECK(of({1e30, 0, -1e30}) == gt::approx(vector({1, 0, 0}, dtype)));
    CHECK(of({0, -inf, 0}) == gt::approx(vector({0.5, 0, 0.5}, dtype)));  // a masked entry
    CHECK(gt::log_softmax(vector({0, -inf, 0}, dtype)) ==
          gt::approx(vector({-std::log(2), -inf, -std::log(2)}, dtype)));
    CHECK(gt::log_softmax(vector({750, 0}, dtype)) == gt::approx(vector({0, -750}, dtype)));
    CHECK(gt::log_softmax(vector({-750, 0}, dtype)) == gt::approx(vector({-750, 0}, dtype)));
    for (const std::vector<double>& x : {std::vector<double>{-inf, -inf}, {inf, 0}, {inf, inf}, {cases::nan, 0, 1}}) {
      bool any_nan = false;
      for (const double y : cases::doubles(of(x))) any_nan = any_nan || std::isnan(y);
      CHECK(any_nan);
    }
    // NaN anywhere in a row, past the first SIMD register too, makes that row NaN and leaves the others alone.
    for (const std::size_t at : {0u, 7u, 8u, 20u, 36u}) {
      CAPTURE(at);
      std::vector<double> x(74, 1.0);
      x[at] = cases::nan;
      const auto rows = gt::tensor(std::span<const double>(x), {2, 37}).to(dtype);
      const auto y = cases::doubles(gt::softmax(rows)), l = cases::doubles(gt::log_softmax(rows));
      for (std::size_t i = 0; i < 37; ++i) {
        CHECK(std::isnan(y[i]));
        CHECK(std::isnan(l[i]));
        CHECK(y[37 + i] == doctest::Approx(1.0 / 37));
        CHECK(l[37 + i] == doctest::Approx(-std::log(37)));
      }
    }
  }
}
