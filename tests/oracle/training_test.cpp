#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "libtorch.hpp"

namespace {

using namespace oracle;

/// The same leaves, and an optimizer of them, in both libraries.
class Pair {
 public:
  Pair(std::vector<gt::Tensor> values, const gt::optim::SGDOptions& options)
      : ours(leaves(values)),
        theirs(torch_leaves(values)),
        our_sgd_(ours, options),
        their_sgd_(theirs, translated(options)) {}

  /// One step down `loss`, which is the same text for both, of the leaves. Returns the two losses.
  template <class OurLoss, class TheirLoss>
  std::pair<double, double> step(OurLoss our_loss, TheirLoss their_loss) {
    our_sgd_.zero_grad();
    their_sgd_.zero_grad();
    const gt::Tensor a = our_loss(ours);
    const torch::Tensor b = their_loss(theirs);
    a.backward();
    b.backward();
    our_sgd_.step();
    their_sgd_.step();
    return {a.item(), b.item<double>()};
  }

  const std::vector<gt::Tensor> ours;
  const std::vector<torch::Tensor> theirs;

 private:
  static std::vector<gt::Tensor> leaves(std::vector<gt::Tensor> values) {
    for (gt::Tensor& value : values) value = gt::parameter(value);
    return values;
  }
  static std::vector<torch::Tensor> torch_leaves(const std::vector<gt::Tensor>& values) {
    std::vector<torch::Tensor> result;
    for (const gt::Tensor& value : values) result.push_back(to_torch(value).set_requires_grad(true));
    return result;
  }
  static torch::optim::SGDOptions translated(const gt::optim::SGDOptions& options) {
    return torch::optim::SGDOptions(options.lr)
        .momentum(options.momentum)
        .dampening(options.dampening)
        .weight_decay(options.weight_decay)
        .nesterov(options.nesterov);
  }

  gt::optim::SGD our_sgd_;
  torch::optim::SGD their_sgd_;
};

/// 100 steps of the demo's network, 784-128-10, on batches of ten noisy patterns. `loss` takes the weights, x and
/// labels.
template <class OurLoss, class TheirLoss>
void train(double lr, OurLoss our_loss, TheirLoss their_loss) {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    CAPTURE(to_string(dtype));
    const gt::DefaultDtype scope(dtype);
    const gt::RandomStream stream(5);
    const auto weight = [](int in, int out) {
      const double bound = 1 / std::sqrt(in);
      return gt::uniform({out, in}, {.low = -bound, .high = bound});
    };
    Pair pair({weight(784, 128), gt::zeros({128}), weight(128, 10), gt::zeros({10})}, {.lr = lr, .momentum = 0.9});

    const gt::Tensor patterns = gt::uniform({10, 784});
    double first = 0, last = 0, worst = 0;
    for (int i = 0; i < 100; ++i) {
      const gt::Tensor labels = gt::argmax(gt::randn({64, 10}));
      const gt::Tensor x = 0.5 * gt::take(patterns, labels) + 0.5 * gt::uniform({64, 784});
      const auto [ours, theirs] =
          pair.step([&](const auto& w) { return our_loss(w, x, labels); },
                    [&](const auto& w) { return their_loss(w, to_torch(x), to_torch(labels)); });
      if (i == 0) first = theirs;
      last = theirs;
      worst = std::max(worst, std::abs(ours - theirs) / theirs);
    }
    CHECK(last < 0.7 * first);  // else the trajectories would say little
    CHECK(worst < (dtype == gt::f32 ? 1e-4 : 1e-10));
  }
}

}  // namespace

TEST_CASE("oracle: the notes' network trains as with libtorch") {
  const auto forward = [](const auto& w, const auto& x) { return linear(sigmoid(linear(x, w[0], w[1])), w[2], w[3]); };
  train(
      0.1, [&](const auto& w, const auto& x, const auto& y) { return gt::mse_loss(forward(w, x), gt::one_hot(y, 10)); },
      [&](const auto& w, const auto& x, const auto& y) {
        return torch::mse_loss(forward(w, x), torch::one_hot(y, 10).to(x.scalar_type()));
      });
}

TEST_CASE("oracle: a ReLU network with cross-entropy trains as with libtorch") {
  const auto forward = [](const auto& w, const auto& x) { return linear(relu(linear(x, w[0], w[1])), w[2], w[3]); };
  train(
      0.02, [&](const auto& w, const auto& x, const auto& y) { return gt::cross_entropy(forward(w, x), y); },
      [&](const auto& w, const auto& x, const auto& y) { return torch::cross_entropy_loss(forward(w, x), y); });
}

TEST_CASE("oracle: every option of SGD moves parameters as libtorch's does") {
  const gt::optim::SGDOptions choices[] = {
      {.lr = 0.1},
      {.lr = 0.1, .weight_decay = 0.2},
      {.lr = 0.02, .momentum = 0.9},
      {.lr = 0.02, .momentum = 0.9, .dampening = 0.4},
      {.lr = 0.02, .momentum = 0.9, .weight_decay = 0.2},
      {.lr = 0.02, .momentum = 0.9, .nesterov = true},
      {.lr = 0.02, .momentum = 0.9, .weight_decay = 0.2, .nesterov = true},
      {.lr = 0.02, .momentum = 0.5, .dampening = 0.4, .weight_decay = 0.2},
  };
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const gt::optim::SGDOptions& options : choices) {
      CAPTURE(to_string(dtype));
      CAPTURE(&options - choices);
      const gt::DefaultDtype scope(dtype);
      const gt::RandomStream stream(6);
      const gt::Tensor x = gt::randn({7, 3}), y = gt::randn({7, 5});
      const torch::Tensor x_torch = to_torch(x), y_torch = to_torch(y);
      Pair pair({gt::randn({5, 3}), gt::randn({5})}, options);
      for (int i = 0; i < 50; ++i)
        pair.step([&](const auto& w) { return gt::mse_loss(gt::tanh(gt::linear(x, w[0], w[1])), y); },
                  [&](const auto& w) { return torch::mse_loss(torch::linear(x_torch, w[0], w[1]).tanh(), y_torch); });
      for (std::size_t i = 0; i < pair.ours.size(); ++i) check_equal(pair.ours[i].detach(), pair.theirs[i].detach());
    }
}
