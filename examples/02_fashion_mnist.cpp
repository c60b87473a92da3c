// Trains a network on Fashion-MNIST: 28 x 28 pictures of clothes in ten classes.
//   --model notes   the lecture notes': 784-128-10, sigmoid, squared error on one-hot targets
//   --model relu    784-256-10, ReLU, cross-entropy
// Both by mini-batch SGD with momentum, at a rate that falls to zero.

#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "support/ascii.hpp"
#include "support/curve.hpp"
#include "support/progress.hpp"
#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;

constexpr std::array names = {"T-shirt", "Trouser", "Pullover", "Dress", "Coat",
                              "Sandal",  "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
constexpr std::int64_t classes = names.size(), pixels = 28 * 28;

/// What tells the two models apart. Scores are a network's outputs, [n, classes].
struct Model {
  gt::nn::MLP net;
  std::function<gt::Tensor(const gt::Tensor& scores, const gt::Tensor& labels)> loss;
  std::function<gt::Tensor(const gt::Tensor& scores)> confidence;  // in each class, 0 to 1
  double lr;
  int epochs;
};

Model notes() {
  return {.net = gt::nn::MLP({pixels, 128, classes}, {.activation = gt::sigmoid}),
          .loss = [](auto& scores, auto& labels) { return gt::mse_loss(scores, gt::one_hot(labels, classes)); },
          .confidence = [](auto& scores) { return gt::minimum(gt::maximum(scores, 0), 1); },  // targets were 0 and 1
          .lr = 0.2,
          .epochs = 9};
}

Model relu() {
  return {.net = gt::nn::MLP({pixels, 256, classes}, {.activation = gt::relu}),
          .loss = [](auto& scores, auto& labels) { return gt::cross_entropy(scores, labels); },
          .confidence = [](auto& scores) { return gt::softmax(scores); },
          .lr = 0.03,
          .epochs = 9};
}

struct Data {
  gt::Tensor images;  // [n, 28, 28], 0 to 1
  gt::Tensor rows;    // [n, 784], about zero mean and unit variance
  gt::Tensor labels;  // [n]
  std::int64_t size;
};

/// The first `most` of a split of the data.
Data load(const std::string& stem, std::int64_t most) {
  const auto all =
      gt::data::read_idx_pair(stem + "-images-idx3-ubyte.gz", stem + "-labels-idx1-ubyte.gz", {.classes = classes});
  const auto images = all.images[{gt::Slice{0, most}}], labels = all.labels[{gt::Slice{0, most}}];
  return {images, (gt::reshape(images, {-1, pixels}) - 0.286) / 0.353, labels, labels.numel()};
}

/// Five pictures of different classes as text, then the mistake that the network is surest of.
void show_answers(const Data& test, const gt::Tensor& confidence) {
  const auto labels = test.labels.to_vector<std::int64_t>(), answers = gt::argmax(confidence).to_vector<std::int64_t>();
  const auto sure = gt::max(confidence, {.axes = 1}).to_vector<float>();
  const auto images = gt::contiguous(test.images);
  std::vector<std::size_t> chosen = {0, 1, 2, 8, 18}, mistakes;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (answers[i] != labels[i]) mistakes.push_back(i);
  if (!mistakes.empty())
    chosen.push_back(*std::ranges::max_element(mistakes, {}, [&](std::size_t i) { return sure[i]; }));

  std::vector<support::Picture> pictures;
  for (const std::size_t i : chosen) {
    const auto name = [](std::int64_t label) { return names[static_cast<std::size_t>(label)]; };
    const auto but = answers[i] == labels[i] ? "" : fmt::format(", is {}", name(labels[i]));
    pictures.push_back({images.span<float>().subspan(i * pixels, pixels),
                        fmt::format("{} {:.0f} %{}", name(answers[i]), 100 * sure[i], but)});
  }
  fmt::print("\n{}", support::draw(pictures, 28, 28));
}

int main(int argc, char** argv) try {
  std::string kind = "notes", folder = "/usr/share/datasets/fashion-mnist", curve;
  int epochs = 0, batch = 64;
  double lr = 0;
  std::uint64_t seed = 7;
  bool brief = false;
  CLI::App app("Trains a network on Fashion-MNIST.");
  app.add_option("--model", kind, "which network")->check(CLI::IsMember({"notes", "relu"}))->capture_default_str();
  app.add_option("--epochs", epochs, "passes over the training images; default: the model's")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch", batch, "images in a mini-batch")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--lr", lr, "learning rate of the first step; default: the model's")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "same seed, same bits")->capture_default_str();
  app.add_flag("--short", brief, "2 epochs on 2,000 images, to see that all works");
  app.add_option("--data", folder, "folder of the four IDX files")->capture_default_str();
  app.add_option("--curve", curve, "where the picture of the learning curve goes; default: learning-curve-MODEL.svg");
  CLI11_PARSE(app, argc, argv);

  gt::manual_seed(seed);
  const Model model = kind == "relu" ? relu() : notes();
  const Data train = load(folder + "/train", brief ? 2000 : 60000), test = load(folder + "/t10k", brief ? 500 : 10000);
  if (epochs == 0) epochs = brief ? 2 : model.epochs;
  if (lr == 0) lr = model.lr;
  if (curve.empty()) curve = fmt::format("learning-curve-{}.svg", kind);

  gt::optim::SGD opt(model.net.parameters(), {.lr = lr, .momentum = 0.9});
  const auto scores = [&] { return gt::NoGrad(), model.net(test.rows); };
  const auto batches = static_cast<int>((train.size + batch - 1) / batch);
  fmt::print("{}: {} parameters, {} images, {} epochs of {} mini-batches\n", kind, model.net.parameter_count(),
             train.size, epochs, batches);

  support::Progress progress(epochs, batches);
  std::vector<support::Epoch> history;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto order = gt::permutation(train.size);
    for (int i = 0; i < batches; ++i) {
      opt.lr = lr * (1 - (epoch + static_cast<double>(i) / batches) / epochs);
      const auto chosen = order[{gt::Slice{i * batch, (i + 1) * batch}}];
      const auto loss = model.loss(model.net(gt::take(train.rows, chosen)), gt::take(train.labels, chosen));
      opt.zero_grad();
      loss.backward();
      opt.step();
      progress.step(loss.item(), opt.lr);
    }
    const double accuracy = gt::mean((gt::argmax(scores()) == test.labels).to(gt::f32)).item();
    history.push_back({progress.end_epoch(accuracy), accuracy});
  }
  show_answers(test, model.confidence(scores()));
  support::write_curve(curve, fmt::format("Fashion-MNIST, {}", kind), history);
  fmt::print("learning curve: {}\n", curve);
  fmt::print("training time: {:.1f} s\n", progress.train_seconds());
  fmt::print("test accuracy: {:.4f}\n", history.back().test_accuracy);
} catch (const std::exception& error) {
  fmt::print(stderr, "02_fashion_mnist: {}\n", error.what());
  return 1;
}
