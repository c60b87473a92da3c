#include <gradtape/gradtape.hpp>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Linear;
using testing::Names, testing::names, testing::small_linear;

TEST_CASE("linear layer: x times the transposed weight plus the bias") {
  const Linear layer = small_linear();
  CHECK(gt::equal(layer(gt::tensor({{1., 1.}, {2., 0.}})), gt::tensor({{13., 27., 41.}, {12., 26., 40.}})));
  CHECK(gt::equal(layer(gt::tensor({1., 1.})), gt::tensor({13., 27., 41.})));
  CHECK(layer(gt::zeros({4, 5, 2})).shape() == gt::Shape{4, 5, 3});
  CHECK(layer(gt::zeros({0, 2})).shape() == gt::Shape{0, 3});
}

TEST_CASE("linear layer: gradients of weight and bias") {
  const Linear layer = small_linear();
  gt::sum(layer(gt::tensor({{1., 10.}, {2., 20.}}))).backward();
  CHECK(gt::equal(layer.weight.grad(), gt::tensor({{3., 30.}, {3., 30.}, {3., 30.}})));
  CHECK(gt::equal(layer.bias.grad(), gt::full({3}, 2)));
}

TEST_CASE("linear layer: without a bias") {
  Linear layer(2, 3, {.bias = false});
  CHECK_FALSE(layer.bias.defined());
  CHECK(names(layer) == Names{"weight"});
  CHECK(layer.parameter_count() == 6);
  CHECK(layer.description() == "Linear(2, 3, no bias)");
  layer.weight = gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  const Linear copy = layer;
  CHECK_FALSE(copy.bias.defined());
  CHECK(gt::equal(copy(gt::tensor({{1., 1.}})), gt::tensor({{3., 7., 11.}})));
  gt::sum(copy(gt::tensor({{1., 10.}}))).backward();
  CHECK(gt::equal(copy.weight.grad(), gt::tensor({{1., 10.}, {1., 10.}, {1., 10.}})));
  layer.to(gt::f64);
  CHECK(layer(gt::ones({1, 2}, {.dtype = gt::f64})).dtype() == gt::f64);
}

TEST_CASE("linear layer: errors") {
  CHECK_THROWS_WITH_AS(Linear(0, 3), "Linear: 0 inputs and 3 outputs; both must be at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(Linear(2, -1), "Linear: 2 inputs and -1 outputs; both must be at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(
      small_linear()(gt::zeros({4, 3})),
      "linear: x [4, 3], weight [3, 2] and bias [3] do not fit; expected x […, in], weight [out, in], bias [out]",
      gt::ShapeError);
}

TEST_CASE("linear layer: made under another default dtype") {
  const gt::DefaultDtype precise(gt::f64);
  const Linear layer(2, 3);
  CHECK(layer.weight.dtype() == gt::f64);
  CHECK(layer.bias.dtype() == gt::f64);
}
