#include <gradtape/gradtape.hpp>

#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("gradcheck passes on right rules") {
  const auto x = gt::uniform({3, 4}, {.dtype = gt::f64}), g = gt::uniform({3, 4}, {.dtype = gt::f64});
  CHECK(gt::gradcheck(gt::sigmoid, x));
  CHECK(gt::gradcheck(gt::relu, gt::away_from(0.0, {3, 4})));
  CHECK(gt::gradcheck(gt::tanh, x).order(3));
  CHECK(gt::gradcheck(gt::sum, x));
  CHECK(gt::gradcheck(gt::mul, {x, g}));
  CHECK(gt::gradcheck(gt::mul, {x, gt::uniform({4})}));
  CHECK(gt::gradcheck(gt::div, {x, gt::uniform({3, 1}, {.low = 1, .high = 2})}));
  CHECK(gt::gradcheck(gt::matmul, {x, gt::uniform({4, 5})}));
  CHECK(gt::gradcheck(gt::linear, {x, gt::uniform({5, 4}), gt::uniform({5})}));
  CHECK(gt::gradcheck(gt::softmax, x));
  CHECK(gt::gradcheck(gt::log_softmax, x));
  CHECK(gt::gradcheck(gt::mse_loss, {x, g}));
  CHECK(gt::gradcheck(gt::cross_entropy, {x, gt::tensor({1, 0, 3}, {.dtype = gt::i64})}));
  CHECK(gt::gradcheck(gt::max, gt::distinct({3, 4})));
  CHECK(gt::gradcheck(gt::mean, x));
  CHECK(gt::gradcheck(gt::take, {x, gt::tensor({1, 0, 1}, {.dtype = gt::i64})}));
  CHECK(gt::gradcheck(gt::pow, {gt::uniform({3}, {.low = 0.5, .high = 2}), gt::uniform({3})}));
  const auto y = gt::sigmoid(x);
  CHECK(gt::vjp(gt::sigmoid, x, g) == gt::approx(g * y * (1 - y)));
}
