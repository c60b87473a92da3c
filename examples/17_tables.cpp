// Three small tables that many know: digits of 8 x 8 pixels in ten classes, chemistry of wines from three vineyards,
// cells of breast tumours, benign or malignant. One network for all, tested on a fifth that it has not seen, five times
// each.

#include <gradtape/data/csv.hpp>
#include <gradtape/gradtape.hpp>
#include <gradtape/report/metrics.hpp>

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

struct Dataset {
  const char* name;
  const char* file;
  std::int64_t skip;  // lines before the numbers; the last column is the class
};

struct Examples {
  gt::Tensor x, y;  // [n, features], [n]
  Examples rows(const gt::Tensor& which) const { return {gt::take(x, which), gt::take(y, which)}; }
};

Examples load(const std::string& path, const Dataset& dataset) {
  const auto numbers = gt::data::read_csv(path, {.header = false, .skip = dataset.skip}).matrix_without({});
  const std::int64_t features = numbers.shape()[1] - 1;
  return {numbers[{gt::Slice{}, gt::Slice{0, features}}].to(gt::f32), numbers[{gt::Slice{}, features}].to(gt::i64)};
}

/// Share of the test examples that a network which learnt from the others gets right.
double accuracy(const Examples& train, const Examples& test, int steps) {
  const auto normalize = gt::data::fit_normalize(train.x);
  const auto scaled = [&](const gt::Tensor& x) { return gt::maximum(gt::minimum(normalize(x), 5), -5); };
  const std::int64_t classes = 1 + gt::max(train.y).to(gt::i64).item<std::int64_t>(), features = train.x.shape()[1];

  nn::Sequential net{nn::Linear(features, 64), gt::relu, nn::Dropout(0.2), nn::Linear(64, classes)};
  gt::optim::AdamW opt(net.parameters(), {.lr = 1e-2, .weight_decay = 0.05});
  const gt::optim::CosineLR schedule{.lr = 1e-2, .steps = steps};
  const auto x = scaled(train.x);
  for (int step = 0; step < steps; ++step) {
    opt.lr = schedule(step);
    opt.zero_grad();
    gt::cross_entropy(net(x), train.y).backward();
    opt.step();
  }
  const gt::NoGrad off;
  net.eval();
  return gt::report::accuracy(net(scaled(test.x)), test.y);
}

int main(int argc, char** argv) try {
  std::string folder = "/usr/lib/python3/dist-packages/sklearn/datasets/data";
  int splits = 5, steps = 150;
  CLI::App app("Learns three small tables.");
  app.add_option("--splits", splits, "random fifths to test on")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--steps", steps, "steps of each network")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--data", folder, "folder of the CSV files")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  for (const Dataset& dataset : {Dataset{"digits", "digits.csv.gz", 0}, Dataset{"wine", "wine_data.csv", 1},
                                 Dataset{"breast cancer", "breast_cancer.csv", 1}}) {
    const auto all = load(folder + "/" + dataset.file, dataset);
    const std::int64_t n = all.y.numel(), held_out = n / 5;
    double right = 0;
    for (int split = 0; split < splits; ++split) {
      gt::manual_seed(static_cast<std::uint64_t>(split));
      const auto order = gt::permutation(n);
      right += accuracy(all.rows(order[{gt::Slice{held_out, n}}]), all.rows(order[{gt::Slice{0, held_out}}]), steps);
    }
    fmt::print("{}: {:.4f}\n", dataset.name, right / splits);
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "17_tables: {}\n", error.what());
  return 1;
}
