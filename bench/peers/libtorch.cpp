// The workloads of ../workloads.cpp on libtorch.

#include <memory>
#include <string>
#include <vector>

#include "../workload.hpp"
#include <torch/torch.h>

namespace {

std::shared_ptr<torch::nn::SequentialImpl> perceptron(const std::vector<std::int64_t>& widths,
                                                      const torch::nn::AnyModule& activation) {
  torch::nn::Sequential net;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    if (i > 0) net->push_back(activation);
    net->push_back(torch::nn::Linear(widths[i], widths[i + 1]));
  }
  return net.ptr();
}

void add_chain() {
  const auto chain = [](const torch::Tensor& x) {
    torch::Tensor y = x;
    for (int i = 0; i < bench::chain_length; ++i) y = y * x;
    return y;
  };
  const auto x = torch::ones({1}).set_requires_grad(true);
  bench::add("chain 1000 forward+backward", [=] {
    chain(x).backward();
    x.mutable_grad().reset();
  });
  bench::add("chain 1000 forward", [=] { benchmark::DoNotOptimize(chain(x)); });
  bench::add("chain 1000 without gradient", [=] {
    const torch::NoGradGuard off;
    benchmark::DoNotOptimize(chain(x));
  });
}

void add_mlp(const bench::Mlp& mlp) {
  const auto net = perceptron(mlp.widths, torch::nn::AnyModule(torch::nn::Sigmoid()));
  const auto sgd = std::make_shared<torch::optim::SGD>(net->parameters(), bench::learning_rate);
  const auto x = torch::randn({mlp.batch, mlp.widths.front()}), y = torch::randn({mlp.batch, mlp.widths.back()});
  bench::add(mlp.name(), [=] {
    sgd->zero_grad();
    torch::mse_loss(net->forward(x), y).backward();
    sgd->step();
  });
}

void add_pinn() {
  const auto net = perceptron({1, bench::pinn_width, bench::pinn_width, 1}, torch::nn::AnyModule(torch::nn::Tanh()));
  const auto x = torch::linspace(0, 1, bench::pinn_points).reshape({bench::pinn_points, 1}).set_requires_grad(true);
  const auto derivative = [x](const torch::Tensor& y) {
    return torch::autograd::grad({y.sum()}, {x}, {}, true, true)[0];
  };
  bench::add("PINN 1-32-32-1 second order", [=] {
    net->zero_grad();
    const auto u = net->forward(x);
    const auto ddu = derivative(derivative(u));
    (ddu + u).square().mean().backward();
    x.mutable_grad().reset();
  });
}

void add_large_arrays() {
  const auto a = torch::randn({bench::side, bench::side}).set_requires_grad(true);
  const auto b = torch::randn({bench::side, bench::side}).set_requires_grad(true);
  bench::add("sum(sigmoid(a*b+a)) 1M", [=] {
    (a * b + a).sigmoid().sum().backward();
    a.mutable_grad().reset();
    b.mutable_grad().reset();
  });

  const torch::Tensor x = a.detach(), y = b.detach(), row = y[0];
  const auto primitive = [](const std::string& name, auto f) {
    bench::add(name + " 1M", [f] { benchmark::DoNotOptimize(f()); });
  };
  primitive("exp", [=] { return x.exp(); });
  primitive("tanh", [=] { return x.tanh(); });
  primitive("sigmoid", [=] { return x.sigmoid(); });
  primitive("add", [=] { return x + y; });
  primitive("add row", [=] { return x + row; });
  primitive("sum", [=] { return x.sum(); });
  primitive("sum axis 0", [=] { return x.sum(0); });
  primitive("sum axis 1", [=] { return x.sum(1); });
  primitive("softmax", [=] { return x.softmax(1); });
  primitive("transposed copy", [=] { return x.t().contiguous(); });
}

}  // namespace

void bench::register_workloads() {
  torch::manual_seed(0);
  torch::set_num_threads(1);
  add_chain();
  for (const Mlp& mlp : mlps()) add_mlp(mlp);
  add_pinn();
  add_large_arrays();
}
