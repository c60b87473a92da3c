#include <algorithm>
#include <cmath>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::Muon, gt::optim::MuonOptions, gt::optim::MuonRate;

namespace {

/// A matrix in plain loops.
struct Matrix {
  std::size_t rows, cols;
  std::vector<double> x = std::vector<double>(rows * cols);
  double& at(std::size_t i, std::size_t j) { return x[i * cols + j]; }
  double at(std::size_t i, std::size_t j) const { return x[i * cols + j]; }
};

Matrix times(const Matrix& a, const Matrix& b, bool transposed) {
  Matrix out{a.rows, transposed ? b.rows : b.cols};
  for (std::size_t i = 0; i < out.rows; ++i)
    for (std::size_t j = 0; j < out.cols; ++j)
      for (std::size_t k = 0; k < a.cols; ++k) out.at(i, j) += a.at(i, k) * (transposed ? b.at(j, k) : b.at(k, j));
  return out;
}

double initial(std::size_t i) { return std::cos(static_cast<double>(i)); }
double slope(int t, std::size_t i) { return std::sin(1.7 * t + 0.3 * static_cast<double>(i * i)); }

/// The formulas of Muon's docstring, in double, always with A = X·Xᵀ.
Matrix reference(Matrix w, const MuonOptions& o, int steps) {
  const auto [a, b, c] = o.ns_coefficients;
  Matrix v{w.rows, w.cols}, d = v;
  for (int t = 0; t < steps; ++t) {
    double squares = 0;
    for (std::size_t i = 0; i < w.x.size(); ++i) {
      const double g = slope(t, i);
      v.x[i] = o.momentum * v.x[i] + (1 - o.momentum) * g;
      d.x[i] = o.nesterov ? o.momentum * v.x[i] + (1 - o.momentum) * g : v.x[i];
      squares += d.x[i] * d.x[i];
    }
    for (double& x : d.x) x /= std::sqrt(squares);
    for (int k = 0; k < o.ns_steps; ++k) {
      Matrix gram = times(d, d, true);
      const Matrix square = times(gram, gram, false);
      for (std::size_t i = 0; i < gram.x.size(); ++i) gram.x[i] = b * gram.x[i] + c * square.x[i];
      const Matrix rest = times(gram, d, false);
      for (std::size_t i = 0; i < d.x.size(); ++i) d.x[i] = a * d.x[i] + rest.x[i];
    }
    const auto m = static_cast<double>(w.rows), n = static_cast<double>(w.cols);
    const double scale =
        o.adjust_lr == MuonRate::original ? std::sqrt(std::max(1., m / n)) : 0.2 * std::sqrt(std::max(m, n));
    for (std::size_t i = 0; i < w.x.size(); ++i) w.x[i] = (1 - o.lr * o.weight_decay) * w.x[i] - o.lr * scale * d.x[i];
  }
  return w;
}

gt::Tensor to_tensor(const Matrix& m) { return gt::tensor(std::span<const double>(m.x), {m.rows, m.cols}); }

void check_against_reference(std::size_t rows, std::size_t cols, const MuonOptions& options) {
  CAPTURE(rows);
  CAPTURE(options.nesterov);
  Matrix start{rows, cols};
  for (std::size_t i = 0; i < start.x.size(); ++i) start.x[i] = initial(i);
  const gt::Tensor w = gt::parameter(to_tensor(start)), single = gt::parameter(w.detach().to(gt::f32));
  Muon opt({w, single}, options);
  for (int t = 0; t < 50; ++t) {
    Matrix g = start;
    for (std::size_t i = 0; i < g.x.size(); ++i) g.x[i] = slope(t, i);
    opt.zero_grad();
    gt::sum(w * to_tensor(g)).backward();
    gt::sum(single * to_tensor(g).to(gt::f32)).backward();
    opt.step();
  }
  const gt::Tensor expected = to_tensor(reference(start, options, 50));
  CHECK(w == gt::approx(expected).rtol(1e-11).atol(1e-11));
  CHECK(single == gt::approx(expected.to(gt::f32)).rtol(2e-5).atol(2e-5));
}

constexpr auto check_option_error = [](const MuonOptions& options, const char* message) {
  CHECK_THROWS_WITH_AS(Muon({gt::parameter(gt::ones({2, 2}))}, options), message, gt::ValueError);
};

}  // namespace

TEST_CASE("Muon: the formulas in plain loops") {
  check_against_reference(3, 5, {.lr = 0.02});
  check_against_reference(5, 3, {.lr = 0.02});
  check_against_reference(4, 4, {.lr = 0.02, .weight_decay = 0.5, .momentum = 0.6, .nesterov = false});
  check_against_reference(7, 2, {.lr = 0.02, .ns_steps = 3, .adjust_lr = MuonRate::match_rms_adamw});
  check_against_reference(1, 6, {.lr = 0.02, .ns_coefficients = {2, -1.5, 0.5}});
}

TEST_CASE("Muon: singular values of a step are close to the rate") {
  const gt::DefaultDtype f64(gt::f64);
  const gt::RandomStream stream(3);
  const gt::Tensor w = gt::parameter(gt::zeros({20, 30}));
  gt::sum(w * gt::randn({20, 30})).backward();
  Muon({w}, {.lr = 1}).step();
  const gt::Tensor s = gt::svd(w.detach()).s;
  CHECK(gt::max(s).item() < 1.25);
  CHECK(gt::min(s).item() > 0.5);
}

TEST_CASE("Muon: a gradient of 0, and a matrix without elements") {
  const gt::Tensor w = gt::parameter(gt::ones({2, 3})), empty = gt::parameter(gt::ones({0, 3}));
  (gt::sum(0 * w) + gt::sum(empty)).backward();
  Muon({w, empty}, {.weight_decay = 0}).step();
  CHECK(gt::equal(w, gt::ones({2, 3})));
}

TEST_CASE("Muon: parameters that are no matrices") {
  CHECK_THROWS_WITH_AS(Muon({gt::parameter(gt::ones({2, 3})), gt::parameter(gt::ones({8}))}),
                       "Muon: a parameter of shape [8] is no matrix; give biases, kernels and others that are none to "
                       "another optimizer, such as AdamW",
                       gt::ShapeError);
}

TEST_CASE("Muon: options outside of their domain, and no leaves") {
  check_option_error({.lr = -1}, "Muon: lr is -1; it must not be negative");
  check_option_error({.weight_decay = -1}, "Muon: weight_decay is -1; it must not be negative");
  check_option_error({.momentum = 1}, "Muon: momentum is 1; it must be in [0, 1)");
  check_option_error({.eps = -1}, "Muon: eps is -1; it must not be negative");
  check_option_error({.ns_steps = -1}, "Muon: ns_steps is -1; it must not be negative");
  one_leaf::check_wants_leaves<Muon>("Muon");
}
