#include <gradtape/gradtape.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "workload.hpp"

namespace gt = gradtape;

namespace {

void add_chain() {
  const auto chain = [](const gt::Tensor& x) {
    gt::Tensor y = x;
    for (int i = 0; i < bench::chain_length; ++i) y = y * x;
    return y;
  };
  const auto x = gt::parameter(gt::ones({1}));
  bench::add("chain 1000 forward+backward", [=] {
    chain(x).backward();
    x.zero_grad();
  });
  bench::add("chain 1000 forward", [=] { benchmark::DoNotOptimize(chain(x)); });
  bench::add("chain 1000 without gradient", [=] {
    const gt::NoGrad off;
    benchmark::DoNotOptimize(chain(x));
  });
}

void add_mlp(const bench::Mlp& mlp) {
  const auto net =
      std::make_shared<gt::nn::MLP>(gt::nn::Widths(mlp.widths), gt::nn::MLPOptions{.activation = gt::sigmoid});
  const auto sgd =
      std::make_shared<gt::optim::SGD>(net->parameters(), gt::optim::SGDOptions{.lr = bench::learning_rate});
  const auto x = gt::randn({mlp.batch, mlp.widths.front()}), y = gt::randn({mlp.batch, mlp.widths.back()});
  bench::add(mlp.name(), [=] {
    sgd->zero_grad();
    gt::mse_loss((*net)(x), y).backward();
    sgd->step();
  });
}

/// A network that solves u'' = -u: the loss holds a second derivative by the input, and is itself differentiated.
void add_pinn() {
  constexpr auto n = bench::pinn_width;
  const auto net =
      std::make_shared<gt::nn::MLP>(gt::nn::Widths{1, n, n, 1}, gt::nn::MLPOptions{.activation = gt::tanh});
  const double step = 1.0 / static_cast<double>(bench::pinn_points - 1);
  const auto x = gt::parameter(gt::reshape(gt::arange(1 + step / 2, {.step = step}), {bench::pinn_points, 1}));
  bench::add("PINN 1-32-32-1 second order", [=] {
    net->zero_grad();
    const auto u = (*net)(x);
    const auto [du] = gt::grad(gt::sum(u), {x}, {.create_graph = true});
    const auto [ddu] = gt::grad(gt::sum(du), {x}, {.create_graph = true});
    gt::mean(gt::square(ddu + u)).backward();
    x.zero_grad();
  });
}

void add_large_arrays() {
  const auto a = gt::parameter(gt::randn({bench::side, bench::side})),
             b = gt::parameter(gt::randn({bench::side, bench::side}));
  bench::add("sum(sigmoid(a*b+a)) 1M", [=] {
    gt::sum(gt::sigmoid(a * b + a)).backward();
    a.zero_grad();
    b.zero_grad();
  });

  const gt::Tensor x = a.detach(), y = b.detach(), row = y[0];
  const auto primitive = [](const std::string& name, auto f) {
    bench::add(name + " 1M", [f] { benchmark::DoNotOptimize(f()); });
  };
  primitive("exp", [=] { return gt::exp(x); });
  primitive("tanh", [=] { return gt::tanh(x); });
  primitive("sigmoid", [=] { return gt::sigmoid(x); });
  primitive("add", [=] { return x + y; });
  primitive("add row", [=] { return x + row; });
  primitive("sum", [=] { return gt::sum(x); });
  primitive("sum axis 0", [=] { return gt::sum(x, {.axes = 0}); });
  primitive("sum axis 1", [=] { return gt::sum(x, {.axes = 1}); });
  primitive("softmax", [=] { return gt::softmax(x); });
  primitive("transposed copy", [=] { return gt::contiguous(gt::transpose(x)); });
}

}  // namespace

void bench::register_workloads() {
  gt::manual_seed(0);
  add_chain();
  for (const Mlp& mlp : mlps()) add_mlp(mlp);
  add_pinn();
  add_large_arrays();
}
