// A recurrent network reads a picture of Fashion-MNIST as a sequence: row after row from the top, 28 steps of 28
// pixels. What its gated recurrent units remember after the last row tells the class.

#include <gradtape/data/loader.hpp>
#include <gradtape/gradtape.hpp>
#include <gradtape/report/metrics.hpp>
#include <gradtape/report/progress.hpp>

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

struct Network : nn::Module {
  nn::GRU gru{28, 128};
  nn::Linear classes{128, 10};

  /// Pictures [n, 28, 28] -> scores [n, 10].
  gt::Tensor operator()(const gt::Tensor& x) const {
    const auto rows = gt::transpose(x, {0, 1});  // a step each
    return classes(gru(rows).h[{0}]);
  }
  void visit(nn::Visitor& v) override { v("gru", gru), v("classes", classes); }
};

gt::data::TensorDataset<2> load(const std::string& stem, std::int64_t most) {
  const auto all =
      gt::data::read_idx_pair(stem + "-images-idx3-ubyte.gz", stem + "-labels-idx1-ubyte.gz", {.classes = 10});
  const gt::Slice first{0, most};
  return gt::data::TensorDataset((all.images[{first}] - 0.286) / 0.353, all.labels[{first}]);
}

int main(int argc, char** argv) try {
  std::string folder = "/usr/share/datasets/fashion-mnist";
  int epochs = 5;
  std::uint64_t seed = 1;
  bool brief = false;
  CLI::App app("Trains a recurrent network on the rows of Fashion-MNIST's pictures.");
  app.add_option("--epochs", epochs, "passes over the training images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", seed, "same seed, same bits")->capture_default_str();
  app.add_flag("--short", brief, "4 epochs on 2,000 images, to see that all works");
  app.add_option("--data", folder, "folder of the four IDX files")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (brief) epochs = 4;

  gt::manual_seed(seed);
  gt::data::DataLoader train(load(folder + "/train", brief ? 2000 : 60000),
                             {.batch_size = 64, .shuffle = true, .seed = seed});
  gt::data::DataLoader test(load(folder + "/t10k", brief ? 500 : 10000), {.batch_size = 500});
  Network net;
  fmt::print("{}", gt::nn::to_string(net));

  gt::optim::Adam opt(net.parameters());
  const gt::optim::CosineLR schedule{.lr = 2e-3, .steps = epochs * train.size()};
  std::int64_t step = 0;
  gt::report::RunningMean accuracy;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    auto bar = gt::report::progress(train, {.label = fmt::format("epoch {}/{}", epoch, epochs)});
    for (const auto& [x, y] : bar) {
      opt.lr = schedule(step++);
      opt.zero_grad();
      const auto loss = gt::cross_entropy(net(x), y);
      loss.backward();
      gt::optim::clip_grad_norm(net.parameters(), 1);
      opt.step();
      bar.set("loss", loss);
    }
    const gt::NoGrad off;
    accuracy.reset();
    for (const auto& [x, y] : test) accuracy.add(gt::report::accuracy(net(x), y), static_cast<double>(y.numel()));
    fmt::print("epoch {}: test accuracy {:.4f}\n", epoch, accuracy.mean());
  }
  fmt::print("test accuracy: {:.4f}\n", accuracy.mean());
} catch (const std::exception& error) {
  fmt::print(stderr, "12_gru: {}\n", error.what());
  return 1;
}
