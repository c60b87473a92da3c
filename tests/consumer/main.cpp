#include <gradtape/gradtape.hpp>

#include <fmt/core.h>

namespace gt = gradtape;

int main() {
  gt::manual_seed(1);
  const auto x = gt::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const auto y = gt::tensor({{0}, {1}, {1}, {0}});
  gt::nn::MLP net({2, 8, 1}, {.activation = gt::sigmoid});
  gt::optim::SGD optimizer(net.parameters(), {.lr = 0.5, .momentum = 0.9});
  for (int step = 0; step < 2000; ++step) {
    const auto loss = gt::mse_loss(net(x), y);
    if (step == 0) gt::print_tape(loss);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  fmt::print("{}\n", net(x) > 0.5);
}
