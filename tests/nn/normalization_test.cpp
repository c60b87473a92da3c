#include <gradtape/gradtape.hpp>

#include <utility>
#include <vector>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
namespace nn = gt::nn;
using gt::Tensor;
using testing::Names, testing::names;

namespace {

Names buffers(const nn::Module& module) {
  Names out;
  for (const auto& [name, tensor] : module.named_buffers()) out.push_back(name);
  return out;
}

/// Mean 2 and 1, unbiased variance 4 and 0, in f32.
Tensor batch() { return gt::tensor({{0., 1.}, {2., 1.}, {4., 1.}}); }

/// Gives all parameters of a module random values in f64.
template <class M>
M randomised(M module) {
  module.to(gt::f64);
  for (const Tensor& w : module.parameters()) w.assign(gt::randn(w.shape(), {.dtype = gt::f64}));
  return module;
}

/// The gradients of x and of the parameters, against differences.
void check_gradients(const nn::Module& module, const auto& layer, const gt::Shape& shape) {
  const Tensor x = gt::randn(shape, {.dtype = gt::f64});
  CHECK(gt::gradcheck([&](const Tensor& in) { return layer(in); }, x));
  for (const Tensor& w : module.parameters()) {
    const Tensor at = gt::randn(w.shape(), {.dtype = gt::f64}), along = gt::randn(w.shape(), {.dtype = gt::f64});
    const auto loss = [&](const Tensor& values) {
      w.assign(values);
      return gt::sum(gt::square(layer(x)));
    };
    w.assign(at);
    const double slope = gt::sum(gt::grad(loss(at), {w})[0] * along).item(), h = 1e-4;
    const double differences = (loss(at + h * along).item() - loss(at - h * along).item()) / (2 * h);
    CHECK(slope == doctest::Approx(differences).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("batch normalization layer: running statistics follow the batches in training mode") {
  nn::BatchNorm1d layer(2);
  CHECK(layer(batch()) == gt::approx(gt::tensor({{-1.224743, 0.}, {0., 0.}, {1.224743, 0.}})));
  CHECK(layer.running_mean == gt::approx(gt::tensor({0.2, 0.1})));
  CHECK(layer.running_var == gt::approx(gt::tensor({0.9 + 0.4, 0.9})));
  layer(batch());
  CHECK(layer.running_mean == gt::approx(gt::tensor({0.38, 0.19})));
  CHECK(layer.num_batches_tracked.item<std::int64_t>() == 2);
  CHECK_FALSE(layer.running_mean.requires_grad());
}

TEST_CASE("batch normalization layer: evaluation mode uses them and leaves them alone") {
  nn::BatchNorm1d layer(2);
  layer.eval();
  layer.running_mean = gt::tensor({1., 2.});
  layer.running_var = gt::tensor({4., 9.});
  layer.weight = gt::tensor({2., 3.});
  layer.bias = gt::tensor({5., 6.});
  CHECK(layer(gt::tensor({{3., 5.}})) == gt::approx(gt::tensor({{7., 9.}})).atol(1e-5));
  CHECK(gt::equal(layer.running_mean, gt::tensor({1., 2.})));
  CHECK(layer.num_batches_tracked.item() == 0);
}

TEST_CASE("batch normalization layer: all batches alike without a momentum") {
  const nn::BatchNorm1d layer(2, {.momentum = std::nullopt});
  layer(batch());
  CHECK(layer.running_mean == gt::approx(gt::tensor({2., 1.})));
  layer(batch() + 3);
  CHECK(layer.running_mean == gt::approx(gt::tensor({3.5, 2.5})));
  CHECK(layer.running_var == gt::approx(gt::tensor({4., 0.})));
}

TEST_CASE("batch normalization layer: without parameters, without running statistics") {
  nn::BatchNorm2d layer(2, {.affine = false, .track_running_stats = false});
  CHECK(names(layer).empty());
  CHECK(buffers(layer).empty());
  const Tensor x = gt::randn({3, 2, 4, 5}), y = layer(x);
  layer.eval();
  CHECK(gt::equal(layer(x), y));
}

TEST_CASE("normalization layers: names as PyTorch's") {
  const Names both{"weight", "bias"}, state{"running_mean", "running_var", "num_batches_tracked"};
  CHECK(names(nn::BatchNorm2d(3)) == both);
  CHECK(buffers(nn::BatchNorm2d(3)) == state);
  CHECK(names(nn::LayerNorm({3})) == both);
  CHECK(names(nn::LayerNorm({3}, {.bias = false})) == Names{"weight"});
  CHECK(names(nn::LayerNorm({3}, {.elementwise_affine = false})).empty());
  CHECK(names(nn::RMSNorm({3})) == Names{"weight"});
  CHECK(names(nn::GroupNorm(2, 4)) == both);
}

TEST_CASE("normalization layers: descriptions") {
  CHECK(nn::BatchNorm1d(3).description() == "BatchNorm1d(3)");
  CHECK(nn::BatchNorm2d(3, {.affine = false}).description() == "BatchNorm2d(3, not affine)");
  CHECK(nn::BatchNorm1d(3, {.track_running_stats = false}).description() == "BatchNorm1d(3, no running statistics)");
  CHECK(nn::LayerNorm({3, 4}).description() == "LayerNorm([3, 4])");
  CHECK(nn::LayerNorm({3}, {.bias = false}).description() == "LayerNorm([3], no bias)");
  CHECK(nn::RMSNorm({3}, {.elementwise_affine = false}).description() == "RMSNorm([3], not affine)");
  CHECK(nn::GroupNorm(2, 4).description() == "GroupNorm(2, 4)");
}

TEST_CASE("normalization layers: they are the ops") {
  const gt::RandomStream stream(2);
  const Tensor x = gt::randn({3, 4, 5}, {.dtype = gt::f64});
  const auto layer = randomised(nn::LayerNorm({4, 5}, {.eps = 0.1}));
  CHECK(gt::equal(layer(x), gt::layer_norm(x, {4, 5}, {layer.weight, layer.bias, 0.1})));
  const auto rms = randomised(nn::RMSNorm({5}, {.eps = 0.1}));
  CHECK(gt::equal(rms(x), gt::rms_norm(x, {5}, {rms.weight, 0.1})));
  const auto group = randomised(nn::GroupNorm(2, 4));
  CHECK(gt::equal(group(x), gt::group_norm(x, 2, {group.weight, group.bias})));
  const auto of_batch = randomised(nn::BatchNorm1d(4));
  CHECK(gt::equal(of_batch(x), gt::batch_norm(x, {.weight = of_batch.weight, .bias = of_batch.bias}).output));
}

TEST_CASE("normalization layers: gradients") {
  const gt::RandomStream stream(3);
  const auto check = [](auto layer, const gt::Shape& shape) {
    layer = randomised(std::move(layer));
    check_gradients(layer, layer, shape);
    layer.eval();
    check_gradients(layer, layer, shape);
  };
  check(nn::BatchNorm1d(3), {5, 3});
  check(nn::BatchNorm1d(3), {2, 3, 4});
  check(nn::BatchNorm2d(3), {2, 3, 2, 2});
  check(nn::LayerNorm({4}), {3, 4});
  check(nn::RMSNorm({2, 2}), {3, 2, 2});
  check(nn::GroupNorm(2, 4), {2, 4, 3});
}

TEST_CASE("normalization layers: of another dtype") {
  nn::BatchNorm1d layer(2);
  layer.to(gt::f64);
  CHECK(layer.running_var.dtype() == gt::f64);
  CHECK(layer.num_batches_tracked.dtype() == gt::i64);
  CHECK(layer(batch().to(gt::f64)).dtype() == gt::f64);
  CHECK(layer.running_mean.dtype() == gt::f64);
  CHECK_THROWS_WITH_AS(layer(batch()),
                       "BatchNorm1d: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
                       gt::DtypeError);
}

TEST_CASE("normalization layers: inside of Sequential, and copied") {
  const gt::RandomStream stream(4);
  nn::Sequential net({nn::Linear(2, 8), nn::BatchNorm1d(8), gt::relu, nn::LayerNorm({8}), nn::Linear(8, 1)});
  CHECK(buffers(net) == Names{"1.running_mean", "1.running_var", "1.num_batches_tracked"});
  nn::Sequential copy = net;
  net(batch());
  CHECK(net.named_buffers()[2].second.item() == 1);
  CHECK(copy.named_buffers()[2].second.item() == 0);
  net.eval();
  const Tensor y = net(batch());
  CHECK(gt::equal(net(batch()), y));
  CHECK(net.named_buffers()[2].second.item() == 1);
}

TEST_CASE("batch normalization layer: a batch that is refused is not counted") {
  const nn::BatchNorm1d layer(2, {.affine = false});
  CHECK_THROWS_WITH_AS(layer(gt::ones({3, 2}, {.dtype = gt::f64})),
                       "BatchNorm1d: dtypes f64 and f32 do not mix; convert one with .to(gradtape::f64)",
                       gt::DtypeError);
  CHECK(layer.num_batches_tracked.item() == 0);
}

TEST_CASE("normalization layers: errors") {
  const auto says = [](auto f, const char* message) { CHECK_THROWS_WITH_AS(f(), message, gt::Error); };
  says([] { nn::BatchNorm1d layer(0); }, "BatchNorm1d: 0 channels; expected at least 1");
  says([] { nn::BatchNorm2d layer(3, {.eps = -1}); }, "BatchNorm2d: eps is -1; expected at least 0");
  says([] { nn::BatchNorm2d layer(3, {.momentum = 1.5}); }, "BatchNorm2d: momentum is 1.5; expected 0 to 1");
  says([] { nn::BatchNorm1d(3)(gt::zeros({2, 4})); }, "BatchNorm1d: x [2, 4] does not fit; expected (n, 3, …)");
  says([] { nn::BatchNorm1d(3)(gt::zeros({2, 3, 4, 5})); }, "BatchNorm1d: x [2, 3, 4, 5] has 4 axes; expected 2 or 3");
  says([] { nn::BatchNorm2d(3)(gt::zeros({2, 3})); }, "BatchNorm2d: x [2, 3] has 2 axes; expected 4");
  says(
      [] {
        nn::BatchNorm1d(3)(gt::zeros({1, 3}));
      },
      "batch_norm: x [1, 3] has 1 values per channel, which have no variance; give more, or the mean and var to use");
  says([] { nn::LayerNorm layer(gt::Shape{}); }, "LayerNorm: the normalized shape has no axes; name at least one");
  says([] { nn::LayerNorm({3})(gt::zeros({4})); }, "layer_norm: x [4] does not end in the normalized shape [3]");
  says([] { nn::RMSNorm layer({3}, {.eps = -1}); }, "RMSNorm: eps is -1; expected at least 0");
  says([] { nn::GroupNorm(3, 4); }, "GroupNorm: 3 groups of 4 channels; expected groups that divide the channels");
  says([] { nn::GroupNorm(2, 4)(gt::zeros({2, 6})); }, "GroupNorm: x [2, 6] does not fit; expected (n, 4, …)");
}
