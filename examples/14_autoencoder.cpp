// A variational autoencoder of Fashion-MNIST's pictures (D. Kingma and M. Welling, Auto-Encoding Variational Bayes,
// ICLR 2014): a network turns a picture into a normal distribution of 20 hidden numbers, another turns a draw of it
// back into a picture. What is raised is the evidence lower bound, in nats for each picture:
//   ELBO = E[log p(x | z)] - KL(q(z | x) || N(0, 1)),  KL = ½ Σ (μ² + σ² - log σ² - 1)
// Draws of z itself then give pictures of clothes that nobody has made.

#include <gradtape/data/image.hpp>
#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace gt = gradtape;
namespace nn = gt::nn;

constexpr std::int64_t pixels = 28 * 28, hidden = 400, code = 20;

struct Autoencoder : nn::Module {
  nn::Linear fc1{pixels, hidden}, mean{hidden, code}, log_variance{hidden, code};
  nn::Linear fc3{code, hidden}, fc4{hidden, pixels};

  /// Logits of the pixels for codes z, [n, 20] -> [n, 784].
  gt::Tensor decode(const gt::Tensor& z) const { return fc4(gt::relu(fc3(z))); }

  /// The ELBO, a mean over the pictures x, [n, 784], with one draw for each.
  gt::Tensor elbo(const gt::Tensor& x) const {
    const auto h = gt::relu(fc1(x));
    const auto mu = mean(h), log_var = log_variance(h);
    const auto z = mu + gt::exp(0.5 * log_var) * gt::randn(mu.shape());
    const auto likelihood = -gt::bce_with_logits_loss(decode(z), x, {.reduction = gt::LossReduction::sum});
    const auto divergence = 0.5 * gt::sum(gt::square(mu) + gt::exp(log_var) - log_var - 1);
    return (likelihood - divergence) / static_cast<double>(x.shape()[0]);
  }

  void visit(nn::Visitor& v) override {
    v("fc1", fc1), v("mean", mean), v("log_variance", log_variance), v("fc3", fc3), v("fc4", fc4);
  }
};

/// Pictures of a split, [n, 784], 0 to 1.
gt::Tensor load(const std::string& stem, std::int64_t most) {
  const auto all = gt::data::read_idx_images(stem + "-images-idx3-ubyte.gz");
  return gt::contiguous(gt::reshape(all[{gt::Slice{0, most}}], {-1, pixels}));
}

/// Trains for some epochs of batches of 128 pictures.
Autoencoder trained(const gt::Tensor& train, int epochs) {
  Autoencoder net;
  gt::optim::Adam opt(net.parameters(), {.lr = 1e-3});
  const std::int64_t size = train.shape()[0], batch = 128;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto order = gt::permutation(size);
    for (std::int64_t i = 0; i < size; i += batch) {
      opt.zero_grad();
      (-net.elbo(gt::take(train, order[{gt::Slice{i, i + batch}}]))).backward();
      opt.step();
    }
  }
  return net;
}

int main(int argc, char** argv) try {
  std::string folder = "/usr/share/datasets/fashion-mnist", picture = "samples.png";
  int epochs = 10, seeds = 3;
  bool brief = false;
  CLI::App app("Trains a variational autoencoder on Fashion-MNIST.");
  app.add_option("--epochs", epochs, "passes over the training images")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seeds", seeds, "networks to train")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--short", brief, "one network on 4,000 images, to see that all works");
  app.add_option("--data", folder, "folder of the IDX files")->capture_default_str();
  app.add_option("--picture", picture, "where samples of the last network go")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (brief) seeds = 1;

  const auto train = load(folder + "/train", brief ? 4000 : 60000), test = load(folder + "/t10k", brief ? 1000 : 10000);
  double total = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    gt::manual_seed(static_cast<std::uint64_t>(seed));
    const auto net = trained(train, epochs);
    const gt::NoGrad off;
    const double elbo = net.elbo(test).item();
    total += elbo;
    fmt::print("seed {}: ELBO {:.2f} nats a picture\n", seed, elbo);
    if (seed + 1 == seeds) {
      const auto samples = gt::sigmoid(net.decode(gt::randn({64, code})));
      gt::data::write_png(picture, gt::data::image_grid(gt::reshape(samples, {-1, 1, 28, 28})));
    }
  }
  fmt::print("samples: {}\n", picture);
  fmt::print("mean ELBO: {:.2f}\n", total / seeds);
} catch (const std::exception& error) {
  fmt::print(stderr, "14_autoencoder: {}\n", error.what());
  return 1;
}
