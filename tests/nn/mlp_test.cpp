#include <gradtape/gradtape.hpp>

#include <cmath>
#include <utility>
#include <vector>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::MLP;
using testing::Names, testing::names;

TEST_CASE("MLP: activations between the layers, none after the last") {
  MLP net({2, 2, 1}, {.activation = gt::sigmoid});
  net.layers[0].weight = gt::tensor({{1., 2.}, {-1., 0.5}});
  net.layers[0].bias = gt::tensor({0.5, -0.5});
  net.layers[1].weight = gt::tensor({{30., -40.}});
  net.layers[1].bias = gt::tensor({7.});
  const auto s = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double expected = 30 * s(0.3 + 2 * 0.7 + 0.5) - 40 * s(-0.3 + 0.5 * 0.7 - 0.5) + 7;
  CHECK(net(gt::tensor({{0.3, 0.7}})).item() == doctest::Approx(expected).epsilon(1e-6));

  const MLP linear({2, 1});
  CHECK(names(linear) == Names{"layers.0.weight", "layers.0.bias"});
  const auto x = gt::tensor({{0.3, 0.7}});
  CHECK(gt::equal(linear(x), linear.layers[0](x)));
}

TEST_CASE("MLP: relu unless told otherwise and any function by name or lambda") {
  const auto output = [](MLP net) {
    net.layers[0].weight = gt::tensor({{1.}, {1.}});
    net.layers[0].bias = gt::tensor({-3., 2.});
    net.layers[1].weight = gt::tensor({{10., 100.}});
    net.layers[1].bias = gt::tensor({0.});
    return net(gt::tensor({{1.}})).item();  // the hidden layer is (-2, 3)
  };
  CHECK(output(MLP({1, 2, 1})) == 300);
  CHECK(output(MLP({1, 2, 1}, {.activation = gt::abs})) == 320);
  CHECK(output(MLP({1, 2, 1}, {.activation = [](const gt::Tensor& h) { return h * h; }})) == 940);
  CHECK(output(MLP({1, 2, 1}, {.activation = gt::softmax})) ==
        doctest::Approx((10 * std::exp(-5.0) + 100) / (1 + std::exp(-5.0))).epsilon(1e-6));
}

TEST_CASE("MLP: widths of any integer type") {
  const std::int64_t in = 784;
  const int hidden = 128;
  const std::size_t out = 10;
  CHECK(MLP({in, hidden, out}).parameter_count() == 784 * 128 + 128 + 128 * 10 + 10);
  CHECK(MLP(gt::nn::Widths(std::vector<std::int64_t>{2, 3, 4})).layers.size() == 2);
}

TEST_CASE("MLP: errors") {
  CHECK_THROWS_WITH_AS(MLP({5}), "MLP: 1 widths; at least an input and an output width are needed", gt::ValueError);
  CHECK_THROWS_WITH_AS(MLP({5, 0, 1}), "Linear: 5 inputs and 0 outputs; both must be at least 1", gt::ValueError);
}

TEST_CASE("MLP: one that was moved from says so") {
  MLP from({2, 3});
  const MLP to = std::move(from);
  CHECK(to(gt::zeros({1, 2})).shape() == gt::Shape{1, 3});
  CHECK_THROWS_WITH_AS(from(gt::zeros({1, 2})),  // NOLINT(bugprone-use-after-move): that is the test
                       "MLP: there are no layers; was this one moved from?", gt::Error);
}

TEST_CASE("MLP: learns the exclusive or") {
  const gt::RandomStream random(7);
  const auto x = gt::tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}}), y = gt::tensor({{0.}, {1.}, {1.}, {0.}});
  const MLP net({2, 8, 1}, {.activation = gt::sigmoid});
  gt::optim::SGD opt(net.parameters(), {.lr = 0.5, .momentum = 0.9});
  for (int step = 0; step < 2000; ++step) {
    opt.zero_grad();
    gt::mse_loss(net(x), y).backward();
    opt.step();
  }
  CHECK(gt::mse_loss(net(x), y).item() < 1e-3);
}
