#include "ops/cases.hpp"
#include "ops/tensors.hpp"

namespace gt = gradtape;
using cases::inf, cases::message_of, cases::random, cases::integers;
using gt::Slice, gt::Tensor;

namespace {

/// Labels that walk through the classes.
Tensor some_labels(std::int64_t n, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(i * 7 % classes);
  return integers(labels);
}

/// mean(log(sum(exp(row))) - row[label]) by plain loops.
double cross_entropy_by_loops(const Tensor& logits, const Tensor& labels) {
  const std::vector<double> x = cases::doubles(logits);
  const std::vector<std::int64_t> label = labels.to_vector<std::int64_t>();
  const std::size_t classes = x.size() / label.size();
  double total = 0;
  for (std::size_t r = 0; r < label.size(); ++r) {
    const auto row = x.begin() + static_cast<std::ptrdiff_t>(r * classes);
    const double top = *std::max_element(row, row + static_cast<std::ptrdiff_t>(classes));
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(x[r * classes + c] - top);
    total += std::log(sum) + top - x[r * classes + static_cast<std::size_t>(label[r])];
  }
  return total / static_cast<double>(label.size());
}

std::size_t ops_on(const Tensor& result) {
  const std::string tape = gt::tape_string(result);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = tape.find('\n', at)) != std::string::npos; ++at) ++lines;
  for (std::size_t at = 0; (at = tape.find("leaf ", at)) != std::string::npos; ++at) --lines;
  return lines;
}

}  // namespace

TEST_CASE("mse is the mean of squared differences, its gradient 2/n of the difference") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const gt::Shape& shape : {gt::Shape{}, {1}, {37}, {3, 4}, {2, 3, 5}, {1030}, {3, 700}}) {
      CAPTURE(gt::to_string(shape));
      const Tensor y = random(shape, dtype), t = random(shape, dtype), g = gt::tensor(1.5, {.dtype = dtype});
      const double n = static_cast<double>(shape.numel());
      const std::vector<double> a = cases::doubles(y), b = cases::doubles(t);
      double sum = 0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
      CHECK(gt::mse_loss(y, t) == gt::approx(gt::full({}, sum / n, {.dtype = dtype})));
      const auto [dy, dt] = gt::vjp(gt::mse_loss, {y, t}, g);
      CHECK(dy == gt::approx((y - t) * (3 / n)));
      CHECK(dt == gt::approx((t - y) * (3 / n)));
    }
}

TEST_CASE("mse is one op, with one op for its gradient") {
  const Tensor y = gt::parameter(random({3, 4})), t = random({3, 4});
  const Tensor loss = gt::mse_loss(y, t);
  CHECK(ops_on(loss) == 1);
  const auto [dy] = gt::grad(loss, {y}, {.create_graph = true});
  CHECK(dy.node()->name() == "mse_vjp");
}

TEST_CASE("gradcheck of mse") {
  for (const gt::Shape& shape : {gt::Shape{}, {1}, {3}, {37}, {3, 4}, {2, 3, 5}}) {
    CAPTURE(gt::to_string(shape));
    CHECK(gt::gradcheck(gt::mse_loss, {random(shape), random(shape)}).order(3));
  }
  CHECK(gt::gradcheck(
      [](const Tensor& y, const Tensor& t) {
        return gt::mse_loss(gt::transpose(y), t[{Slice{1, 5}, Slice{0, 3}}]);
      },
      {random({3, 4}), random({6, 4})}));
  CHECK(gt::gradcheck([](const Tensor& y) { return gt::mse_loss(y, gt::transpose(y)); }, random({3, 3})));
}

TEST_CASE("mse with inf and NaN") {
  CHECK(gt::mse_loss(cases::vector({inf, 1}), cases::vector({0, 1})).item() == inf);
  CHECK(std::isnan(gt::mse_loss(cases::vector({inf, 1}), cases::vector({inf, 1})).item()));
  CHECK(std::isnan(gt::mse_loss(cases::vector({1, cases::nan}), cases::vector({0, 1})).item()));
}

TEST_CASE("cross-entropy equals plain loops, its gradient softmax minus one_hot over n") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const auto& [n, classes] :
         {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 2}, {3, 4}, {5, 10}, {2, 37}, {64, 10}, {3, 16}, {2, 700}}) {
      CAPTURE(n);
      CAPTURE(classes);
      const Tensor x = 5 * random({n, classes}, dtype), labels = some_labels(n, classes),
                   g = gt::tensor(-2.5, {.dtype = dtype});
      CHECK(gt::cross_entropy(x, labels) ==
            gt::approx(gt::full({}, cross_entropy_by_loops(x, labels), {.dtype = dtype})));
      const Tensor hot = gt::one_hot(labels, classes).to(dtype), e = gt::exp(x);
      const Tensor expected = g * (e / gt::sum(e, {.axes = 1, .keepdims = true}) - hot) / static_cast<double>(n);
      CHECK(gt::vjp(gt::cross_entropy, {x, labels}, g)[0] == gt::approx(expected));
      const auto composed = [&](const Tensor& logits) {
        return -gt::sum(gt::log_softmax(logits) * hot) / static_cast<double>(n);
      };
      CHECK(gt::vjp(gt::cross_entropy, {x, labels}, g)[0] == gt::approx(gt::vjp(composed, x, g)));
    }
}

TEST_CASE("cross-entropy reads strided logits and labels") {
  const Tensor x = random({4, 3}), wide = random({5, 9}), labels = some_labels(6, 3);
  const Tensor every_other = gt::reshape(labels, {3, 2})[{Slice{}, 0}], t = gt::contiguous(gt::transpose(x[Slice{1}]));
  CHECK(gt::equal(gt::cross_entropy(gt::transpose(x[Slice{1}]), every_other),
                  gt::cross_entropy(t, gt::contiguous(every_other))));
  const Tensor part = wide[{Slice{1, 4}, Slice{2, 6}}];
  CHECK(gt::cross_entropy(part, every_other).item() == doctest::Approx(cross_entropy_by_loops(part, every_other)));
}

TEST_CASE("gradcheck of cross-entropy") {
  for (const auto& [n, classes] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 3}, {3, 4}, {2, 37}}) {
    CAPTURE(n);
    CAPTURE(classes);
    CHECK(gt::gradcheck(gt::cross_entropy, {random({n, classes}), some_labels(n, classes)}).order(3));
  }
  CHECK(gt::gradcheck([](const Tensor& x) { return gt::cross_entropy(gt::transpose(x), some_labels(3, 4)); },
                      random({4, 3})));
}

TEST_CASE("cross-entropy of extreme logits") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto both = [&](const std::vector<double>& row, std::int64_t label) {
      const Tensor x = gt::reshape(cases::vector(row, dtype), {1, -1}), one = gt::ones({}, {.dtype = dtype});
      return std::pair(gt::cross_entropy(x, integers({label})).item(),
                       cases::doubles(gt::vjp(gt::cross_entropy, {x, integers({label})}, one)[0]));
    };
    using Doubles = std::vector<double>;
    CHECK(both({1e4, -1e4}, 0) == std::pair(0.0, Doubles{0, 0}));
    CHECK(both({1e4, -1e4}, 1) == std::pair(2e4, Doubles{1, -1}));
    CHECK(both({0, -inf, -inf}, 0) == std::pair(0.0, Doubles{0, 0, 0}));
    CHECK(both({0, -inf}, 1) == std::pair(inf, Doubles{1, -1}));
    CHECK(both({3}, 0) == std::pair(0.0, Doubles{0}));
    // No digit of a small loss is lost beside large logits.
    CHECK(both({1e4, 1e4}, 1).first == doctest::Approx(std::log(2.0)).epsilon(1e-7));
    CHECK(both({-1e4, -1e4}, 0).second == Doubles{-0.5, 0.5});
    for (const Doubles& row : {Doubles{cases::nan, 0}, {0, cases::nan}, {inf, 0}, {-inf, -inf}})
      CHECK(std::isnan(both(row, 0).first));
  }
}

TEST_CASE("losses say what does not fit") {
  const auto zeros = [](const gt::Shape& shape, gt::Dtype dtype = gt::f32) {
    return gt::zeros(shape, {.dtype = dtype});
  };
  const auto shape = [](auto f) { return message_of<gt::ShapeError>(f); };
  const auto dtype = [](auto f) { return message_of<gt::DtypeError>(f); };
  const auto value = [](auto f) { return message_of<gt::ValueError>(f); };
  CHECK(shape([&] {
          return gt::mse_loss(zeros({3, 1}), zeros({3}));
        }) == "mse_loss: output [3, 1] and target [3] differ in shape; reshape one of them");
  CHECK(value([&] {
          return gt::mse_loss(zeros({0, 3}), zeros({0, 3}));
        }) == "mse_loss: shape [0, 3] has no elements, and the mean of nothing is undefined");
  CHECK(dtype([&] { return gt::mse_loss(zeros({3}, gt::i64), zeros({3}, gt::i64)); }) ==
        "mse_loss: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(dtype([&] { return gt::mse_loss(zeros({3}), zeros({3}, gt::i64)); }) ==
        "mse_loss: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(dtype([&] { return gt::mse_loss(zeros({3}), zeros({3}, gt::f64)); }) ==
        "mse_loss: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
  const std::string expected = " do not fit; expected logits [n, classes] and labels [n]";
  CHECK(shape([&] { return gt::cross_entropy(zeros({3}), integers({0})); }) ==
        "cross_entropy: logits [3] and labels [1]" + expected);
  CHECK(shape([&] {
          return gt::cross_entropy(zeros({3, 4}), integers({0}));
        }) == "cross_entropy: logits [3, 4] and labels [1]" + expected);
  CHECK(shape([&] {
          return gt::cross_entropy(zeros({1, 4}), zeros({1, 4}));
        }) == "cross_entropy: logits [1, 4] and labels [1, 4]" + expected);
  CHECK(dtype([&] {
          return gt::cross_entropy(zeros({1, 4}), zeros({1}));
        }) == "cross_entropy: logits are f32 and labels f32; expected f32 or f64, and i64");
  CHECK(value([&] {
          return gt::cross_entropy(zeros({0, 4}), integers({}));
        }) == "cross_entropy: no rows, and the mean of nothing is undefined");
  CHECK(value([&] {
          return gt::cross_entropy(zeros({2, 4}), integers({3, 4}));
        }) == "cross_entropy: label 4 at index 1 is no class; expected 0 to 3");
  CHECK(value([&] {
          return gt::cross_entropy(zeros({1, 4}), integers({-1}));
        }) == "cross_entropy: label -1 at index 0 is no class; expected 0 to 3");
}
