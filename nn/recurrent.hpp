#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/recurrent.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Recurrent networks with PyTorch's names, layout and start: every weight uniform in ±1/sqrt(hidden). A state that is
// not given is 0.

namespace gradtape::inline v0::nn {

/// What a recurrent module learns, the rows of its gates one under the other: for an LSTM those of (i, f, g, o), for a
/// GRU (r, z, n).
class RecurrentWeights {
 public:
  /// Of `gates` gates, with biases or without. Throws ValueError for a width below 1, ShapeError for more than can be
  /// counted; both name `layer`.
  RecurrentWeights(std::string_view layer, std::int64_t gates, std::int64_t in, std::int64_t hidden, bool bias);
  void visit(Visitor& v, const std::string& suffix);  ///< names the members, with a suffix

  Parameter weight_ih;  ///< [gates·hidden, in]
  Parameter weight_hh;  ///< [gates·hidden, hidden]
  Parameter bias_ih;    ///< [gates·hidden]; empty without bias
  Parameter bias_hh;    ///< the same
};

/// Options of LSTMCell and GRUCell.
struct RecurrentCellOptions {
  bool bias = true;  ///< add biases
};

/// Options of RNNCell.
struct RNNCellOptions {
  bool bias = true;   ///< add biases
  bool relu = false;  ///< relu in the place of tanh
};

/// What the cells have in common.
class RecurrentCell : public Module, public RecurrentWeights {
 public:
  void visit(Visitor& v) override { RecurrentWeights::visit(v, ""); }
  std::string description() const override;

 protected:
  /// Throws ValueError for a width below 1.
  RecurrentCell(std::string_view name, std::int64_t gates, std::int64_t in, std::int64_t hidden, bool bias);
  /// `state`, or zeros (…, hidden) for x (…, in).
  Tensor or_zeros(const Tensor& state, const Tensor& x) const;

 private:
  std::string_view name_;
};

/// One step of an Elman network: see `rnn_cell`. x (…, in), h (…, hidden) -> (…, hidden).
class RNNCell : public RecurrentCell {
 public:
  /// Throws ValueError for a width below 1.
  RNNCell(std::int64_t in, std::int64_t hidden, const RNNCellOptions& options = {})
      : RecurrentCell("RNNCell", 1, in, hidden, options.bias), relu_(options.relu) {}
  Tensor operator()(const Tensor& x, const Tensor& h = {}) const;  ///< the next h; throws ShapeError
  std::string description() const override;

 private:
  bool relu_;
};

/// One step of an LSTM: see `lstm_cell`. x (…, in), state (…, hidden) each.
class LSTMCell : public RecurrentCell {
 public:
  /// Throws ValueError for a width below 1.
  LSTMCell(std::int64_t in, std::int64_t hidden, const RecurrentCellOptions& options = {})
      : RecurrentCell("LSTMCell", 4, in, hidden, options.bias) {}
  LstmResult operator()(const Tensor& x, const LstmResult& state = {}) const;  ///< the next state; throws ShapeError
};

/// One step of a GRU: see `gru_cell`. x (…, in), h (…, hidden) -> (…, hidden).
class GRUCell : public RecurrentCell {
 public:
  /// Throws ValueError for a width below 1.
  GRUCell(std::int64_t in, std::int64_t hidden, const RecurrentCellOptions& options = {})
      : RecurrentCell("GRUCell", 3, in, hidden, options.bias) {}
  Tensor operator()(const Tensor& x, const Tensor& h = {}) const;  ///< the next h; throws ShapeError
};

/// Options of LSTM and GRU. Sequences are (steps, batch, in) unless told, which is PyTorch's default and the faster
/// one: what a step works on then lies together in memory.
struct RecurrentOptions {
  int num_layers = 1;          ///< one on top of the other
  bool bias = true;            ///< add biases
  bool batch_first = false;    ///< x and output are (batch, steps, …); states stay (…, batch, hidden)
  double dropout = 0;          ///< chance of an element between two layers to be dropped in training, [0, 1]
  bool bidirectional = false;  ///< a second set of weights goes from the last step to the first
};

/// Options of RNN.
struct RNNOptions {
  int num_layers = 1;          ///< as RecurrentOptions
  bool relu = false;           ///< relu in the place of tanh
  bool bias = true;            ///< as RecurrentOptions
  bool batch_first = false;    ///< likewise
  double dropout = 0;          ///< likewise
  bool bidirectional = false;  ///< likewise
};

/// Options of a recurrent layer's call. States are (layers·directions, batch, hidden), a layer's directions next to
/// each other.
struct SequenceOptions {
  Tensor h = {};  ///< the state at first
  Tensor c = {};  ///< of an LSTM, the cell's state at first
  /// i64 (batch): how many steps each sequence has, 0 to all. What stands behind its end is not read; there its output
  /// is 0, and its last state is that of its own last step.
  Tensor lengths = {};
};

/// What a recurrent layer returns.
struct SequenceResult {
  Tensor output;  ///< the last layer's h at every step, (steps, batch, hidden·directions), or batch first as x
  Tensor h;       ///< every layer's last state, (layers·directions, batch, hidden)
  Tensor c;       ///< the same of the cell's state, of an LSTM
};

/// What the layers have in common: layers, directions and steps of some cell.
class RecurrentLayers : public Module {
 public:
  /// (steps, batch, in) -> see SequenceResult. Throws ShapeError or DtypeError for x, states or lengths that do not
  /// fit, ValueError for a length outside [0, steps].
  SequenceResult operator()(const Tensor& x, const SequenceOptions& options = {}) const;
  void visit(Visitor& v) override;  ///< weight_ih_l0, …, weight_ih_l0_reverse, …
  std::string description() const override;

  const std::vector<RecurrentWeights>& weights() const { return weights_; }  ///< by layer, then by direction

 protected:
  /// Throws ValueError for a width or number of layers below 1, or a dropout outside [0, 1].
  RecurrentLayers(std::string_view name, std::int64_t gates, std::int64_t in, std::int64_t hidden,
                  const RecurrentOptions& options);

 private:
  struct Sequence {
    Tensor output;
    LstmResult last;
  };

  /// From the part of x in the gates, and the biases of h's part in as many rows, if they are not in there; `c` is
  /// undefined but for an LSTM.
  virtual LstmResult step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                          const Tensor& biases_hh) const = 0;
  Sequence one_way(const Tensor& x, const RecurrentWeights& w, LstmResult state, const Tensor& mask,
                   bool backwards) const;
  bool has_cell() const { return gates_ == 4; }  // only an LSTM's state has a c
  void check(const Tensor& x, const SequenceOptions& options) const;
  Tensor mask_of(const Tensor& lengths, std::int64_t steps, std::int64_t batch) const;

  std::vector<RecurrentWeights> weights_;  // first, since an assignment of other shapes throws
  std::string_view name_;
  std::int64_t gates_, in_, hidden_;
  RecurrentOptions options_;
};

/// Elman network: `rnn_cell` at every step.
class RNN : public RecurrentLayers {
 public:
  /// Throws ValueError for a width or number of layers below 1, or a dropout outside [0, 1].
  RNN(std::int64_t in, std::int64_t hidden, const RNNOptions& options = {});
  std::string description() const override;

 private:
  LstmResult step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                  const Tensor& biases_hh) const override;
  bool relu_;
};

/// Long short-term memory: `lstm_cell` at every step.
class LSTM : public RecurrentLayers {
 public:
  /// Throws ValueError for a width or number of layers below 1, or a dropout outside [0, 1].
  LSTM(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options = {})
      : RecurrentLayers("LSTM", 4, in, hidden, options) {}

 private:
  LstmResult step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                  const Tensor& biases_hh) const override;
};

/// Gated recurrent units: `gru_cell` at every step.
class GRU : public RecurrentLayers {
 public:
  /// Throws ValueError for a width or number of layers below 1, or a dropout outside [0, 1].
  GRU(std::int64_t in, std::int64_t hidden, const RecurrentOptions& options = {})
      : RecurrentLayers("GRU", 3, in, hidden, options) {}

 private:
  LstmResult step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                  const Tensor& biases_hh) const override;
};

}  // namespace gradtape::inline v0::nn
