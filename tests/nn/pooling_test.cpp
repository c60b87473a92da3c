#include <gradtape/gradtape.hpp>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::AdaptiveAvgPool2d, gt::nn::AvgPool2d, gt::nn::Flatten, gt::nn::MaxPool2d, gt::nn::Upsample;

TEST_CASE("pooling layers: what they compute") {
  const auto x = gt::tensor({{1., 2., 3., 4.}, {5., 6., 7., 8.}});
  CHECK(gt::equal(MaxPool2d(2)(x), gt::tensor({{6., 8.}})));
  CHECK(gt::equal(MaxPool2d({1, 2}, {.stride = 1})(x), gt::tensor({{2., 3., 4.}, {6., 7., 8.}})));
  CHECK(gt::equal(AvgPool2d(2)(x), gt::tensor({{3.5, 5.5}})));
  CHECK(gt::equal(AvgPool2d({2, 3}, {.ceil_mode = true})(x), gt::tensor({{4., 6.}})));
  CHECK(gt::equal(AdaptiveAvgPool2d(1)(x), gt::tensor({{4.5}})));
  CHECK(gt::equal(Upsample({.scale_factor = {1, 2}})(x[{gt::Slice{0, 1}, gt::Slice{0, 2}}]),
                  gt::tensor({{1., 1., 2., 2.}})));
  CHECK(Flatten()(gt::zeros({2, 3, 4})).shape() == gt::Shape{2, 12});
  CHECK(Flatten({.start_axis = 0, .end_axis = 1})(gt::zeros({2, 3, 4})).shape() == gt::Shape{6, 4});
}

TEST_CASE("pooling layers: in a sequence, without parameters") {
  const gt::RandomStream random(9);
  const gt::DefaultDtype precise(gt::f64);
  const gt::nn::Sequential net({MaxPool2d(2, {.stride = 1}), gt::nn::Conv2d(1, 2, 3), AvgPool2d(2),
                                Upsample({.size = {4, 3}, .mode = gt::UpsampleMode::bilinear}), AdaptiveAvgPool2d(2),
                                Flatten(), gt::nn::Linear(8, 3)});
  CHECK(testing::names(net) == testing::Names{"1.weight", "1.bias", "6.weight", "6.bias"});
  CHECK(testing::gradcheck_module(net, gt::distinct({2, 1, 9, 8})));
}

TEST_CASE("pooling layers: descriptions") {
  CHECK(MaxPool2d(2).description() == "MaxPool2d(kernel 2x2)");
  CHECK(MaxPool2d({3, 2}, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true}).description() ==
        "MaxPool2d(kernel 3x2, stride 2, padding 1, ceil mode, dilation 2)");
  CHECK(AvgPool2d(3, {.padding = {1, 0}, .count_include_pad = false}).description() ==
        "AvgPool2d(kernel 3x3, padding 1x0, padding not counted)");
  CHECK(AdaptiveAvgPool2d(1).description() == "AdaptiveAvgPool2d(1x1)");
  CHECK(Upsample({.scale_factor = 2}).description() == "Upsample(scale factor 2, nearest)");
  CHECK(Upsample({.size = 8, .mode = gt::UpsampleMode::bilinear, .align_corners = true}).description() ==
        "Upsample(size 8x8, bilinear, align corners)");
  CHECK(Flatten().description() == "Flatten(1, -1)");
}

TEST_CASE("pooling layers: options that make no sense are refused when the layer is made") {
  const auto check = [](const char* message, auto f) { CHECK_THROWS_WITH_AS(f(), message, gt::ValueError); };
  check("MaxPool2d: kernel is 0; expected at least 1", [] { MaxPool2d(0); });
  check("MaxPool2d: kernel is {1, 2, 3}; expected one number, or one for each of two axes", [] {
    MaxPool2d({1, 2, 3});
  });
  check("MaxPool2d: dilation is 0; expected at least 1", [] { MaxPool2d(2, {.dilation = 0}); });
  check("AvgPool2d: stride is 0; expected at least 1", [] { AvgPool2d(2, {.stride = 0}); });
  check("AdaptiveAvgPool2d: size is -1; expected at least 1", [] { AdaptiveAvgPool2d(-1); });
  check("Upsample: expected either a size or a scale_factor", [] { Upsample({}); });
  check("Upsample: size is 0; expected at least 1", [] { Upsample({.size = 0}); });
  check("Upsample: scale_factor is 0; expected at least 1", [] { Upsample({.scale_factor = {1, 0}}); });
}

TEST_CASE("pooling layers: errors") {
  CHECK_THROWS_WITH_AS(MaxPool2d(5)(gt::zeros({2, 3, 4, 5})),
                       "max_pool2d: a kernel of 5 does not fit into axis 2 of [2, 3, 4, 5]", gt::ShapeError);
  CHECK_THROWS_WITH_AS(AvgPool2d(2)(gt::zeros({4})), "avg_pool2d: x [4]; expected (…, h, w)", gt::ShapeError);
}
