#include <gradtape/gradtape.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
namespace report = gradtape::report;

namespace {

gt::Tensor labels(const gt::Literal& values) { return gt::tensor(values, {.dtype = gt::i64}); }

const gt::Tensor scores = gt::tensor({{0.1, 0.7, 0.2}, {2., 1., 0.}, {-3., -2., -1.}, {5., 5., 1.}});

}  // namespace

TEST_CASE("accuracy: scores and answers") {  // the answers are 1 0 2 0: of ties the first
  CHECK(report::accuracy(scores, labels({1, 0, 2, 0})) == 1);
  CHECK(report::accuracy(scores, labels({1, 0, 1, 1})) == 0.5);
  CHECK(report::accuracy(scores.to(gt::f64), labels({0, 1, 0, 0})) == 0.25);
  CHECK(report::accuracy(labels({1, 2, 3}), labels({1, 2, 4})) == doctest::Approx(2. / 3));
  CHECK(report::accuracy(labels(3), labels(3)) == 1);
  CHECK_THROWS_WITH_AS(report::accuracy(labels({1, 2}), labels({1, -7})),
                       "accuracy: label -7 is no class; expected 0 or more", gt::ValueError);
  CHECK(report::accuracy(gt::parameter(scores), labels({1, 0, 2, 1})) == 0.75);
}

TEST_CASE("accuracy: classes stand on axis 1 and views are read as they look") {
  const auto pixels = gt::tensor({{{1., 9.}, {2., 3.}}});  // (1, 2 classes, 2 pixels): answers 1 0
  CHECK(report::accuracy(pixels, labels({{1, 0}})) == 1);
  CHECK(report::accuracy(pixels, labels({{1, 1}})) == 0.5);
  const auto turned = gt::transpose(gt::contiguous(gt::transpose(scores)));
  CHECK(report::accuracy(turned, labels({1, 0, 2, 1})) == 0.75);
  CHECK(report::accuracy(scores, labels({1, 0, 2, 1, 9, 9})[{gt::Slice{0, 4}}]) == 0.75);
}

TEST_CASE("accuracy: an ignored label takes no part") {
  CHECK(report::accuracy(scores, labels({1, -100, 0, -100})) == 0.5);
  CHECK(report::accuracy(scores, labels({2, 0, 2, 0}), {.ignore_index = 2}) == 1);
}

TEST_CASE("confusion matrix: rows are what it is and columns what it was taken for") {
  const auto found = report::confusion_matrix(scores, labels({1, 1, 2, 0}));
  CHECK(gt::equal(found, labels({{1, 0, 0}, {1, 1, 0}, {0, 0, 1}})));
  CHECK(gt::equal(report::confusion_matrix(labels({0, 1, 1}), labels({0, 0, 1})), labels({{1, 1}, {0, 1}})));
  CHECK(
      gt::equal(report::confusion_matrix(labels({0, 1}), labels({0, -100}), {.classes = 2}), labels({{1, 0}, {0, 0}})));
  CHECK(report::confusion_matrix(gt::zeros({0, 4}), gt::zeros({0}, {.dtype = gt::i64})).shape() == gt::Shape{4, 4});
}

TEST_CASE("rmse: on paper") {
  CHECK(report::rmse(gt::tensor({1., 2., 3.}), gt::tensor({1., 4., 7.})) == doctest::Approx(std::sqrt(20. / 3)));
  CHECK(report::rmse(gt::tensor({{1., 2.}, {3., 4.}}), gt::transpose(gt::tensor({{1., 3.}, {2., 4.}}))) == 0);
  CHECK(report::rmse(gt::tensor(3e30), gt::tensor(0.)) == doctest::Approx(3e30));  // its square is beyond f32
  CHECK(std::isnan(report::rmse(gt::tensor({std::nan("")}), gt::tensor({0.}))));
}

TEST_CASE("perplexity: on paper") {
  CHECK(report::perplexity(gt::zeros({5, 7}), labels({0, 1, 2, 3, 6})) == doctest::Approx(7));
  // p of the labels are 1/2 and 1/8: exp of the mean of log 2 and log 8 is 4.
  const auto logits = gt::log(gt::tensor({{1., 1.}, {7., 1.}}, {.dtype = gt::f64}));
  CHECK(report::perplexity(logits, labels({0, 1})) == doctest::Approx(4));
  CHECK(report::perplexity(logits, labels({0, -100})) == doctest::Approx(2));
}

TEST_CASE("metrics: what does not fit is told") {
  CHECK_THROWS_WITH_AS(report::accuracy(scores, gt::ones({4})), "accuracy: labels are f32; expected i64",
                       gt::DtypeError);
  CHECK_THROWS_WITH_AS(report::accuracy(scores > 0, labels({0, 0, 0, 0})),
                       "accuracy: the output is boolean; expected scores, f32 or f64, or classes, i64", gt::DtypeError);
  CHECK_THROWS_WITH_AS(report::accuracy(scores, labels({0, 1})),
                       "accuracy: scores [4, 3] and labels [2] do not fit; expected scores [n, classes] and labels [n]",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(report::accuracy(labels({0, 1, 2}), labels({0, 1})),
                       "accuracy: answers [3] and labels [2] do not fit; expected answers [n] and labels [n]",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(report::accuracy(gt::zeros({4, 0}), labels({0, 0, 0, 0})),
                       "accuracy: scores [4, 0] have no classes", gt::ShapeError);
  CHECK_THROWS_WITH_AS(report::accuracy(scores, labels({0, 1, 3, 0})),
                       "accuracy: label 3 at index 2 is no class; expected 0 to 2", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::accuracy(scores, labels({-100, -100, -100, -100})),
                       "accuracy: no labels, and the mean of nothing is undefined", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::confusion_matrix(labels({0, 5}), labels({0, 1}), {.classes = 2}),
                       "confusion_matrix: answer 5 is no class; expected 0 to 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::confusion_matrix(labels({0, 1}), labels({-1, 1})),
                       "confusion_matrix: label -1 is no class; expected 0 or more", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::confusion_matrix(scores, labels({0, 0, 0, 0}), {.classes = -1}),
                       "confusion_matrix: -1 classes; expected 0 to 4096", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::confusion_matrix(labels({std::int64_t{1} << 62}), labels({0})),
                       "confusion_matrix: answer 4611686018427387904 is no class; expected 0 to 4095", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::rmse(gt::zeros({2}), gt::zeros({2, 1})),
                       "rmse: output [2] and target [2, 1] differ in shape", gt::ShapeError);
  CHECK_THROWS_WITH_AS(report::rmse(gt::zeros({2}), labels({0, 1})),
                       "rmse: output is f32 and target i64; expected both f32 or both f64", gt::DtypeError);
  CHECK_THROWS_WITH_AS(report::rmse(gt::zeros({0}), gt::zeros({0})),
                       "rmse: no elements, and the mean of nothing is undefined", gt::ValueError);
  CHECK_THROWS_WITH_AS(report::perplexity(labels({0, 1}), labels({0, 1})),
                       "perplexity: logits are i64; expected f32 or f64", gt::DtypeError);
}

TEST_CASE("running mean: weighted by what each value stands for") {
  report::RunningMean mean;
  CHECK(std::isnan(mean.mean()));
  CHECK(mean.add(1, 3) == 1);
  CHECK(mean.add(5) == 2);
  CHECK(mean.weight() == 4);
  CHECK(std::isnan(mean.add(std::numeric_limits<double>::quiet_NaN())));
  mean.reset();
  CHECK(mean.add(7, 2) == 7);
}
