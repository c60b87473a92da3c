// How sure is a network? Diabetes of 442 patients, a year on, from ten measurements. Dropout stays on when the network
// answers: each answer is a draw from what the network holds possible (Y. Gal and Z. Ghahramani, Dropout as a Bayesian
// Approximation, ICML 2016). With the noise of the measurements, which the network learns too, the draws give an
// interval for each patient that should hold nine of ten.

#include <gradtape/data/csv.hpp>
#include <gradtape/gradtape.hpp>
#include <gradtape/report/metrics.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

struct Network : nn::Module {
  nn::Linear fc1{10, 64}, fc2{64, 64}, out{64, 1};
  nn::Dropout dropout{0.2};
  nn::Parameter log_noise{gt::zeros({1})};  // logarithm of the variance of the noise

  gt::Tensor operator()(const gt::Tensor& x) const { return out(dropout(gt::relu(fc2(dropout(gt::relu(fc1(x))))))); }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1), v("fc2", fc2), v("out", out), v("dropout", dropout), v("log_noise", log_noise);
  }
};

/// Patients: ten measurements, and the disease a year later.
struct Patients {
  gt::Tensor x, y;  // [n, 10], [n, 1]

  Patients rows(const gt::Tensor& which) const { return {gt::take(x, which), gt::take(y, which)}; }
};

struct Outcome {
  double rmse, linear_rmse, covered;  // in units of the outcome's standard deviation; share of patients
};

/// Learns from the first patients, and is tested on the second.
Outcome outcome(const Patients& known, const Patients& others, int steps) {
  const auto scale_x = gt::data::fit_normalize(known.x), scale_y = gt::data::fit_normalize(known.y);
  const Patients train{scale_x(known.x), scale_y(known.y)}, test{scale_x(others.x), scale_y(others.y)};
  Network net;
  gt::optim::AdamW opt(net.parameters(), {.lr = 3e-3, .weight_decay = 0.1});
  const gt::optim::CosineLR schedule{.lr = 3e-3, .steps = steps};
  for (int step = 0; step < steps; ++step) {
    opt.lr = schedule(step);
    opt.zero_grad();
    gt::gaussian_nll_loss(net(train.x), train.y, gt::exp(net.log_noise)).backward();
    opt.step();
  }

  const gt::NoGrad off;  // and no eval(): dropout stays on
  constexpr std::int64_t draws = 500;
  std::vector<gt::Tensor> answers;
  for (int i = 0; i < draws; ++i) answers.push_back(net(test.x));
  const auto all = gt::stack(answers);  // [draws, n, 1]
  const auto noisy = gt::sort(all + gt::exp(0.5 * net.log_noise) * gt::randn(all.shape()), {.axis = 0}).values;
  const auto low = noisy[{draws / 20}], high = noisy[{draws - draws / 20}];

  const auto with_one = [](const gt::Tensor& x) {
    return gt::concatenate({x, gt::ones({x.shape()[0], 1})}, {.axis = 1});
  };
  const auto linear = gt::matmul(with_one(test.x), gt::lstsq(with_one(train.x), train.y));
  return {gt::report::rmse(gt::mean(all, {.axes = 0}), test.y), gt::report::rmse(linear, test.y),
          gt::mean(gt::logical_and(low <= test.y, test.y <= high).to(gt::f64)).item()};
}

int main(int argc, char** argv) try {
  std::string folder = "/usr/lib/python3/dist-packages/sklearn/datasets/data";
  int splits = 10, steps = 225;
  CLI::App app("Predicts the course of diabetes, and how far off it may be.");
  app.add_option("--splits", splits, "random fifths to test on")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--steps", steps, "steps of each network")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--data", folder, "folder of diabetes_data_raw.csv.gz and diabetes_target.csv.gz")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const gt::DefaultDtype f64(gt::f64);
  const auto read = [&](const char* name) {
    return gt::data::read_csv(folder + "/" + name, {.header = false, .separator = ' '}).matrix_without({});
  };
  const Patients all{read("diabetes_data_raw.csv.gz"), read("diabetes_target.csv.gz")};
  const std::int64_t n = all.x.shape()[0], held_out = n / 5;

  double rmse = 0, linear = 0, covered = 0;
  for (int split = 1; split <= splits; ++split) {
    gt::manual_seed(static_cast<std::uint64_t>(split));
    const auto order = gt::permutation(n);
    const auto result =
        outcome(all.rows(order[{gt::Slice{held_out, n}}]), all.rows(order[{gt::Slice{0, held_out}}]), steps);
    rmse += result.rmse / splits, linear += result.linear_rmse / splits, covered += result.covered / splits;
    fmt::print("split {:>2}: RMSE {:.3f}, of the linear fit {:.3f}; in their interval {:.1f} %\n", split, result.rmse,
               result.linear_rmse, 100 * result.covered);
  }
  fmt::print("RMSE by that of the linear fit: {:.4f}\n", rmse / linear);
  fmt::print("{:.1f} % are in their intervals; percent points off 90: {:.1f}\n", 100 * covered,
             std::abs(100 * covered - 90));
} catch (const std::exception& error) {
  fmt::print(stderr, "16_uncertainty: {}\n", error.what());
  return 1;
}
