#include <ops/rows.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::vector;

namespace {

gt::Tensor random(const gt::Shape& shape) { return between(-3, 3)(shape); }

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
      for (cases::Call& call :
           cases::at({shape}, between(-3, 3), [=](const gt::Tensor& x) { return f(x, {.axis = axis}); }))
        out.push_back(std::move(call));
  return out;
}

const cases::Rows softmaxes([]() -> std::vector<cases::Row> {
  const auto integers = [] { return gt::zeros({2}, {.dtype = gt::i64}); };
  return {
      {"softmax",
       along_axes(gt::softmax),
       {{"softmax: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::softmax(integers()); }},
        {"softmax: axis 2 is out of range for rank 2; use -2 to 1",
         [] {
           gt::softmax(gt::zeros({2, 3}), {.axis = 2});
         }}}},
      {"log_softmax",
       along_axes(gt::log_softmax),
       {{"log_softmax: no meaning for i64; convert with .to(gradtape::f32)", [=] { gt::log_softmax(integers()); }},
        {"log_softmax: axis -1 of a scalar; a scalar has no axes", [] { gt::log_softmax(gt::zeros({})); }}}},
  };
});

}  // namespace

TEST_CASE("softmax: rows") { softmaxes.check(); }

TEST_CASE("softmax: the formulas on paper") {
  const gt::RandomStream stream(41);
  const auto x = random({3, 4}), g = random({3, 4});
  const auto y = gt::exp(x) / gt::sum(gt::exp(x), {.axes = -1, .keepdims = true});
  CHECK(gt::softmax(x) == gt::approx(y));
  CHECK(gt::vjp(gt::softmax, x, g) == gt::approx(y * (g - gt::sum(g * y, {.axes = -1, .keepdims = true}))));
  CHECK(gt::log_softmax(x) == gt::approx(gt::log(y)));
  CHECK(gt::vjp(gt::log_softmax, x, g) == gt::approx(g - y * gt::sum(g, {.axes = -1, .keepdims = true})));
}

TEST_CASE("softmax: the nodes save the output") {
  const auto x = gt::parameter(random({2, 3}));
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
