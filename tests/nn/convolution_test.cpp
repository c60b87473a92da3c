#include <gradtape/gradtape.hpp>

#include <cmath>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Conv1d, gt::nn::Conv2d, gt::nn::ConvTranspose2d;
using testing::Names, testing::names;

TEST_CASE("convolution layers: what they compute") {
  Conv2d plain(1, 2, {1, 2}, {.stride = {1, 2}, .padding = {1, 0}});
  plain.weight = gt::tensor({{{{1., 10.}}}, {{{1., -1.}}}});
  plain.bias = gt::tensor({0., 5.});
  CHECK(gt::equal(plain(gt::tensor({{{{1., 2., 3., 4.}}}})),
                  gt::tensor({{{{0., 0.}, {21., 43.}, {0., 0.}}, {{5., 5.}, {4., 4.}, {5., 5.}}}})));
  Conv1d grouped(2, 2, 2, {.dilation = 2, .groups = 2, .bias = false});
  grouped.weight = gt::tensor({{{1., 1.}}, {{1., -1.}}});
  CHECK(gt::equal(grouped(gt::tensor({{{1., 2., 3.}, {4., 5., 9.}}})), gt::tensor({{{4.}, {-5.}}})));
  ConvTranspose2d turned(1, 1, {1, 2}, {.stride = {1, 2}, .output_padding = {0, 1}});
  turned.weight = gt::tensor({{{{1., 10.}}}});
  turned.bias = gt::tensor({0.5});
  CHECK(gt::equal(turned(gt::tensor({{{{1., 2.}}}})), gt::tensor({{{{1.5, 10.5, 2.5, 20.5, 0.5}}}})));
}

TEST_CASE("convolution layers: parameters as PyTorch names and lays them out") {
  const Conv1d sequences(4, 6, 3, {.groups = 2});
  const Conv2d images(4, 6, {3, 2});
  const ConvTranspose2d turned(4, 6, 3, {.groups = 2});
  for (const gt::nn::Module* layer :
       {static_cast<const gt::nn::Module*>(&sequences), static_cast<const gt::nn::Module*>(&images),
        static_cast<const gt::nn::Module*>(&turned)})
    CHECK(names(*layer) == Names{"weight", "bias"});
  CHECK(sequences.weight.shape() == gt::Shape{6, 2, 3});
  CHECK(images.weight.shape() == gt::Shape{6, 4, 3, 2});
  CHECK(turned.weight.shape() == gt::Shape{4, 3, 3, 3});
  for (const gt::Tensor& bias : {gt::Tensor(sequences.bias), gt::Tensor(images.bias), gt::Tensor(turned.bias)})
    CHECK(bias.shape() == gt::Shape{6});
  CHECK(names(Conv2d(4, 6, 3, {.bias = false})) == Names{"weight"});
}

TEST_CASE("convolution layers: parameters start uniform in 1 over the root of fan_in") {
  const gt::RandomStream random(6);
  const auto check = [](const gt::Tensor& weight, double fan_in) {
    const double bound = 1 / std::sqrt(fan_in), largest = gt::max(gt::abs(weight)).item();
    CHECK(largest < bound);
    CHECK(largest > 0.9 * bound);
    CHECK(std::abs(gt::mean(weight).item()) < 0.1 * bound);
  };
  const Conv1d sequences(8, 16, 5);
  const Conv2d images(8, 64, 3, {.groups = 2});
  const ConvTranspose2d turned(8, 16, {3, 2});
  check(sequences.weight, 8 * 5);
  check(images.weight, 4 * 9);
  check(turned.weight, 16 * 6);
  CHECK(gt::max(gt::abs(gt::Tensor(images.bias))).item() < 1 / std::sqrt(36.0));
  CHECK(gt::max(gt::abs(gt::Tensor(images.bias))).item() > 0.8 / std::sqrt(36.0));
}

TEST_CASE("convolution layers: gradients by input and parameters") {
  const gt::RandomStream random(7);
  const gt::DefaultDtype precise(gt::f64);
  const auto image = gt::randn({2, 2, 5, 6});
  CHECK(testing::gradcheck_module(Conv1d(2, 4, 3, {.stride = 2, .padding = 1, .groups = 2}), gt::randn({2, 2, 7})));
  CHECK(testing::gradcheck_module(Conv2d(2, 3, {3, 2}, {.padding = 1, .dilation = 2, .bias = false}), image));
  CHECK(testing::gradcheck_module(ConvTranspose2d(2, 3, 3, {.stride = 2, .output_padding = 1}), image));

  struct Net : gt::nn::Module {
    Conv2d conv1{1, 3, 3, {.padding = 1}}, conv2{3, 4, 3};
    gt::nn::MaxPool2d pool{2};  // in front: where its input moves, another element may become the largest
    gt::nn::AvgPool2d mean{{2, 1}};
    gt::nn::Linear out{24, 2};
    gt::Tensor operator()(const gt::Tensor& x) const {
      return out(gt::flatten(mean(gt::gelu(conv2(gt::tanh(conv1(0.1 * pool(x)))))), {1}));
    }
    void visit(gt::nn::Visitor& v) override { v("conv1", conv1), v("conv2", conv2), v("out", out); }
  };
  const Net net;
  CHECK(names(net) == Names{"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "out.weight", "out.bias"});
  CHECK(testing::gradcheck_module(net, gt::distinct({2, 1, 12, 10})));
}

TEST_CASE("convolution layers: descriptions") {
  CHECK(Conv2d(1, 32, 3, {.padding = 1}).description() == "Conv2d(1, 32, kernel 3x3, padding 1)");
  CHECK(Conv2d(4, 8, {3, 1}, {.stride = {2, 1}, .dilation = 3, .groups = 2, .bias = false}).description() ==
        "Conv2d(4, 8, kernel 3x1, stride 2x1, dilation 3, groups 2, no bias)");
  CHECK(Conv1d(4, 8, 5, {.stride = 2}).description() == "Conv1d(4, 8, kernel 5, stride 2)");
  CHECK(ConvTranspose2d(4, 8, 2, {.stride = 2, .output_padding = 1, .groups = 4}).description() ==
        "ConvTranspose2d(4, 8, kernel 2x2, stride 2, output padding 1, groups 4)");
}

TEST_CASE("convolution layers: errors") {
  CHECK_THROWS_WITH_AS(Conv2d(0, 3, 3), "Conv2d: 0 channels in and 3 out; both must be at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(Conv1d(4, 6, 3, {.groups = 4}),
                       "Conv1d: groups is 4; expected a divisor of 4 channels in and 6 out", gt::ValueError);
  CHECK_THROWS_WITH_AS(ConvTranspose2d(4, 6, 3, {.groups = 0}),
                       "ConvTranspose2d: groups is 0; expected a divisor of 4 channels in and 6 out", gt::ValueError);
  CHECK_THROWS_WITH_AS(Conv2d(1, 1, {3, 0}), "Conv2d: kernel is 0; expected at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(Conv1d(1, 1, {3, 3}), "Conv1d: kernel is {3, 3}; expected one number", gt::ValueError);
  CHECK_THROWS_WITH_AS(Conv1d(1, 1, 3, {.dilation = 0}), "Conv1d: dilation is 0; expected at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(Conv2d(1, 1, 3, {.stride = 0}), "Conv2d: stride is 0; expected at least 1", gt::ValueError);
  CHECK_THROWS_WITH_AS(ConvTranspose2d(1, 1, 3, {.output_padding = -1}),
                       "ConvTranspose2d: output_padding is -1; expected at least 0", gt::ValueError);
  const Conv2d layer(3, 4, 3);
  CHECK_THROWS_WITH_AS(layer(gt::zeros({2, 1, 5, 5})),
                       "conv2d: x [2, 1, 5, 5], weight [4, 3, 3, 3] and bias [4] do not fit; expected x [n, c, h, w], "
                       "weight [out, c / groups, kh, kw], bias [out]",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(layer(gt::zeros({2, 3, 2, 5})), "conv2d: a kernel of 3 does not fit into axis 2 of [2, 3, 2, 5]",
                       gt::ShapeError);
}
