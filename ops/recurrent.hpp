#pragma once

#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/matmul.hpp>

#include <cstdint>
#include <string_view>

namespace gradtape::inline v0 {

// One step of a recurrent network, in PyTorch's layout: x (…, in), state (…, hidden), weight_ih [gates·hidden, in],
// weight_hh [gates·hidden, hidden], biases [gates·hidden], the gates one under the other. f32 or f64, all alike. Every
// function throws ShapeError that names the shape which does not fit. σ is sigmoid, ∘ the product of elements.

/// What a cell adds to its products.
struct CellOptions {
  Tensor bias_ih = {};  ///< beside weight_ih; 0 unless given
  Tensor bias_hh = {};  ///< beside weight_hh; 0 unless given
};

/// Options of `rnn_cell`.
struct RnnCellOptions {
  Tensor bias_ih = {};  ///< beside weight_ih; 0 unless given
  Tensor bias_hh = {};  ///< beside weight_hh; 0 unless given
  bool relu = false;    ///< relu in the place of tanh
};

/// h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh) (Elman, "Finding structure in time", 1990).
Tensor rnn_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                const RnnCellOptions& options = {});

/// What `lstm_cell` returns, and the state of an LSTM.
struct LstmResult {
  Tensor h;  ///< the output, (…, hidden)
  Tensor c;  ///< the cell's state, (…, hidden)
};

/// c' = σ(f) ∘ c + σ(i) ∘ tanh(g), h' = σ(o) ∘ tanh(c') with the gates (i, f, g, o) = W_ih·x + b_ih + W_hh·h + b_hh
/// (Hochreiter and Schmidhuber 1997; the forget gate: Gers, Schmidhuber and Cummins 2000). At most 7 axes, since both
/// results are one array.
LstmResult lstm_cell(const Tensor& x, const LstmResult& state, const Tensor& weight_ih, const Tensor& weight_hh,
                     const CellOptions& options = {});

/// h' = n + z ∘ (h - n) with r = σ(r_x + r_h), z = σ(z_x + z_h), n = tanh(n_x + r ∘ n_h), where (r_x, z_x, n_x) =
/// W_ih·x + b_ih and (r_h, z_h, n_h) = W_hh·h + b_hh (Cho et al. 2014, with r behind the product, as cuDNN has it).
Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& weight_ih, const Tensor& weight_hh,
                const CellOptions& options = {});

namespace detail {
// The halves of a cell, for layers that take the products of all steps' x at once.

/// Throws ShapeError or DtypeError unless the weights and, where they are defined, the biases fit.
void check_cell(std::string_view op, std::int64_t gates, const Tensor& x, const Tensor& h, const Tensor& weight_ih,
                const Tensor& weight_hh, const Tensor& bias_ih, const Tensor& bias_hh);
/// a + b, where either may be undefined.
Tensor sum_of(const Tensor& a, const Tensor& b);
/// The rest of a step, from the part of x, which holds both biases,
Tensor rnn_step(const Tensor& of_x, const Tensor& h, const SharedWeight& weight_hh, bool relu);
LstmResult lstm_step(const Tensor& of_x, const LstmResult& state, const SharedWeight& weight_hh);
/// or, each with its own, from the parts of x and h.
Tensor gru_step(const Tensor& of_x, const Tensor& of_h, const Tensor& h);
}  // namespace detail

}  // namespace gradtape::inline v0
