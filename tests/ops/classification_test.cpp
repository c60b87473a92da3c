#include "ops/rows.hpp"
#include "ops/tensors.hpp"

namespace gt = gradtape;
using cases::inf, cases::random, cases::integers, cases::between, cases::Call, cases::Row;
using gt::LossReduction, gt::Slice, gt::Tensor;

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

/// A vector of positive weights.
Tensor some_weights(std::int64_t classes) { return gt::uniform({classes}, {.low = 0.5, .high = 2, .dtype = gt::f64}); }

std::vector<Call> over_logits(const std::function<Tensor(const Tensor& x, const Tensor& labels)>& loss,
                              bool none_rows) {
  std::vector<Call> out;
  std::vector<gt::Shape> shapes{{1, 1}, {1, 3}, {3, 4}, {2, 37}, {2, 3, 5}};
  if (none_rows) shapes.push_back({0, 3});
  for (const gt::Shape& shape : shapes) {
    gt::Shape rows = {shape[0]};
    for (int axis = 2; axis < shape.rank(); ++axis) rows.push_back(shape[axis]);
    const auto labels = [=](const gt::Shape& s) { return gt::reshape(some_labels(s.numel(), shape[1]), s); };
    for (Call& call : cases::on({{shape, between(-1, 1)}, {rows, labels}}, loss)) out.push_back(std::move(call));
  }
  return out;
}

const cases::Rows rows([]() -> std::vector<Row> {
  const auto zeros = [](const gt::Shape& shape, gt::Dtype dtype = gt::f32) {
    return gt::zeros(shape, {.dtype = dtype});
  };
  const std::string expected = " do not fit; expected logits [n, classes] and labels [n]";
  const auto weighted = [](LossReduction reduction, double smoothing) {
    return [=](const Tensor& x, const Tensor& labels) {
      const gt::RandomStream stream(8);
      return gt::cross_entropy(x, labels,
                               {.weight = some_weights(x.shape()[1]),
                                .ignore_index = 0,
                                .reduction = reduction,
                                .label_smoothing = smoothing});
    };
  };
  const auto probabilities = [](const Tensor& x, const Tensor& p) {
    const gt::RandomStream stream(8);
    return gt::cross_entropy(x, p, {.weight = some_weights(x.shape()[1]), .label_smoothing = 0.1});
  };
  const auto nll = [](LossReduction reduction) {
    return [=](const Tensor& x, const Tensor& labels) {
      const gt::RandomStream stream(8);
      return gt::nll_loss(x, labels, {.weight = some_weights(x.shape()[1]), .reduction = reduction});
    };
  };
  return {
      {"cross_entropy",
       cases::calls({over_logits([](auto& x, auto& l) { return gt::cross_entropy(x, l); }, false),
                     over_logits(weighted(LossReduction::none, 0), true),
                     over_logits(weighted(LossReduction::sum, 0.2), true),
                     cases::on({{{3, 4}, between(-1, 1)}, {{3, 4}, between(0, 1)}}, probabilities),
                     cases::on({{{2, 3, 5}, between(-1, 1)}, {{2, 3, 5}, between(0, 1)}}, probabilities)}),
       {
           {"cross_entropy: logits [3] and labels [1]" + expected,
            [=] { gt::cross_entropy(zeros({3}), integers({0})); }},
           {"cross_entropy: logits [3, 4] and labels [1]" + expected,
            [=] {
              gt::cross_entropy(zeros({3, 4}), integers({0}));
            }},
           {"cross_entropy: logits [2, 4] and target probabilities [2] do not fit; expected both [n, classes], "
            "or labels as i64, where these are f32",
            [=] {
              gt::cross_entropy(zeros({2, 4}), zeros({2}));
            }},
           {"cross_entropy: logits are i64 and labels i64; expected f32 or f64, and i64",
            [=] {
              gt::cross_entropy(zeros({1, 4}, gt::i64), integers({0}));
            }},
           {"cross_entropy: no rows, and the mean of nothing is undefined",
            [=] {
              gt::cross_entropy(zeros({0, 4}), integers({}));
            }},
           {"cross_entropy: label 4 at index 1 is no class; expected 0 to 3",
            [=] {
              gt::cross_entropy(zeros({2, 4}), integers({3, 4}));
            }},
           {"cross_entropy: label -1 at index 0 is no class; expected 0 to 3",
            [=] {
              gt::cross_entropy(zeros({1, 4}), integers({-1}));
            }},
           {"cross_entropy: label_smoothing is 2; expected 0 to 1",
            [=] {
              gt::cross_entropy(zeros({1, 4}), integers({0}), {.label_smoothing = 2});
            }},
           {"cross_entropy: weight [3] does not fit 4 classes; expected one weight for each",
            [=] {
              gt::cross_entropy(zeros({1, 4}), integers({0}), {.weight = gt::ones({3})});
            }},
       },
       3},
      {"nll_loss",
       cases::calls({over_logits(nll(LossReduction::mean), false), over_logits(nll(LossReduction::none), true)}),
       {
           {"nll_loss: log-probabilities [3, 4] and labels [1] do not fit; expected log-probabilities [n, classes] and "
            "labels [n]",
            [=] {
              gt::nll_loss(zeros({3, 4}), integers({0}));
            }},
           {"nll_loss: label 7 at index 0 is no class; expected 0 to 3",
            [=] {
              gt::nll_loss(zeros({1, 4}), integers({7}));
            }},
       }},
  };
});

}  // namespace

TEST_CASE("classification: rows") { rows.check(); }

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

TEST_CASE("cross-entropy with weights, labels to ignore and smoothing equals plain loops") {
  const gt::RandomStream stream(4);
  const std::int64_t n = 6, classes = 5;
  const Tensor x = 3 * random({n, classes}), weight = some_weights(classes), labels = integers({0, 3, -7, 4, 3, -7});
  const std::vector<double> v = cases::doubles(x), w = cases::doubles(weight);
  const std::vector<std::int64_t> label = labels.to_vector<std::int64_t>();
  for (const double smoothing : {0.0, 0.3}) {
    std::vector<double> each;
    double sum = 0, total_weight = 0;
    for (std::size_t r = 0; r < 6; ++r) {
      double exponentials = 0, even = 0;
      for (std::size_t c = 0; c < 5; ++c) exponentials += std::exp(v[r * 5 + c]);
      const auto log_p = [&](std::size_t c) { return v[r * 5 + c] - std::log(exponentials); };
      for (std::size_t c = 0; c < 5; ++c) even -= w[c] * log_p(c) / 5;
      const auto c = static_cast<std::size_t>(std::max<std::int64_t>(label[r], 0));
      each.push_back(label[r] < 0 ? 0 : -(1 - smoothing) * w[c] * log_p(c) + smoothing * even);
      sum += each.back();
      total_weight += label[r] < 0 ? 0 : w[c];
    }
    const auto loss = [&](LossReduction reduction) {
      return gt::cross_entropy(
          x, labels, {.weight = weight, .ignore_index = -7, .reduction = reduction, .label_smoothing = smoothing});
    };
    CHECK(loss(LossReduction::none) == gt::approx(cases::vector(each)));
    CHECK(loss(LossReduction::sum).item() == doctest::Approx(sum).epsilon(1e-12));
    CHECK(loss(LossReduction::mean).item() == doctest::Approx(sum / total_weight).epsilon(1e-12));
    if (smoothing > 0) continue;
    const Tensor log_p = gt::log_softmax(x);
    CHECK(gt::nll_loss(log_p, labels, {.weight = weight, .ignore_index = -7}).item() ==
          doctest::Approx(sum / total_weight).epsilon(1e-12));
  }
}

TEST_CASE(
    "cross-entropy of probabilities that name one class is that of its label, and the fused mean is the composed one") {
  const gt::RandomStream stream(4);
  const Tensor x = 3 * random({6, 5}), labels = some_labels(6, 5), p = gt::one_hot(labels, 5).to(gt::f64);
  const Tensor fused = gt::cross_entropy(x, labels);
  CHECK(gt::cross_entropy(x, p).item() == doctest::Approx(fused.item()).epsilon(1e-13));
  const Tensor rows = gt::cross_entropy(x, labels, {.reduction = LossReduction::none});
  CHECK(gt::mean(rows).item() == doctest::Approx(fused.item()).epsilon(1e-13));
  const auto one = gt::tensor(1.0, {.dtype = gt::f64});
  const auto composed = [&](const Tensor& logits) {
    return gt::mean(gt::cross_entropy(logits, labels, {.reduction = LossReduction::none}));
  };
  CHECK(gt::vjp(composed, x, one) ==
        gt::approx(gt::vjp([&](const Tensor& l) { return gt::cross_entropy(l, labels); }, x, one)));
}

TEST_CASE("cross-entropy of nothing but ignored labels is the mean of nothing") {
  CHECK(std::isnan(gt::cross_entropy(gt::zeros({2, 3}), integers({-100, -100})).item()));
  CHECK(gt::cross_entropy(gt::zeros({2, 3}), integers({-100, -100}), {.reduction = LossReduction::sum}).item() == 0);
}
