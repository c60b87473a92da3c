// A network that is no MLP: residual blocks with a gate, a parameter of their own (support/gated_net.hpp). It learns to
// tell two spirals apart; then a copy of it learns something else, and the original does not notice.

#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <numbers>

#include "support/gated_net.hpp"
#include <fmt/format.h>

namespace gt = gradtape;

constexpr std::int64_t points = 200;  // on each spiral

/// Two spirals, each the other turned by half a circle, as [2 * points, 2].
gt::Tensor spirals() {
  const auto radius = gt::reshape(gt::arange(points) + 1, {-1, 1}) / points;
  const auto side = gt::tensor({{{1.}}, {{-1.}}}), quarter = gt::tensor({std::numbers::pi / 2, 0.});
  return gt::reshape(side * radius * gt::sin(3 * std::numbers::pi * radius + quarter), {-1, 2});  // (2,n,1)·(n,2)
}

double accuracy(const support::GatedNet& net, const gt::Tensor& x, const gt::Tensor& labels) {
  const gt::NoGrad off;
  return gt::mean((gt::argmax(net(x)) == labels).to(gt::f32)).item();
}

void train(const support::GatedNet& net, const gt::Tensor& x, const gt::Tensor& labels, int steps) {
  gt::optim::SGD opt(net.parameters(), {.lr = 0.3, .momentum = 0.9});
  for (int step = 0; step < steps; ++step) {
    const auto loss = gt::cross_entropy(net(x), labels);
    opt.zero_grad();
    loss.backward();
    opt.step();
    if ((step + 1) % (steps / 5) == 0) fmt::print("  step {:>4}  loss {:.4f}\n", step + 1, loss.item());
  }
}

int main() {
  gt::manual_seed(1);
  const auto x = spirals();
  const auto labels = (gt::arange(2 * points) >= points).to(gt::i64);

  support::GatedNet net(2, 24, 3, 2);
  fmt::print("{}\n", gt::nn::to_string(net));

  fmt::print("two spirals:\n");
  train(net, x, labels, 1000);
  const double before = accuracy(net, x, labels);
  fmt::print("  accuracy {:.4f}\n\nhow far the gates have opened, from sigmoid(-1) = 0.2689:\n", before);
  for (const auto& block : net.blocks) fmt::print("  {:.4f} on average\n", gt::mean(gt::sigmoid(block.gate)).item());

  fmt::print("\na copy learns the opposite:\n");
  const support::GatedNet copy = net;
  train(copy, x, 1 - labels, 1000);
  fmt::print("  accuracy of the copy on the opposite {:.4f}, of the original on the spirals {:.4f}\n",
             accuracy(copy, x, 1 - labels), accuracy(net, x, labels));
  return accuracy(net, x, labels) == before && before > 0.95 ? 0 : 1;
}
