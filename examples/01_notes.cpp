// The lecture notes "Multilayer Perceptron and Backpropagation", formula by formula: each gradient written by hand,
// beside the one that the tape finds. First in the notes' layout, features x batch, then in the field's, batch x
// features.

#include <gradtape/gradtape.hpp>

#include <string_view>

#include <fmt/format.h>

namespace gt = gradtape;
using gt::matmul, gt::transpose, gt::sum, gt::square, gt::sigmoid, gt::Tensor;

bool all_agree = true;

/// Prints whether a formula on paper gives what the tape gives, to 1e-12.
void compare(std::string_view formula, const Tensor& by_hand, const Tensor& by_tape) {
  const bool agrees = by_hand.shape() == by_tape.shape() && gt::max(gt::abs(by_hand - by_tape)).item() < 1e-12;
  fmt::print("  {:<40} {:<8} {}\n", formula, to_string(by_tape.shape()), agrees ? "agrees" : "DIFFERS");
  all_agree &= agrees;
}

Tensor random(const gt::Shape& shape) { return gt::parameter(gt::randn(shape)); }

constexpr int N = 4, D_I = 3, D_H = 5, D_O = 2;  // batch; widths of input, hidden and output layer

/// "Tip: use dimension analysis!" The notes give W_H as D_I x D_H and W_O as D_H x D_O: then neither product has a
/// value.
void dimension_analysis() {
  const auto attempt = [](std::string_view product, const Tensor& W, const Tensor& x) {
    try {
      matmul(W, x);
    } catch (const gt::ShapeError& error) {
      fmt::print("{}  {}\n", product, error.what());
    }
  };
  attempt("W_H · I", gt::randn({D_I, D_H}), gt::randn({D_I, N}));
  attempt("W_O · Ĥ", gt::randn({D_H, D_O}), gt::randn({D_H, N}));
  fmt::print("So W_H and W_O stand for their transposes from here on.\n");
}

/// The gradient of a product, from cs231n: dW = dD · Xᵀ and dX = Wᵀ · dD, the only ways in which the shapes work out.
void matrix_product() {
  fmt::print("\nD = W · X\n");
  const Tensor W = random({5, 10}), X = random({10, 3}), dD = gt::randn({5, 3});
  const auto [dW, dX] = gt::vjp(matmul, {W, X}, dD);
  compare("dW = dD · Xᵀ", matmul(dD, transpose(X)), dW);
  compare("dX = Wᵀ · dD", matmul(transpose(W), dD), dX);
}

/// The notes' layout: a column an example.
void features_by_batch() {
  fmt::print("\nfeatures x batch, as the notes write it\n");
  const Tensor I = random({D_I, N}), Y = gt::randn({D_O, N});
  const Tensor W_H = random({D_H, D_I}), b_H = random({D_H, 1});
  const Tensor W_O = random({D_O, D_H}), b_O = random({D_O, 1});

  // Forward. Ĥ is called A, for activation.
  const Tensor H = matmul(W_H, I) + b_H;  // (D_H,D_I)·(D_I,N)
  const Tensor A = sigmoid(H);
  const Tensor O = matmul(W_O, A) + b_O;  // (D_O,D_H)·(D_H,N)
  const Tensor L = 0.5 * sum(square(O - Y));

  // Backward: the output layer, the hidden layer, the input layer.
  const Tensor dO = O - Y;
  const Tensor dW_O = matmul(dO, transpose(A));  // (D_O,N)·(N,D_H)
  const Tensor db_O = sum(dO, {.axes = 1, .keepdims = true});
  const Tensor dA = matmul(transpose(W_O), dO);  // (D_H,D_O)·(D_O,N)
  const Tensor dH = dA * A * (1 - A);
  const Tensor dW_H = matmul(dH, transpose(I));  // (D_H,N)·(N,D_I)
  const Tensor db_H = sum(dH, {.axes = 1, .keepdims = true});
  const Tensor dI = matmul(transpose(W_H), dH);  // (D_I,D_H)·(D_H,N)

  const auto tape = gt::grad(L, {O, W_O, b_O, A, H, W_H, b_H, I}, {.retain_graph = true});
  compare("δL/δO   = O - Y", dO, tape[0]);
  compare("δL/δW_O = δL/δO · Ĥᵀ", dW_O, tape[1]);
  compare("δL/δb_O = Σ_batch δL/δO", db_O, tape[2]);
  compare("δL/δĤ   = W_Oᵀ · δL/δO", dA, tape[3]);
  compare("δL/δH   = δL/δĤ ⊙ Ĥ ⊙ (1 - Ĥ)", dH, tape[4]);
  compare("δL/δW_H = δL/δH · Iᵀ", dW_H, tape[5]);
  compare("δL/δb_H = Σ_batch δL/δH", db_H, tape[6]);
  compare("δL/δI   = W_Hᵀ · δL/δH", dI, tape[7]);

  fmt::print("\nThe tape that found them, newest first:\n");
  gt::print_tape(L);
}

/// The field's layout: a row an example. Every product is the other way round, and gt::linear is x · Wᵀ + b.
void batch_by_features() {
  fmt::print("\nbatch x features, as the field writes it\n");
  const Tensor x = random({N, D_I}), y = gt::randn({N, D_O});
  const Tensor W_H = random({D_H, D_I}), b_H = random({D_H});
  const Tensor W_O = random({D_O, D_H}), b_O = random({D_O});

  const Tensor H = gt::linear(x, W_H, b_H);  // (N,D_I)·(D_I,D_H)
  const Tensor A = sigmoid(H);
  const Tensor O = gt::linear(A, W_O, b_O);  // (N,D_H)·(D_H,D_O)
  const Tensor L = 0.5 * sum(square(O - y));

  const Tensor dO = O - y;
  const Tensor dW_O = matmul(transpose(dO), A);  // (D_O,N)·(N,D_H)
  const Tensor dA = matmul(dO, W_O);             // (N,D_O)·(D_O,D_H)
  const Tensor dH = dA * A * (1 - A);
  const Tensor dW_H = matmul(transpose(dH), x);  // (D_H,N)·(N,D_I)

  const auto tape = gt::grad(L, {W_O, b_O, W_H, b_H, x}, {.retain_graph = true});
  compare("δL/δW_O = δL/δOᵀ · Ĥ", dW_O, tape[0]);
  compare("δL/δb_O = Σ_batch δL/δO", sum(dO, {.axes = 0}), tape[1]);
  compare("δL/δW_H = δL/δHᵀ · x", dW_H, tape[2]);
  compare("δL/δb_H = Σ_batch δL/δH", sum(dH, {.axes = 0}), tape[3]);
  compare("δL/δx   = δL/δH · W_H", matmul(dH, W_H), tape[4]);

  fmt::print("\nmse_loss is the mean over all {} elements, the notes' L half their sum\n", N * D_O);
  compare("L = N · D_O / 2 · mse_loss(O, y)", N * D_O / 2.0 * gt::mse_loss(O, y), L);

  fmt::print("\nw := w - α δL/δw\n");
  const double alpha = 0.01, before = L.item();
  const Tensor expected = W_O.detach() - alpha * dW_O;
  L.backward();
  gt::optim::SGD({W_H, b_H, W_O, b_O}, {.lr = alpha}).step();
  compare("W_O - α δL/δW_O", expected, W_O);
  const Tensor after = 0.5 * sum(square(gt::linear(sigmoid(gt::linear(x, W_H, b_H)), W_O, b_O) - y));
  fmt::print("  L falls from {:.4f} to {:.4f}\n", before, after.item());
  all_agree &= after.item() < before;
}

int main() {
  const gt::DefaultDtype precise(gt::f64);
  gt::manual_seed(1);
  dimension_analysis();
  matrix_product();
  features_by_batch();
  batch_by_features();
  return all_agree ? 0 : 1;
}
