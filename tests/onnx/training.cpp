#include "node.hpp"

namespace suite {
namespace {

/// After the rate and the number of the step come all parameters, then all their gradients, then each kind of state.
/// `step` takes one of each and returns what replaces the parameter and its states.
Outputs each_parameter(const Node& n, std::size_t states,
                       const std::function<std::vector<gt::Tensor>(const std::vector<gt::Tensor>&)>& step) {
  const std::size_t parameters = (n.size() - 2) / (2 + states);
  std::vector<gt::Tensor> outputs((1 + states) * parameters);
  for (std::size_t p = 0; p < parameters; ++p) {
    std::vector<gt::Tensor> in;
    for (std::size_t kind = 0; kind < 2 + states; ++kind) in.push_back(n[2 + kind * parameters + p]);
    const std::vector<gt::Tensor> out = step(in);
    for (std::size_t kind = 0; kind < 1 + states; ++kind) outputs[kind * parameters + p] = out[kind];
  }
  return outputs;
}

Outputs momentum(const Node& n) {
  const double decay = n.number("alpha", 0), weight = n.number("norm_coefficient", 0), beta = n.number("beta", 1);
  const double gradients = n[1].item() > 0 ? beta : 1;
  const bool nesterov = n.text("mode", "standard") == "nesterov";
  return each_parameter(n, 1, [&](const std::vector<gt::Tensor>& in) {
    const gt::Tensor x = in[0], g = weight * x + in[1], v = decay * in[2] + gradients * g;
    return std::vector{x - n[0] * (nesterov ? g + decay * v : v), v};
  });
}

Outputs adagrad(const Node& n) {
  const double weight = n.number("norm_coefficient", 0), epsilon = n.number("epsilon", 1e-6);
  const gt::Tensor rate = n[0] / (1 + n[1].item() * n.number("decay_factor", 0));
  return each_parameter(n, 1, [&](const std::vector<gt::Tensor>& in) {
    const gt::Tensor x = in[0], g = weight * x + in[1], h = in[2] + gt::square(g);
    return std::vector{x - rate * g / (gt::sqrt(h) + epsilon), h};
  });
}

Outputs adam(const Node& n) {
  const double alpha = n.number("alpha", 0.9), beta = n.number("beta", 0.999), epsilon = n.number("epsilon", 1e-6);
  const double weight = n.number("norm_coefficient", 0);
  if (n[1].item() != 0) throw Skip{"a step after the first"};
  return each_parameter(n, 2, [&](const std::vector<gt::Tensor>& in) {
    const gt::Tensor x = in[0], g = weight * x + in[1];
    const gt::Tensor v = alpha * in[2] + (1 - alpha) * g, h = beta * in[3] + (1 - beta) * gt::square(g);
    return std::vector{x - n[0] * v / (gt::sqrt(h) + epsilon), v, h};
  });
}

}  // namespace

Table training() {
  return {
      {"Adagrad", adagrad},
      {"Adam", adam},
      {"Momentum", momentum},
  };
}

}  // namespace suite
