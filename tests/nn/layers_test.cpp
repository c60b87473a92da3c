#include <gradtape/gradtape.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Linear, gt::nn::MLP, gt::nn::Sequential;

namespace {

using Names = std::vector<std::string>;
Names names(const gt::nn::Module& module) {
  Names out;
  for (const auto& [name, tensor] : module.named_parameters()) out.push_back(name);
  return out;
}

Linear small_linear() {
  Linear layer(2, 3);
  layer.weight = gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  layer.bias = gt::tensor({10., 20., 30.});
  return layer;
}

}  // namespace

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

TEST_CASE("sequential: applies modules and functions in turn") {
  Linear last(3, 1);
  last.weight = gt::tensor({{1., -1., 2.}});
  last.bias = gt::tensor({0.5});
  const Sequential net({small_linear(), gt::relu, [](const gt::Tensor& x) { return x * 2; }, last, gt::softmax});
  CHECK(names(net) == Names{"0.weight", "0.bias", "3.weight", "3.bias"});
  // small_linear: (1, 1) -> (13, 27, 41) and (-20, 0) -> (-10, -40, -70); softmax of one number is 1
  CHECK(gt::equal(net(gt::tensor({{1., 1.}, {-20., 0.}})), gt::ones({2, 1})));
  const Sequential inner({small_linear(), gt::relu, last});
  CHECK(gt::equal(inner(gt::tensor({{1., 1.}, {-20., 0.}})), gt::tensor({{13. - 27 + 82 + 0.5}, {0.5}})));
}

TEST_CASE("sequential: nested and empty and grown") {
  Sequential net;
  const auto x = gt::tensor({{1., 2.}});
  CHECK(gt::equal(net(x), x));
  net.push_back(Sequential({small_linear(), gt::sigmoid}));
  net.push_back(MLP({3, 2}));
  CHECK(names(net) == Names{"0.0.weight", "0.0.bias", "1.layers.0.weight", "1.layers.0.bias"});
  CHECK(net(x).shape() == gt::Shape{1, 2});
}

TEST_CASE("sequential: a copy has parameters of its own") {
  const Sequential net({small_linear(), gt::relu});
  const auto x = gt::tensor({{1., 1.}});
  Sequential copy = net;
  copy.parameters()[0].assign(gt::zeros({3, 2}));
  CHECK(gt::equal(net(x), gt::tensor({{13., 27., 41.}})));
  CHECK(gt::equal(copy(x), gt::tensor({{10., 20., 30.}})));
}

TEST_CASE("sequential: conversion reaches its modules") {
  Sequential net({small_linear(), Sequential({Linear(3, 3), gt::tanh})});
  net.to(gt::f64);
  for (const gt::Tensor& w : net.parameters()) CHECK(w.dtype() == gt::f64);
  CHECK(net(gt::ones({1, 2}, {.dtype = gt::f64})).dtype() == gt::f64);
}

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
