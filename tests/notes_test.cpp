// The lecture notes on the multilayer perceptron and backpropagation, formula by formula, each against the tape. The
// notes keep one example a column (features x batch); the second half is the same network with one example a row.
#include <gradtape/gradtape.hpp>

#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::matmul;
using gt::transpose;

namespace {

constexpr std::int64_t D_I = 4, D_H = 5, D_O = 3, N = 7;

auto close(const gt::Tensor& expected) { return gt::approx(expected).rtol(1e-12).atol(1e-12); }

gt::Tensor random_leaf(const gt::Shape& shape) { return gt::parameter(gt::randn(shape, {.dtype = gt::f64})); }

/// The notes' network, one example a column: H = W_H I + b_H, Ĥ = sigmoid(H), O = W_O Ĥ + b_O, L = ½ Σ (O - Y)².
struct Columns {
  gt::Tensor I = random_leaf({D_I, N}), Y = gt::randn({D_O, N}, {.dtype = gt::f64});
  gt::Tensor W_H = random_leaf({D_H, D_I}), b_H = random_leaf({D_H, 1});
  gt::Tensor W_O = random_leaf({D_O, D_H}), b_O = random_leaf({D_O, 1});
  gt::Tensor H = matmul(W_H, I) + b_H;      // (D_H,D_I)·(D_I,N) + (D_H,1) -> (D_H,N)
  gt::Tensor H_hat = gt::sigmoid(H);        // (D_H,N)
  gt::Tensor O = matmul(W_O, H_hat) + b_O;  // (D_O,D_H)·(D_H,N) + (D_O,1) -> (D_O,N)
  gt::Tensor L = 0.5 * gt::sum(gt::square(O - Y));
};

/// The same with one example a row: weights as the notes write them, W_H (D_I,D_H) and W_O (D_H,D_O), stand on the
/// right.
struct Rows {
  gt::Tensor I = random_leaf({N, D_I}), Y = gt::randn({N, D_O}, {.dtype = gt::f64});
  gt::Tensor W_H = random_leaf({D_I, D_H}), b_H = random_leaf({D_H});
  gt::Tensor W_O = random_leaf({D_H, D_O}), b_O = random_leaf({D_O});
  gt::Tensor H = matmul(I, W_H) + b_H;      // (N,D_I)·(D_I,D_H) + (D_H) -> (N,D_H)
  gt::Tensor H_hat = gt::sigmoid(H);        // (N,D_H)
  gt::Tensor O = matmul(H_hat, W_O) + b_O;  // (N,D_H)·(D_H,D_O) + (D_O) -> (N,D_O)
  gt::Tensor L = 0.5 * gt::sum(gt::square(O - Y));
};

/// The value by plain loops, for a net in the layout of Rows.
double loss_by_loops(const gt::Tensor& I, const gt::Tensor& W_H, const gt::Tensor& b_H, const gt::Tensor& W_O,
                     const gt::Tensor& b_O, const gt::Tensor& Y) {
  const auto i = I.to_vector<double>(), wh = W_H.to_vector<double>(), bh = b_H.to_vector<double>(),
             wo = W_O.to_vector<double>(), bo = b_O.to_vector<double>(), y = Y.to_vector<double>();
  double loss = 0;
  for (std::size_t n = 0; n < N; ++n)
    for (std::size_t o = 0; o < D_O; ++o) {
      double out = bo[o];
      for (std::size_t h = 0; h < D_H; ++h) {
        double in = bh[h];
        for (std::size_t d = 0; d < D_I; ++d) in += i[n * D_I + d] * wh[d * D_H + h];
        out += wo[h * D_O + o] / (1 + std::exp(-in));
      }
      loss += (out - y[n * D_O + o]) * (out - y[n * D_O + o]) / 2;
    }
  return loss;
}

}  // namespace

TEST_CASE("notes: W_H of D_I x D_H on the left of I has no value and the error names the cure") {
  const auto W_H = gt::ones({D_I, D_H}), I = gt::ones({D_I, N});
  CHECK_THROWS_WITH_AS(matmul(W_H, I), "matmul: inner dimensions differ: [4, 5] · [4, 7]; did you mean transpose(a)?",
                       gt::ShapeError);
  CHECK(matmul(transpose(W_H), I).shape() == gt::Shape{D_H, N});
  const auto W_O = gt::ones({D_H, D_O}), H_hat = gt::ones({D_H, N});
  CHECK_THROWS_WITH_AS(matmul(W_O, H_hat),
                       "matmul: inner dimensions differ: [5, 3] · [5, 7]; did you mean transpose(a)?", gt::ShapeError);
  CHECK(matmul(transpose(W_O), H_hat).shape() == gt::Shape{D_O, N});
}

TEST_CASE("notes: the forward pass in both layouts is what plain loops give") {
  gt::manual_seed(1);
  const Rows r;
  CHECK(r.L.item() == doctest::Approx(loss_by_loops(r.I, r.W_H, r.b_H, r.W_O, r.b_O, r.Y)).epsilon(1e-12));
  const Columns c;
  CHECK(c.L.item() ==
        doctest::Approx(loss_by_loops(transpose(c.I), transpose(c.W_H), c.b_H, transpose(c.W_O), c.b_O, transpose(c.Y)))
            .epsilon(1e-12));
}

TEST_CASE("notes: every gradient with features x batch") {
  gt::manual_seed(2);
  const Columns n;
  const auto [dO, dW_O, db_O, dH_hat, dH, dW_H, db_H, dI] =
      gt::grad(n.L, {n.O, n.W_O, n.b_O, n.H_hat, n.H, n.W_H, n.b_H, n.I});
  const gt::NoGrad off;
  CHECK(dO == close(n.O - n.Y));                                     // δL/δO = O - Y
  CHECK(dW_O == close(matmul(dO, transpose(n.H_hat))));              // (D_O,N)·(N,D_H) -> (D_O,D_H)
  CHECK(db_O == close(gt::sum(dO, {.axes = 1, .keepdims = true})));  // Σ over the batch
  CHECK(dH_hat == close(matmul(transpose(n.W_O), dO)));              // (D_H,D_O)·(D_O,N) -> (D_H,N)
  CHECK(dH == close(dH_hat * n.H_hat * (1 - n.H_hat)));              // ⊙
  CHECK(dW_H == close(matmul(dH, transpose(n.I))));                  // (D_H,N)·(N,D_I) -> (D_H,D_I)
  CHECK(db_H == close(gt::sum(dH, {.axes = 1, .keepdims = true})));
  CHECK(dI == close(matmul(transpose(n.W_H), dH)));  // (D_I,D_H)·(D_H,N) -> (D_I,N)
}

TEST_CASE("notes: every gradient with batch x features") {
  gt::manual_seed(3);
  const Rows n;
  const auto [dO, dW_O, db_O, dH_hat, dH, dW_H, db_H, dI] =
      gt::grad(n.L, {n.O, n.W_O, n.b_O, n.H_hat, n.H, n.W_H, n.b_H, n.I});
  const gt::NoGrad off;
  CHECK(dO == close(n.O - n.Y));
  CHECK(dW_O == close(matmul(transpose(n.H_hat), dO)));  // (D_H,N)·(N,D_O) -> (D_H,D_O)
  CHECK(db_O == close(gt::sum(dO, {.axes = 0})));
  CHECK(dH_hat == close(matmul(dO, transpose(n.W_O))));  // (N,D_O)·(D_O,D_H) -> (N,D_H)
  CHECK(dH == close(dH_hat * n.H_hat * (1 - n.H_hat)));
  CHECK(dW_H == close(matmul(transpose(n.I), dH)));  // (D_I,N)·(N,D_H) -> (D_I,D_H)
  CHECK(db_H == close(gt::sum(dH, {.axes = 0})));
  CHECK(dI == close(matmul(dH, transpose(n.W_H))));  // (N,D_H)·(D_H,D_I) -> (N,D_I)
}

TEST_CASE("notes: mse_loss is the mean and the notes' loss the half sum") {
  gt::manual_seed(4);
  const Rows n;
  const double elements = N * D_O;
  const auto mse = gt::mse_loss(n.O, n.Y);
  CHECK(n.L.item() == doctest::Approx(mse.item() * elements / 2).epsilon(1e-12));
  const auto [from_mse] = gt::grad(mse, {n.W_H}, {.retain_graph = true});
  const auto [from_notes] = gt::grad(n.L, {n.W_H});
  CHECK(from_notes == close(from_mse * (elements / 2)));
}

TEST_CASE("notes: the update w := w - a dL/dw") {
  gt::manual_seed(5);
  const Rows n;
  const double alpha = 0.1;
  const auto before = n.W_H.detach();
  n.L.backward();
  gt::optim::SGD sgd({n.W_H}, {.lr = alpha});
  sgd.step();
  CHECK(n.W_H.detach() == close(before - alpha * n.W_H.grad()));
  const auto b_before = n.b_O.detach();
  {
    const gt::NoGrad off;
    n.b_O.assign(n.b_O - alpha * n.b_O.grad());  // the same by hand
  }
  CHECK(n.b_O.detach() == close(b_before - alpha * n.b_O.grad()));
  CHECK_FALSE(gt::equal(n.b_O.detach(), b_before));
}

TEST_CASE("notes: gradients of a product from dimension analysis") {
  gt::manual_seed(6);
  const auto W = random_leaf({5, 10}), X = random_leaf({10, 3});
  const auto D = matmul(W, X);  // (5,10)·(10,3) -> (5,3)
  const auto dD = gt::randn({5, 3}, {.dtype = gt::f64});
  const auto [dW, dX] = gt::vjp(gt::matmul, {W.detach(), X.detach()}, dD);
  const auto [tape] = gt::grad(gt::sum(D * dD), {W});
  CHECK(dW.shape() == W.shape());
  CHECK(dX.shape() == X.shape());
  const gt::NoGrad off;
  CHECK(dW == close(matmul(dD, transpose(X))));  // (5,3)·(3,10) -> (5,10)
  CHECK(dX == close(matmul(transpose(W), dD)));  // (10,5)·(5,3) -> (10,3)
  double by_hand = 0;                            // dW[1,2] = Σ_n dD[1,n] X[2,n]
  for (int n = 0; n < 3; ++n) by_hand += dD[{1, n}].item() * X[{2, n}].item();
  CHECK(dW[{1, 2}].item() == doctest::Approx(by_hand).epsilon(1e-12));
  CHECK(tape == close(dW));
}
