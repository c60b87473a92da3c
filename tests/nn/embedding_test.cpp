#include <gradtape/gradtape.hpp>

#include <cmath>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Embedding;
using testing::Names, testing::names;

TEST_CASE("embedding layer: rows of the table, and their gradient") {
  Embedding layer(3, 2);
  layer.weight = gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  const auto ids = gt::tensor({{2, 0}, {2, 1}}, {.dtype = gt::i64});
  const auto y = layer(ids);
  CHECK(gt::equal(y, gt::tensor({{{5., 6.}, {1., 2.}}, {{5., 6.}, {3., 4.}}})));
  gt::sum(y).backward();
  CHECK(gt::equal(layer.weight.grad(), gt::tensor({{1., 1.}, {1., 1.}, {2., 2.}})));
  CHECK(names(layer) == Names{"weight"});
}

TEST_CASE("embedding layer: starts normal, the padding's row 0 and without a gradient") {
  const gt::RandomStream stream(71);
  for (const int padding : {2, -4998}) {
    const Embedding layer(5000, 8, {.padding_idx = padding});
    CHECK(gt::equal(layer.weight[2], gt::zeros({8})));
    CHECK(std::abs(gt::mean(layer.weight).item()) < 0.02);
    CHECK(gt::mean(layer.weight * layer.weight).item() == doctest::Approx(1).epsilon(0.03));
    gt::sum(layer(gt::tensor({2, 3}, {.dtype = gt::i64}))).backward();
    CHECK(gt::equal(layer.weight.grad()[2], gt::zeros({8})));
    CHECK(gt::equal(layer.weight.grad()[3], gt::ones({8})));
  }
}

TEST_CASE("embedding layer: printing and misuse") {
  CHECK(Embedding(5, 3).description() == "Embedding(5, 3)");
  CHECK(Embedding(5, 3, {.padding_idx = 0}).description() == "Embedding(5, 3, padding 0)");
  CHECK_THROWS_WITH_AS(Embedding(0, 3), "Embedding: 0 vectors of width 3; both must be at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(Embedding(5, 3, {.padding_idx = 5}),
                       "Embedding: padding_idx 5 is outside of the table, which has 5 rows", gt::IndexError);
}
