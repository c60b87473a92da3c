// A convolutional network for Fashion-MNIST: pictures of clothes in ten classes. Convolutions find patterns wherever in
// the picture they stand, pooling makes the picture smaller, batch normalization lets large steps be taken.

#include <gradtape/gradtape.hpp>
#include <gradtape/report/metrics.hpp>
#include <gradtape/report/progress.hpp>

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

/// A convolution over windows of 3 x 3 and what follows it: n channels in, m out, half the height and width.
nn::Sequential block(std::int64_t n, std::int64_t m) {
  return {nn::Conv2d(n, m, 3, {.padding = 1, .bias = false}), nn::MaxPool2d(2), nn::BatchNorm2d(m), gt::relu};
}

struct Network : nn::Module {
  nn::Sequential features{block(1, 24), block(24, 48), block(48, 96)};  // [n, 1, 28, 28] -> [n, 96, 3, 3]
  nn::Dropout dropout{0.3};
  nn::Linear classes{96 * 3 * 3, 10};

  gt::Tensor operator()(const gt::Tensor& x) const {
    return classes(dropout(gt::flatten(features(x), {.start_axis = 1})));
  }
  void visit(nn::Visitor& v) override { v("features", features), v("dropout", dropout), v("classes", classes); }
};

/// Images [n, 1, 28, 28], about zero mean and unit variance, and labels [n].
gt::data::TensorDataset<2> load(const std::string& stem, std::int64_t most) {
  const auto all =
      gt::data::read_idx_pair(stem + "-images-idx3-ubyte.gz", stem + "-labels-idx1-ubyte.gz", {.classes = 10});
  const gt::Slice first{0, most};
  return gt::data::TensorDataset(gt::reshape((all.images[{first}] - 0.286) / 0.353, {-1, 1, 28, 28}),
                                 all.labels[{first}]);
}

/// Share of the images that the network classifies rightly.
double accuracy(Network& net, gt::data::DataLoader<gt::data::TensorDataset<2>>& test) {
  const gt::NoGrad off;
  net.eval();
  gt::report::RunningMean mean;
  for (const auto& [x, y] : test) mean.add(gt::report::accuracy(net(x), y), static_cast<double>(y.numel()));
  net.train();
  return mean.mean();
}

int main(int argc, char** argv) try {
  std::string folder = "/usr/share/datasets/fashion-mnist";
  int epochs = 7;
  std::int64_t batch = 64;
  std::uint64_t seed = 1;
  bool brief = false;
  CLI::App app("Trains a convolutional network on Fashion-MNIST.");
  app.add_option("--epochs", epochs, "passes over the training images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch", batch, "images in a mini-batch")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed, "same seed, same bits")->capture_default_str();
  app.add_flag("--short", brief, "2 epochs on 2,000 images, to see that all works");
  app.add_option("--data", folder, "folder of the four IDX files")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (brief) epochs = 2;

  gt::manual_seed(seed);
  gt::data::DataLoader train(load(folder + "/train", brief ? 2000 : 60000),
                             {.batch_size = batch, .shuffle = true, .seed = seed});
  gt::data::DataLoader test(load(folder + "/t10k", brief ? 500 : 10000), {.batch_size = 500});
  Network net;
  fmt::print("{}\n", gt::nn::to_string(net));

  gt::optim::AdamW opt(net.parameters(), {.lr = 0, .weight_decay = 0.05});
  const gt::optim::OneCycleLR schedule{.max_lr = 0.004, .total_steps = epochs * train.size()};
  std::int64_t step = 0;
  double figure = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    auto bar = gt::report::progress(train, {.label = fmt::format("epoch {}/{}", epoch, epochs)});
    for (const auto& [x, y] : bar) {
      opt.lr = schedule(step++);
      const auto loss = gt::cross_entropy(net(x), y);
      opt.zero_grad();
      loss.backward();
      opt.step();
      bar.set("loss", loss);
    }
    figure = accuracy(net, test);
    fmt::print("epoch {}: test accuracy {:.4f}\n", epoch, figure);
  }
  fmt::print("test accuracy: {:.4f}\n", figure);
} catch (const std::exception& error) {
  fmt::print(stderr, "11_cnn: {}\n", error.what());
  return 1;
}
