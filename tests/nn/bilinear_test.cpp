#include <gradtape/gradtape.hpp>

#include <cmath>
#include <span>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Bilinear;
using testing::Names, testing::names;

TEST_CASE("bilinear layer: the formula by plain loops") {
  const gt::RandomStream stream(72);
  const gt::DefaultDtype precise(gt::f64);
  const Bilinear layer(3, 4, 2);
  const auto a = gt::uniform({5, 3}), b = gt::uniform({5, 4}), y = layer(a, b);
  REQUIRE(y.shape() == gt::Shape{5, 2});
  for (int n = 0; n < 5; ++n)
    for (int o = 0; o < 2; ++o) {
      double sum = layer.bias[o].item();
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 4; ++j) sum += a[{n, i}].item() * layer.weight[{o, i, j}].item() * b[{n, j}].item();
      CHECK(y[{n, o}].item() == doctest::Approx(sum).epsilon(1e-12));
    }
  CHECK(layer(gt::zeros({2, 1, 3}), gt::zeros({7, 4})).shape() == gt::Shape{2, 7, 2});
  CHECK(layer(gt::zeros({0, 3}), gt::zeros({0, 4})).shape() == gt::Shape{0, 2});
}

TEST_CASE("bilinear layer: gradients by both inputs and the parameters") {
  const gt::RandomStream stream(73);
  const gt::DefaultDtype precise(gt::f64);
  const auto call = [](const Bilinear& net, std::span<const gt::Tensor> x) { return net(x[0], x[1]); };
  CHECK(testing::gradcheck_module(Bilinear(3, 2, 2), call, {gt::uniform({4, 3}), gt::uniform({4, 2})}));
  CHECK(testing::gradcheck_module(Bilinear(3, 2, 2, {.bias = false}), call, {gt::uniform({3}), gt::uniform({2})}));
}

TEST_CASE("bilinear layer: start, names, printing and misuse") {
  const gt::RandomStream stream(74);
  const Bilinear layer(25, 40, 30);
  CHECK(names(layer) == Names{"weight", "bias"});
  CHECK(layer.weight.shape() == gt::Shape{30, 25, 40});
  const double largest = gt::max(gt::abs(layer.weight)).item();
  CHECK(largest <= 0.2);
  CHECK(largest > 0.199);
  CHECK(layer.description() == "Bilinear(25, 40, 30)");
  CHECK(Bilinear(1, 2, 3, {.bias = false}).description() == "Bilinear(1, 2, 3, no bias)");
  CHECK_THROWS_WITH_AS(Bilinear(1, 0, 3), "Bilinear: 1 and 0 inputs and 3 outputs; all must be at least 1",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(layer(gt::zeros({2, 25}), gt::zeros({2, 4})),
                       "Bilinear: x1 [2, 25] and x2 [2, 4]; expected (…, 25) and (…, 40)", gt::ShapeError);
}
