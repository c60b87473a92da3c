// The workloads of ../workloads.cpp on libtorch.

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "../workload.hpp"
#include <torch/torch.h>

namespace {

namespace nn = torch::nn;

torch::Tensor chain(const torch::Tensor& x) {
  torch::Tensor y = x;
  for (int i = 0; i < bench::chain_length; ++i) y = y * x;
  return y;
}

torch::Tensor scalar() { return torch::ones({1}).set_requires_grad(true); }

bench::Step chain_forward_backward() {
  return [x = scalar()] {
    chain(x).backward();
    x.mutable_grad().reset();
  };
}

bench::Step chain_forward() {
  return [x = scalar()] { benchmark::DoNotOptimize(chain(x)); };
}

bench::Step chain_without_gradient() {
  return [x = scalar()] {
    const torch::NoGradGuard off;
    benchmark::DoNotOptimize(chain(x));
  };
}

std::shared_ptr<nn::SequentialImpl> perceptron(const std::vector<std::int64_t>& widths,
                                               const nn::AnyModule& activation) {
  nn::Sequential net;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    if (i > 0) net->push_back(activation);
    net->push_back(nn::Linear(widths[i], widths[i + 1]));
  }
  return net.ptr();
}

bench::Step mlp_step(const bench::Mlp& mlp) {
  const auto net = perceptron(mlp.widths, nn::AnyModule(nn::Sigmoid()));
  const auto sgd = std::make_shared<torch::optim::SGD>(net->parameters(), bench::learning_rate);
  const auto x = torch::randn({mlp.batch, mlp.widths.front()}), y = torch::randn({mlp.batch, mlp.widths.back()});
  return [=] {
    sgd->zero_grad();
    torch::mse_loss(net->forward(x), y).backward();
    sgd->step();
  };
}

bench::Step cnn_step() {
  using C = bench::Cnn;
  const auto conv = [](std::int64_t in, std::int64_t out) {
    return nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1));
  };
  const auto net = nn::Sequential(conv(1, C::first), nn::ReLU(), nn::MaxPool2d(2), conv(C::first, C::second),
                                  nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(C::flat, C::hidden),
                                  nn::ReLU(), nn::Linear(C::hidden, C::classes))
                       .ptr();
  const auto adam = std::make_shared<torch::optim::Adam>(net->parameters(), 1e-3);
  const auto x = torch::randn({C::batch, 1, C::image, C::image});
  const auto y = torch::randint(0, C::classes, {C::batch}, torch::kLong);
  return [=] {
    adam->zero_grad();
    torch::cross_entropy_loss(net->forward(x), y).backward();
    adam->step();
  };
}

bench::Step lstm_step() {
  using L = bench::Lstm;
  const auto lstm = nn::LSTM(nn::LSTMOptions(L::in, L::hidden)).ptr();
  const auto x = torch::randn({L::steps, L::batch, L::in});
  return [=] {
    lstm->zero_grad();
    std::get<0>(lstm->forward(x)).sum().backward();
  };
}

bench::Step transformer_step() {
  using T = bench::Transformer;
  const auto layer =
      nn::TransformerEncoderLayer(
          nn::TransformerEncoderLayerOptions(T::width, T::heads).dim_feedforward(T::feedforward).dropout(0))
          .ptr();
  const auto x = torch::randn({T::steps, T::batch, T::width});
  return [=] {
    layer->zero_grad();
    layer->forward(x).sum().backward();
  };
}

bench::Step pinn_step() {
  const auto net = perceptron({1, bench::pinn_width, bench::pinn_width, 1}, nn::AnyModule(nn::Tanh()));
  const auto x = torch::linspace(0, 1, bench::pinn_points).reshape({bench::pinn_points, 1}).set_requires_grad(true);
  const auto derivative = [x](const torch::Tensor& y) {
    return torch::autograd::grad({y.sum()}, {x}, {}, true, true)[0];
  };
  return [=] {
    net->zero_grad();
    const auto u = net->forward(x);
    const auto ddu = derivative(derivative(u));
    (ddu + u).pow(2).mean().backward();
    x.mutable_grad().reset();
  };
}

torch::Tensor large() { return torch::randn({bench::side, bench::side}); }

bench::Step gates_step() {
  return [a = large().set_requires_grad(true), b = large().set_requires_grad(true)] {
    (a * b + a).sigmoid().sum().backward();
    a.mutable_grad().reset();
    b.mutable_grad().reset();
  };
}

template <class F>
bench::Workload primitive(const std::string& name, F f) {
  return {name + " 1M",
          [f]() -> bench::Step { return [f, x = large(), y = large()] { benchmark::DoNotOptimize(f(x, y)); }; }};
}

bench::Step add_short_row() {
  return [x = torch::randn({bench::points, 3}), y = torch::randn({3})] { benchmark::DoNotOptimize(x + y); };
}

}  // namespace

std::vector<bench::Workload> bench::workloads() {
  using torch::Tensor;
  torch::manual_seed(0);
  std::vector<Workload> all{{"chain 1000 forward+backward", chain_forward_backward},
                            {"chain 1000 forward", chain_forward},
                            {"chain 1000 without gradient", chain_without_gradient}};
  for (const Mlp& mlp : mlps()) all.push_back({mlp.name(), [mlp] { return mlp_step(mlp); }});
  const std::vector<Workload> others{
      {gates_by_op, gates_step},
      {gates_fused, gates_step},
      {Cnn::name, cnn_step},
      {Lstm::name, lstm_step},
      {Transformer::name, transformer_step},
      {"PINN 1-32-32-1 second order", pinn_step},
      primitive("exp", [](const Tensor& x, const Tensor&) { return x.exp(); }),
      primitive("tanh", [](const Tensor& x, const Tensor&) { return x.tanh(); }),
      primitive("sigmoid", [](const Tensor& x, const Tensor&) { return x.sigmoid(); }),
      primitive("add", [](const Tensor& x, const Tensor& y) { return x + y; }),
      primitive("add row", [](const Tensor& x, const Tensor& y) { return x + y[0]; }),
      {"add row of 3 1M", add_short_row},
      primitive("add transposed", [](const Tensor& x, const Tensor& y) { return x + y.t(); }),
      primitive("sum", [](const Tensor& x, const Tensor&) { return x.sum(); }),
      primitive("sum axis 0", [](const Tensor& x, const Tensor&) { return x.sum(0); }),
      primitive("sum axis 1", [](const Tensor& x, const Tensor&) { return x.sum(1); }),
      primitive("softmax", [](const Tensor& x, const Tensor&) { return x.softmax(1); }),
      primitive("transposed copy", [](const Tensor& x, const Tensor&) { return x.t().contiguous(); }),
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}
