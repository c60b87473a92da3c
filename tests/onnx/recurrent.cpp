#include "node.hpp"

namespace suite {
namespace {

/// Part `i` of `n` equal ones along an axis.
gt::Tensor part(const gt::Tensor& x, int axis, std::int64_t i, std::int64_t n) {
  const std::int64_t size = x.shape()[axis] / n;
  return gt::slice(x, {.axis = axis, .begin = i * size, .end = (i + 1) * size});
}

/// The weights of a layer of `gates` gates, one under the other, in one direction.
struct Weights {
  gt::Tensor x, h, x_bias, h_bias;

  Weights(const Node& n, std::int64_t gates) : x(n[1][0]), h(n[2][0]) {
    const std::int64_t rows = gates * n.integer("hidden_size", 0);
    const gt::Tensor bias = n.has(3) ? n[3][0] : gt::zeros({2 * rows});
    x_bias = part(bias, 0, 0, 2);
    h_bias = part(bias, 0, 1, 2);
  }
};

/// Applies h = step(x, h) from one point of time to the next.
Outputs recurrent(const Node& n, const std::function<gt::Tensor(const gt::Tensor& x, const gt::Tensor& h)>& step) {
  const bool batch_first = n.flag("layout", false);
  const gt::Tensor x = batch_first ? gt::transpose(n[0], {.axis0 = 0, .axis1 = 1}) : n[0];
  const std::int64_t steps = x.shape()[0], batch = x.shape()[1], hidden = n.integer("hidden_size", 0);
  if (n.has(4))
    for (const std::int64_t length : n.integers(4))
      if (length != steps) throw Skip{"sequences of different lengths"};
  gt::Tensor h = n.has(5) ? n[5][0] : gt::zeros({batch, hidden});
  for (std::int64_t t = 0; t < steps; ++t) h = step(x[t], h);
  const gt::Tensor last = gt::reshape(h, batch_first ? gt::Shape{batch, 1, hidden} : gt::Shape{1, batch, hidden});
  const gt::Shape all{batch_first ? batch : 1, 1, batch_first ? 1 : batch, hidden};
  return std::vector{steps == 1 ? gt::reshape(h, all) : gt::Tensor(), last};
}

Outputs rnn(const Node& n) {
  const Weights w(n, 1);
  return recurrent(n, [&](const gt::Tensor& x, const gt::Tensor& h) {
    return gt::rnn_cell(x, h, w.x, w.h, {w.x_bias, w.h_bias});
  });
}

Outputs gru(const Node& n) {
  const Weights w(n, 3);
  const auto from_x = [&](const gt::Tensor& x, int gate) {
    return gt::linear(x, part(w.x, 0, gate, 3), part(w.x_bias, 0, gate, 3));
  };
  const auto from_h = [&](const gt::Tensor& h, int gate) {
    return gt::linear(h, part(w.h, 0, gate, 3), part(w.h_bias, 0, gate, 3));
  };
  return recurrent(n, [&](const gt::Tensor& x, const gt::Tensor& h) {
    const gt::Tensor update = gt::sigmoid(from_x(x, 0) + from_h(h, 0)),
                     reset = gt::sigmoid(from_x(x, 1) + from_h(h, 1));
    return (1 - update) * gt::tanh(from_x(x, 2) + from_h(reset * h, 2)) + update * h;
  });
}

Outputs lstm(const Node& n) {
  const Weights w(n, 4);
  const std::int64_t hidden = n.integer("hidden_size", 0);
  const gt::Tensor peephole = n.has(7) ? n[7][0] : gt::zeros({3 * hidden});
  gt::Tensor cell = n.has(6) ? n[6][0] : gt::zeros({hidden});
  return recurrent(n, [&](const gt::Tensor& x, const gt::Tensor& h) {
    const gt::Tensor gates = gt::linear(x, w.x, w.x_bias) + gt::linear(h, w.h, w.h_bias);
    const gt::Tensor input = gt::sigmoid(part(gates, -1, 0, 4) + part(peephole, 0, 0, 3) * cell);
    const gt::Tensor forget = gt::sigmoid(part(gates, -1, 2, 4) + part(peephole, 0, 2, 3) * cell);
    cell = forget * cell + input * gt::tanh(part(gates, -1, 3, 4));
    return gt::sigmoid(part(gates, -1, 1, 4) + part(peephole, 0, 1, 3) * cell) * gt::tanh(cell);
  });
}

}  // namespace

Table recurrence() {
  return {
      {"GRU", gru},
      {"LSTM", lstm},
      {"RNN", rnn},
  };
}

}  // namespace suite
