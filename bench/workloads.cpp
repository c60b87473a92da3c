#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>

#include <memory>
#include <string>
#include <vector>

#include "workload.hpp"

namespace gt = gradtape;
namespace nn = gt::nn;

namespace {

gt::Tensor chain(const gt::Tensor& x) {
  gt::Tensor y = x;
  for (int i = 0; i < bench::chain_length; ++i) y = y * x;
  return y;
}

bench::Step chain_forward_backward() {
  const auto x = gt::parameter(gt::ones({1}));
  return [=] {
    chain(x).backward();
    x.zero_grad();
  };
}

bench::Step chain_forward() {
  const auto x = gt::parameter(gt::ones({1}));
  return [=] { benchmark::DoNotOptimize(chain(x)); };
}

bench::Step chain_without_gradient() {
  const auto x = gt::parameter(gt::ones({1}));
  return [=] {
    const gt::NoGrad off;
    benchmark::DoNotOptimize(chain(x));
  };
}

bench::Step mlp_step(const bench::Mlp& mlp) {
  const auto net = std::make_shared<nn::MLP>(nn::Widths(mlp.widths), nn::MLPOptions{.activation = gt::sigmoid});
  const auto sgd =
      std::make_shared<gt::optim::SGD>(net->parameters(), gt::optim::SGDOptions{.lr = bench::learning_rate});
  const auto x = gt::randn({mlp.batch, mlp.widths.front()}), y = gt::randn({mlp.batch, mlp.widths.back()});
  return [=] {
    sgd->zero_grad();
    gt::mse_loss((*net)(x), y).backward();
    sgd->step();
  };
}

bench::Step cnn_step() {
  using C = bench::Cnn;
  const auto net = std::make_shared<nn::Sequential>(
      nn::Sequential({nn::Conv2d(1, C::first, 3, {.padding = 1}), gt::relu, nn::MaxPool2d(2),
                      nn::Conv2d(C::first, C::second, 3, {.padding = 1}), gt::relu, nn::MaxPool2d(2), nn::Flatten(),
                      nn::Linear(C::flat, C::hidden), gt::relu, nn::Linear(C::hidden, C::classes)}));
  const auto adam = std::make_shared<gt::optim::Adam>(net->parameters());
  const auto x = gt::randn({C::batch, 1, C::image, C::image}), y = gt::randint(0, C::classes, {C::batch});
  return [=] {
    adam->zero_grad();
    gt::cross_entropy((*net)(x), y).backward();
    adam->step();
  };
}

bench::Step lstm_step() {
  using L = bench::Lstm;
  const auto lstm = std::make_shared<nn::LSTM>(L::in, L::hidden);
  const auto x = gt::randn({L::steps, L::batch, L::in});
  return [=] {
    lstm->zero_grad();
    gt::sum((*lstm)(x).output).backward();
  };
}

bench::Step transformer_step() {
  using T = bench::Transformer;
  const auto layer = std::make_shared<nn::TransformerEncoderLayer>(
      T::width, T::heads, nn::TransformerLayerOptions{.dim_feedforward = T::feedforward, .dropout = 0});
  const auto x = gt::randn({T::batch, T::steps, T::width});
  return [=] {
    layer->zero_grad();
    gt::sum((*layer)(x)).backward();
  };
}

/// A network that solves u'' = -u: the loss holds a second derivative by the input, and is itself differentiated.
bench::Step pinn_step() {
  constexpr auto n = bench::pinn_width;
  const auto net = std::make_shared<nn::MLP>(nn::Widths{1, n, n, 1}, nn::MLPOptions{.activation = gt::tanh});
  const auto x = gt::parameter(gt::reshape(gt::linspace(0, 1, bench::pinn_points), {bench::pinn_points, 1}));
  return [=] {
    net->zero_grad();
    const auto u = (*net)(x);
    const auto [du] = gt::grad(gt::sum(u), {x}, {.create_graph = true});
    const auto [ddu] = gt::grad(gt::sum(du), {x}, {.create_graph = true});
    gt::mean(gt::square(ddu + u)).backward();
    x.zero_grad();
  };
}

gt::Tensor large() { return gt::randn({bench::side, bench::side}); }

/// Sums f(a, b) and differentiates the sum.
template <class F>
bench::Step large_step(F f) {
  const auto a = gt::parameter(large()), b = gt::parameter(large());
  return [=] {
    gt::sum(f(a, b)).backward();
    a.zero_grad();
    b.zero_grad();
  };
}

template <class F>
bench::Workload primitive(const std::string& name, F f) {
  return {name + " 1M",
          [f]() -> bench::Step { return [f, x = large(), y = large()] { benchmark::DoNotOptimize(f(x, y)); }; }};
}

bench::Step add_short_row() {
  return [x = gt::randn({bench::points, 3}), y = gt::randn({3})] { benchmark::DoNotOptimize(x + y); };
}

}  // namespace

std::vector<bench::Workload> bench::workloads() {
  using gt::Tensor;
  gt::manual_seed(0);
  std::vector<Workload> all{{"chain 1000 forward+backward", chain_forward_backward},
                            {"chain 1000 forward", chain_forward},
                            {"chain 1000 without gradient", chain_without_gradient}};
  for (const Mlp& mlp : mlps()) all.push_back({mlp.name(), [mlp] { return mlp_step(mlp); }});
  const std::vector<Workload> others{
      {gates_by_op, [] { return large_step([](const auto& a, const auto& b) { return gt::sigmoid(a * b + a); }); }},
      {gates_fused,
       [] {
         return large_step([](const auto& a, const auto& b) {
           return gt::map([](auto p, auto q) { return sigmoid(p * q + p); }, a, b);
         });
       }},
      {Cnn::name, cnn_step},
      {Lstm::name, lstm_step},
      {Transformer::name, transformer_step},
      {"PINN 1-32-32-1 second order", pinn_step},
      primitive("exp", [](const Tensor& x, const Tensor&) { return gt::exp(x); }),
      primitive("tanh", [](const Tensor& x, const Tensor&) { return gt::tanh(x); }),
      primitive("sigmoid", [](const Tensor& x, const Tensor&) { return gt::sigmoid(x); }),
      primitive("add", [](const Tensor& x, const Tensor& y) { return x + y; }),
      primitive("add row", [](const Tensor& x, const Tensor& y) { return x + y[0]; }),
      {"add row of 3 1M", add_short_row},
      primitive("add transposed", [](const Tensor& x, const Tensor& y) { return x + gt::transpose(y); }),
      primitive("sum", [](const Tensor& x, const Tensor&) { return gt::sum(x); }),
      primitive("sum axis 0", [](const Tensor& x, const Tensor&) { return gt::sum(x, {.axes = 0}); }),
      primitive("sum axis 1", [](const Tensor& x, const Tensor&) { return gt::sum(x, {.axes = 1}); }),
      primitive("softmax", [](const Tensor& x, const Tensor&) { return gt::softmax(x); }),
      primitive("transposed copy", [](const Tensor& x, const Tensor&) { return gt::contiguous(gt::transpose(x)); }),
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}
