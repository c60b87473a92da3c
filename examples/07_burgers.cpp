// A network that learns the solution of Burgers' equation from the equation alone:
//   u_t + u u_x = ν u_xx on -1 < x < 1, 0 < t < 1,  ν = 0.01/π,  u(0, x) = -sin(πx),  u(t, ±1) = 0.
// From t = 0.4 on, u falls from 1 to -1 within a layer at x = 0 that is 0.02 wide. The network sees x through a
// coordinate ξ that stretches the layer, x = sinh(4ξ)/sinh(4), and points are even in ξ. u is odd in x by the way it is
// built from the network, and meets the initial and boundary values; so the loss is what is left of the equation. Adam
// goes first, then L-BFGS.

#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;

constexpr double pi = std::numbers::pi, nu = 0.01 / pi, a = 4;
const double scale = 1 / std::sinh(a);

/// By the transformation of Cole and Hopf (Basdevant et al., Computers & Fluids 14, 1986):
///   u = -∫ sin(πy) w dz / ∫ w dz,  y = x - z·sqrt(4νt),  w = exp(-cos(πy)/(2πν) - z²).
/// The sum over an even grid is as exact as Gauss-Hermite quadrature, since w is smooth and falls off like exp(-z²).
double exact(double t, double x) {
  constexpr int n = 201;
  std::array<double, n> y, log_w;
  for (int i = 0; i < n; ++i) {
    const double z = 0.1 * i - 10;
    y[i] = x - z * std::sqrt(4 * nu * t);
    log_w[i] = -std::cos(pi * y[i]) / (2 * pi * nu) - z * z;
  }
  const double largest = std::ranges::max(log_w);
  double above = 0, below = 0;
  for (int i = 0; i < n; ++i) {
    const double w = std::exp(log_w[i] - largest);  // w alone would overflow
    above -= w * std::sin(pi * y[i]), below += w;
  }
  return above / below;
}

gt::Tensor column(const gt::Tensor& x, int i) { return x[{gt::Slice{}, gt::Slice{i, i + 1}}]; }

/// u at points (t, ξ): (n, 2) -> (n, 1).
gt::Tensor solution(const gt::nn::MLP& net, const gt::Tensor& points) {
  const auto centred = gt::tensor({2., 1.}) * points - gt::tensor({1., 0.}), mirrored = gt::tensor({1., -1.}) * centred;
  const auto t = column(points, 0), xi = column(points, 1);
  const auto x = (scale / 2) * (gt::exp(a * xi) - gt::exp(-a * xi));
  return t * (1 - gt::square(x)) * (net(centred) - net(mirrored)) - gt::sin(pi * x);
}

/// (u_t + u u_x - ν u_xx)·dx/dξ, which is of one size inside of the layer and outside.
gt::Tensor residual(const gt::nn::MLP& net, const gt::Tensor& points) {
  const auto p = gt::parameter(points);
  const auto u = solution(net, p), xi = column(p, 1);
  const auto stretch = (a * scale / 2) * (gt::exp(a * xi) + gt::exp(-a * xi));  // dx/dξ
  const auto [du] = gt::grad(gt::sum(u), {p}, {.create_graph = true});
  const auto u_t = column(du, 0), u_x = column(du, 1) / stretch;
  const auto [du_x] = gt::grad(gt::sum(u_x), {p}, {.create_graph = true});
  const auto u_xx = column(du_x, 1) / stretch;
  return stretch * (u_t + u * u_x - nu * u_xx);
}

/// n points (t, ξ), 0 < t < 1, 0 < ξ < 1: two irrational steps, which cover a square evenly (Roberts 2018).
gt::Tensor collocation(int n) {
  std::vector<double> points;
  for (int i = 1; i <= n; ++i)
    for (const double step : {0.7548776662466927, 0.5698402909980532}) points.push_back(std::fmod(0.5 + i * step, 1));
  return gt::tensor(std::span<const double>(points), {n, 2});
}

/// The exact solution on a grid even in t and x.
struct Reference {
  Reference() {
    std::vector<double> at, values;
    for (int i = 1; i <= 50; ++i)
      for (int j = -128; j <= 128; ++j) {
        const double t = i / 50., x = j / 128.;
        at.insert(at.end(), {t, std::asinh(x / scale) / a});
        values.push_back(exact(t, x));
      }
    u = gt::tensor(std::span<const double>(values), {values.size(), 1});
    points = gt::tensor(std::span<const double>(at), {values.size(), 2});
  }
  double relative_error(const gt::nn::MLP& net) const {
    const gt::NoGrad off;
    return std::sqrt((gt::sum(gt::square(solution(net, points) - u)) / gt::sum(gt::square(u))).item());
  }
  gt::Tensor points, u;
};

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  bool brief = false;
  CLI::App app("Solves Burgers' equation by a network.");
  app.add_option("--seed", seed, "same seed, same bits")->capture_default_str();
  app.add_flag("--short", brief, "fewer points and iterations, to see that all works");
  CLI11_PARSE(app, argc, argv);
  const int points = brief ? 300 : 800, adam_steps = 200, rounds = brief ? 2 : 10;

  const gt::DefaultDtype f64(gt::f64);
  gt::manual_seed(seed);
  const gt::nn::MLP net({2, 20, 20, 20, 20, 1}, {.activation = gt::tanh});
  const Reference reference;
  const auto p = collocation(points);
  const auto loss = [&] {
    const auto value = gt::mean(gt::square(residual(net, p)));
    value.backward();
    return value;
  };
  const auto start = std::chrono::steady_clock::now();
  const auto report = [&](const char* phase, std::int64_t step, double value) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{:<7} {:>5}  loss {:.2e}  error {:.2e}  {:5.1f} s\n", phase, step, value, reference.relative_error(net),
               seconds.count());
  };

  constexpr double lr = 5e-3;
  gt::optim::Adam adam(net.parameters(), {.lr = lr});
  for (int step = 1; step <= adam_steps; ++step) {
    adam.lr = lr * (1 - static_cast<double>(step) / adam_steps);
    adam.zero_grad();
    const double value = loss().item();
    adam.step();
    if (step % 100 == 0) report("Adam", step, value);
  }
  gt::optim::LBFGS lbfgs(net.parameters(),
                         {.max_iter = 200, .tolerance_grad = 0, .tolerance_change = 0, .history_size = 500});
  for (int round = 0; round < rounds; ++round) report("L-BFGS", 200 * (round + 1), lbfgs.step(loss));
  fmt::print("{} evaluations\n", adam_steps + lbfgs.evaluations());
  fmt::print("relative L2 error: {:.2e}\n", reference.relative_error(net));
}
