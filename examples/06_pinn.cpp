// A network that learns the solution of a differential equation from the equation alone:
//   u'' + π² sin(πx) = 0 on [0, 1],  u(0) = u(1) = 0,  whose solution is sin(πx).
// The loss is what is left of the equation at some points, and of the boundary values; u'' comes from differentiating
// the network twice by its input.

#include <gradtape/gradtape.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;

/// u'' + π² sin(πx) at x, (n, 1).
gt::Tensor residual(const gt::nn::MLP& u, const gt::Tensor& x) {
  const auto [slope] = gt::grad(gt::sum(u(x)), {x}, {.create_graph = true});
  const auto [second] = gt::grad(gt::sum(slope), {x}, {.create_graph = true});
  constexpr double pi = std::numbers::pi;
  return second + pi * pi * gt::sin(pi * x);
}

double relative_error(const gt::nn::MLP& u) {
  const gt::NoGrad off;
  const auto x = gt::reshape(gt::arange(1001) / 1000, {-1, 1});
  const auto exact = gt::sin(std::numbers::pi * x);
  return std::sqrt((gt::sum(gt::square(u(x) - exact)) / gt::sum(gt::square(exact))).item());
}

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  bool brief = false;
  CLI::App app("Solves u'' + π² sin(πx) = 0 by a network.");
  app.add_option("--seed", seed, "same seed, same bits")->capture_default_str();
  app.add_flag("--short", brief, "a few iterations, to see that all works");
  CLI11_PARSE(app, argc, argv);

  const gt::DefaultDtype f64(gt::f64);
  gt::manual_seed(seed);
  const gt::nn::MLP u({1, 16, 16, 1}, {.activation = gt::tanh});
  const auto x = gt::parameter(gt::reshape((gt::arange(64) + 0.5) / 64, {-1, 1}));
  const auto ends = gt::tensor({{0}, {1}});

  gt::optim::LBFGS opt(u.parameters(), {.max_iter = 50, .max_eval = 100, .tolerance_change = 0});
  for (int round = 0; round < (brief ? 1 : 10); ++round) {
    const double loss = opt.step([&] {
      const auto value = gt::mean(gt::square(residual(u, x))) + 100 * gt::mean(gt::square(u(ends)));
      value.backward();
      return value;
    });
    fmt::print("{:>4} iterations, {:>4} evaluations  loss {:.2e}\n", opt.iterations(), opt.evaluations(), loss);
  }
  fmt::print("relative L2 error: {:.2e}\n", relative_error(u));
}
