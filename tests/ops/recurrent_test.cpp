#include <cmath>

#include "ops/rows.hpp"
#include "ops/tensors.hpp"

namespace gt = gradtape;
using cases::doubles, cases::random;
using gt::Tensor;

namespace {

/// x, the state (h, for an LSTM and c), the two weights and the two biases.
struct Operands {
  gt::Shape x, state;

  std::vector<gt::Shape> shapes(std::int64_t gates, bool cell_state) const {
    const std::int64_t in = x[-1], hidden = state[-1], rows = gates * hidden;
    std::vector<gt::Shape> out{x, state, {rows, in}, {rows, hidden}, {rows}, {rows}};
    if (cell_state) out.push_back(state);
    return out;
  }
};

const Operands operands[] = {
    {{3, 2}, {3, 4}}, {{2, 1}, {2, 9}},  // a lane is full, or there is a rest
    {{2}, {3}},       {{2, 2, 1}, {2, 2, 2}}, {{0, 2}, {0, 3}}, {{2, 0}, {2, 1}}, {{2, 1}, {2, 0}},
};

std::vector<cases::Call> calls(std::int64_t gates, const cases::Function& f, bool cell_state = false) {
  std::vector<cases::Call> out;
  for (const Operands& sizes : operands) {
    const auto shapes = sizes.shapes(gates, cell_state);
    const auto make = [shapes] {
      cases::Tensors x;
      for (const gt::Shape& shape : shapes) x.push_back(cases::between(-1, 1)(shape));
      return x;
    };
    out.push_back({gt::to_string(sizes.x) + gt::to_string(sizes.state), make, f});
  }
  return out;
}

using Inputs = std::span<const Tensor>;
Tensor rnn(Inputs x) { return gt::rnn_cell(x[0], x[1], x[2], x[3], {x[4], x[5]}); }
Tensor rnn_relu(Inputs x) {  // away from the kink
  return gt::rnn_cell(x[0], x[1], x[2], x[3], {x[4] + 20, x[5], true});
}
gt::LstmResult lstm(Inputs x) { return gt::lstm_cell(x[0], {x[1], x[6]}, x[2], x[3], {x[4], x[5]}); }
Tensor gru(Inputs x) { return gt::gru_cell(x[0], x[1], x[2], x[3], {x[4], x[5]}); }

const cases::Rows cells([]() -> std::vector<cases::Row> {
  const Tensor x = gt::zeros({5, 2}), h = gt::zeros({5, 3}), ih = gt::zeros({9, 2}), hh = gt::zeros({9, 3});
  const Tensor lstm_ih = gt::zeros({12, 2}), lstm_hh = gt::zeros({12, 3});
  return {
      {"rnn_cell",
       cases::calls({calls(1, rnn), calls(1, rnn_relu),
                     calls(1, [](Inputs in) { return gt::rnn_cell(in[0], in[1], in[2], in[3]); })}),
       {{"rnn_cell: weight_hh has shape [9, 3]; expected [3, 3] for x [5, 2] and h [5, 3]",
         [=] {
           gt::rnn_cell(x, h, gt::zeros({3, 2}), hh);
         }},
        {"rnn_cell: x [] and h [5, 3]; expected x (…, in) and h (…, hidden)",
         [=] { gt::rnn_cell(gt::zeros({}), h, ih, hh); }}}},
      {"lstm_cell",
       cases::calls({calls(
                         4, [](Inputs in) { return lstm(in).h; }, true),
                     calls(
                         4, [](Inputs in) { return lstm(in).c; }, true),
                     calls(
                         4, [](Inputs in) { return lstm(in).h * lstm(in).c; }, true)}),
       {{"lstm_cell: h [5, 3] and c [5, 4] differ in shape",
         [=] {
           gt::lstm_cell(x, {h, gt::zeros({5, 4})}, lstm_ih, lstm_hh);
         }},
        {"lstm_cell: weight_ih has shape [9, 2]; expected [12, 2] for x [5, 2] and h [5, 3]",
         [=] {
           gt::lstm_cell(x, {h, h}, ih, lstm_hh);
         }},
        {"lstm_cell: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
         [=] {
           gt::lstm_cell(x, {h, h.to(gt::f64)}, lstm_ih, lstm_hh);
         }}}},
      {"gru_cell",
       cases::calls({calls(3, gru), calls(3, [](Inputs in) { return gt::gru_cell(in[0], in[1], in[2], in[3]); })}),
       {{"gru_cell: h has shape [4, 3]; expected [5, 3] for x [5, 2] and h [4, 3]",
         [=] {
           gt::gru_cell(x, gt::zeros({4, 3}), ih, hh);
         }},
        {"gru_cell: bias_hh has shape [3]; expected [9] for x [5, 2] and h [5, 3]",
         [=] { gt::gru_cell(x, h, ih, hh, {.bias_hh = gt::zeros({3})}); }},
        {"gru_cell: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::gru_cell(cases::integers({5, 2}), h, ih, hh);
         }}}},
  };
});

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The operands of a cell as numbers, and its products by plain loops.
struct Plain {
  std::int64_t batch, in, hidden, gates;
  cases::Tensors tensors;

  explicit Plain(std::int64_t gate_count, gt::Dtype dtype = gt::f64) : batch(5), in(3), hidden(21), gates(gate_count) {
    for (const gt::Shape& shape : Operands{{batch, in}, {batch, hidden}}.shapes(gates, true))
      tensors.push_back(random(shape, dtype));
  }
  double at(std::size_t which, std::int64_t row, std::int64_t column) const {
    return tensors[which][{row, column}].item();
  }
  double bias(std::size_t which, std::int64_t at) const { return tensors[which][at].item(); }
  /// Row `gate`·hidden + j of W·x + b for the batch's row i: of x, or of h.
  double of_x(std::int64_t i, std::int64_t gate, std::int64_t j) const { return product(0, in, i, gate * hidden + j); }
  double of_h(std::int64_t i, std::int64_t gate, std::int64_t j) const {
    return product(1, hidden, i, gate * hidden + j);
  }
  double sum(std::int64_t i, std::int64_t gate, std::int64_t j) const { return of_x(i, gate, j) + of_h(i, gate, j); }

 private:
  double product(std::size_t which, std::int64_t n, std::int64_t i, std::int64_t row) const {
    double total = bias(which + 4, row);
    for (std::int64_t k = 0; k < n; ++k) total += at(which, i, k) * at(which + 2, row, k);
    return total;
  }
};

/// Checks a cell's output, element by element, in f32 and f64.
template <class F, class Expected>
void check_formula(std::int64_t gates, F f, Expected expected) {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const Plain plain(gates, dtype);
    const Tensor y = f(plain.tensors);
    for (std::int64_t i = 0; i < plain.batch; ++i)
      for (std::int64_t j = 0; j < plain.hidden; ++j)
        CHECK(y[{i, j}].item() ==
              doctest::Approx(expected(plain, i, j)).epsilon(dtype == gt::f32 ? 1e-4 : 1e-12).scale(1));
  }
}

/// The cell's value and all gradients equal those of the formula written in other ops.
void check_composed(std::int64_t gates, const cases::Function& fused, const cases::Function& composed) {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const Plain plain(gates, dtype);
    const auto gradients = [&](const cases::Function& f) {
      cases::Tensors leaves;
      for (const Tensor& x : plain.tensors) leaves.push_back(gt::parameter(x));
      const Tensor y = f(leaves);
      auto out = gt::grad(gt::sum(y * y), leaves, {.allow_unused = true});
      out.push_back(y.detach());
      return out;
    };
    const auto ours = gradients(fused), theirs = gradients(composed);
    for (std::size_t i = 0; i < ours.size(); ++i)
      if (theirs[i].defined()) CHECK(ours[i] == gt::approx(theirs[i]).atol(dtype == gt::f32 ? 1e-5 : 1e-12));
  }
}

Tensor products(Inputs x) { return gt::linear(x[0], x[2], x[4]) + gt::linear(x[1], x[3], x[5]); }

}  // namespace

TEST_CASE("recurrent cells: rows") { cells.check(); }

TEST_CASE("recurrent cells: the formulas by plain loops") {
  const gt::RandomStream stream(51);
  check_formula(1, rnn, [](const Plain& p, auto i, auto j) { return std::tanh(p.sum(i, 0, j)); });
  check_formula(
      1,
      [](Inputs x) {
        return gt::rnn_cell(x[0], x[1], x[2], x[3], {x[4], x[5], true});
      },
      [](const Plain& p, auto i, auto j) { return std::fmax(p.sum(i, 0, j), 0); });
  const auto cell = [](const Plain& p, auto i, auto j) {
    return sigmoid(p.sum(i, 1, j)) * p.at(6, i, j) + sigmoid(p.sum(i, 0, j)) * std::tanh(p.sum(i, 2, j));
  };
  check_formula(
      4, [](Inputs x) { return lstm(x).c; }, cell);
  check_formula(
      4, [](Inputs x) { return lstm(x).h; },
      [&](const Plain& p, auto i, auto j) { return sigmoid(p.sum(i, 3, j)) * std::tanh(cell(p, i, j)); });
  check_formula(3, gru, [](const Plain& p, auto i, auto j) {
    const double r = sigmoid(p.sum(i, 0, j)), z = sigmoid(p.sum(i, 1, j));
    return (1 - z) * std::tanh(p.of_x(i, 2, j) + r * p.of_h(i, 2, j)) + z * p.at(1, i, j);
  });
}

TEST_CASE("recurrent cells: equal to the same formula in single ops, gradients too") {
  const gt::RandomStream stream(52);
  check_composed(1, rnn, [](Inputs x) { return gt::tanh(products(x)); });
  const auto composed = [](Inputs x) -> gt::LstmResult {
    const auto gates = gt::chunk(products(x), 4, {.axis = -1});
    const Tensor c = gt::sigmoid(gates[1]) * x[6] + gt::sigmoid(gates[0]) * gt::tanh(gates[2]);
    return {gt::sigmoid(gates[3]) * gt::tanh(c), c};
  };
  check_composed(
      4, [](Inputs x) { return lstm(x).h; }, [&](Inputs x) { return composed(x).h; });
  check_composed(
      4, [](Inputs x) { return lstm(x).h + 2 * lstm(x).c; },
      [&](Inputs x) { return composed(x).h + 2 * composed(x).c; });
  check_composed(3, gru, [](Inputs x) {
    const auto of_x = gt::chunk(gt::linear(x[0], x[2], x[4]), 3, {.axis = -1}),
               of_h = gt::chunk(gt::linear(x[1], x[3], x[5]), 3, {.axis = -1});
    const Tensor n = gt::tanh(of_x[2] + gt::sigmoid(of_x[0] + of_h[0]) * of_h[2]), z = gt::sigmoid(of_x[1] + of_h[1]);
    return (1 - z) * n + z * x[1];
  });
}

TEST_CASE("recurrent cells: half a step checks its state as well") {
  const Tensor gates = gt::zeros({2, 12}), h = gt::zeros({2, 3}), weight = gt::zeros({12, 3});
  CHECK_THROWS_WITH_AS(gt::detail::lstm_step(gates, {h, h.to(gt::f64)}, weight),
                       "lstm_cell: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)", gt::DtypeError);
  CHECK_THROWS_WITH_AS(gt::detail::lstm_step(gates, {h, h.to(gt::i64)}, weight),
                       "lstm_cell: no meaning for i64; convert with .to(gradtape::f32)", gt::DtypeError);
}

TEST_CASE("recurrent cells: saturated gates and NaN") {
  const double inf = cases::inf;
  const auto cell = [](double pre, double h) {  // one unit without weights: biases are the gates
    const Tensor b = gt::parameter(cases::vector({pre, pre, pre})), state = gt::parameter(gt::tensor({{h}}, {gt::f64}));
    const Tensor y = gt::gru_cell(gt::zeros({1, 1}, {gt::f64}), state, gt::zeros({3, 1}, {gt::f64}),
                                  gt::zeros({3, 1}, {gt::f64}), {.bias_ih = b});
    const auto g = gt::grad(gt::sum(y), std::vector{b, state});
    return std::vector{y.item(), g[0][0].item(), g[0][1].item(), g[0][2].item(), g[1].item()};
  };
  CHECK(cell(inf, 0.5) == std::vector{0.5, 0., 0., 0., 1.});  // z = 1 keeps the state
  CHECK(cell(1e6, 0.5) == std::vector{0.5, 0., 0., 0., 1.});
  CHECK(cell(-1e6, 0.5) == std::vector{-1., 0., 0., 0., 0.});  // z = 0 takes n = -1
  for (const double out : cell(cases::nan, 0.5)) CHECK((std::isnan(out) || out == 0));
}
