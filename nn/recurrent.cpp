#include <gradtape/core/error.hpp>
#include <gradtape/core/pool_vector.hpp>
#include <gradtape/nn/recurrent.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/dropout.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <array>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

/// A description with ", relu" in it, or as it is.
std::string with_relu(std::string text, bool relu) { return relu ? text.insert(text.size() - 1, ", relu") : text; }

}  // namespace

RecurrentWeights::RecurrentWeights(std::string_view layer, std::int64_t gates, std::int64_t in, std::int64_t hidden,
                                   bool bias) {
  if (in < 1 || hidden < 1)
    throw ValueError(fmt::format("{}: {} inputs and {} hidden; both must be at least 1", layer, in, hidden));
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const auto start = [&](const Shape& shape) { return uniform(shape, {.low = -bound, .high = bound}); };
  const std::int64_t rows = detail::count(layer, std::array{gates, hidden});
  weight_ih = start({rows, in});
  weight_hh = start({rows, hidden});
  if (bias) bias_ih = start({rows}), bias_hh = start({rows});
}

void RecurrentWeights::visit(Visitor& v, const std::string& suffix) {
  v("weight_ih" + suffix, weight_ih);
  v("weight_hh" + suffix, weight_hh);
  v("bias_ih" + suffix, bias_ih);
  v("bias_hh" + suffix, bias_hh);
}

RecurrentCell::RecurrentCell(std::string_view name, std::int64_t gates, std::int64_t in, std::int64_t hidden, bool bias)
    : RecurrentWeights(name, gates, in, hidden, bias), name_(name) {}

std::string RecurrentCell::description() const {
  return fmt::format("{}({}, {}{})", name_, weight_ih.shape()[1], weight_hh.shape()[1],
                     bias_ih.defined() ? "" : ", no bias");
}

Tensor RecurrentCell::or_zeros(const Tensor& state, const Tensor& x) const {
  if (state.defined() || x.rank() == 0) return state.defined() ? state : x;  // of a scalar the cell complains
  Shape shape = x.shape();
  shape.set(-1, weight_hh.shape()[1]);
  return zeros(shape, {.dtype = weight_hh.dtype()});
}

std::string RNNCell::description() const { return with_relu(RecurrentCell::description(), relu_); }

Tensor RNNCell::operator()(const Tensor& x, const Tensor& h) const {
  return rnn_cell(x, or_zeros(h, x), weight_ih, weight_hh, {bias_ih, bias_hh, relu_});
}

LstmResult LSTMCell::operator()(const Tensor& x, const LstmResult& state) const {
  return lstm_cell(x, {or_zeros(state.h, x), or_zeros(state.c, x)}, weight_ih, weight_hh, {bias_ih, bias_hh});
}

Tensor GRUCell::operator()(const Tensor& x, const Tensor& h) const {
  return gru_cell(x, or_zeros(h, x), weight_ih, weight_hh, {bias_ih, bias_hh});
}

RecurrentLayers::RecurrentLayers(std::string_view name, std::int64_t gates, std::int64_t in, std::int64_t hidden,
                                 const RecurrentOptions& options)
    : name_(name), gates_(gates), in_(in), hidden_(hidden), options_(options) {
  if (options.num_layers < 1)
    throw ValueError(fmt::format("{}: {} layers; there must be at least 1", name, options.num_layers));
  if (!(options.dropout >= 0 && options.dropout <= 1))
    throw ValueError(fmt::format("{}: dropout is {}; it must be in [0, 1]", name, options.dropout));
  const int directions = options.bidirectional ? 2 : 1;
  for (int layer = 0; layer < options.num_layers; ++layer)
    for (int direction = 0; direction < directions; ++direction)
      weights_.emplace_back(name, gates, layer == 0 ? in : hidden * directions, hidden, options.bias);
}

void RecurrentLayers::visit(Visitor& v) {
  const std::size_t directions = options_.bidirectional ? 2 : 1;
  for (std::size_t k = 0; k < weights_.size(); ++k)
    weights_[k].visit(v, fmt::format("_l{}{}", k / directions, k % directions == 1 ? "_reverse" : ""));
}

std::string RecurrentLayers::description() const {
  return fmt::format("{}({}, {}{}{}{}{}{})", name_, in_, hidden_,
                     options_.num_layers == 1 ? "" : fmt::format(", {} layers", options_.num_layers),
                     options_.bias ? "" : ", no bias", options_.batch_first ? ", batch first" : "",
                     options_.dropout == 0 ? "" : fmt::format(", dropout {}", options_.dropout),
                     options_.bidirectional ? ", bidirectional" : "");
}

void RecurrentLayers::check(const Tensor& x, const SequenceOptions& options) const {
  if (x.rank() != 3 || x.shape()[2] != in_)
    throw ShapeError(fmt::format("{}: x has shape {}; expected ({}, {})", name_, to_string(x.shape()),
                                 options_.batch_first ? "batch, steps" : "steps, batch", in_));
  detail::check_floating(name_, {&x.array()});
  if (x.shape()[options_.batch_first ? 1 : 0] == 0)
    throw ShapeError(fmt::format("{}: x {} has no steps; give at least one", name_, to_string(x.shape())));
  if (options.c.defined() && !has_cell())
    throw ValueError(fmt::format("{}: a state c was given, which only an LSTM has", name_));
  const Shape state{static_cast<std::int64_t>(weights_.size()), x.shape()[options_.batch_first ? 0 : 1], hidden_};
  for (const Tensor& given : {options.h, options.c}) {
    if (!given.defined()) continue;
    if (given.shape() != state)
      throw ShapeError(fmt::format("{}: the state has shape {}; expected {} (layers·directions, batch, hidden)", name_,
                                   to_string(given.shape()), to_string(state)));
    detail::check_same(name_, x.dtype(), given.dtype());
  }
}

Tensor RecurrentLayers::mask_of(const Tensor& lengths, std::int64_t steps, std::int64_t batch) const {
  if (!lengths.defined()) return {};
  if (lengths.dtype() != i64)
    throw DtypeError(fmt::format("{}: lengths are {}; they must be i64", name_, to_string(lengths.dtype())));
  if (lengths.shape() != Shape{batch})
    throw ShapeError(fmt::format("{}: lengths have shape {}; expected [{}]", name_, to_string(lengths.shape()), batch));
  const Array values = packed(lengths.array());
  for (const std::int64_t length : std::span(values.data<std::int64_t>(), static_cast<std::size_t>(batch)))
    if (length < 0 || length > steps)
      throw ValueError(fmt::format("{}: a length is {}; it must be in [0, {}]", name_, length, steps));
  const Tensor times = arange(steps, {.dtype = i64});
  return reshape(times, {steps, 1, 1}) < reshape(lengths, {batch, 1});
}

RecurrentLayers::Sequence RecurrentLayers::one_way(const Tensor& x, const RecurrentWeights& w, LstmResult state,
                                                   const Tensor& mask, bool backwards) const {
  const std::int64_t steps = x.shape()[0], batch = x.shape()[1], width = w.weight_hh.shape()[0];
  const Tensor &bias_ih = w.bias_ih, &bias_hh = w.bias_hh;
  const bool apart = gates_ == 3;  // in a GRU the reset gate stands between the two biases
  const Tensor bias = apart ? bias_ih : detail::sum_of(bias_ih, bias_hh);
  const auto in_rows = [&](const Tensor& b) {
    return b.defined() ? broadcast_to(b, {batch, width}) : zeros({batch, width}, {.dtype = x.dtype()});
  };
  const Tensor biases_hh = apart ? in_rows(bias_hh) : Tensor();
  // What x gives to the gates of all steps is one product, and an array that no cache holds. Where a step is worth a
  // product of its own, the weight is small enough to be transposed, and x has no gradient to be put together, it goes
  // with the step.
  constexpr std::int64_t worth_a_product = 1 << 11;  // elements
  const bool worth_it = !x.requires_grad() && batch * width >= worth_a_product;
  const detail::SharedWeight weight_ih(w.weight_ih, worth_it ? steps : 1), weight_hh(w.weight_hh, steps);
  const bool by_step = weight_ih.across.defined();
  const Tensor onto = by_step ? in_rows(bias) : linear(x, w.weight_ih, bias);
  detail::PoolVector<Tensor> outputs(static_cast<std::size_t>(steps));
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t t = backwards ? steps - 1 - i : i;
    const Tensor of_x = by_step ? detail::linear_onto(onto, x[t], weight_ih) : onto[t];
    LstmResult next = step(of_x, state, weight_hh, biases_hh);
    if (mask.defined()) {  // a sequence that has not begun, or has ended, keeps its state
      const Tensor runs = mask[t];
      next.h = where(runs, next.h, state.h);
      if (next.c.defined()) next.c = where(runs, next.c, state.c);
    }
    outputs[static_cast<std::size_t>(t)] = next.h;
    state = std::move(next);
  }
  Tensor y = reshape(detail::concatenated(outputs, 0), {steps, x.shape()[1], hidden_});
  if (mask.defined()) y = where(mask, y, 0);
  return {std::move(y), std::move(state)};
}

SequenceResult RecurrentLayers::operator()(const Tensor& x, const SequenceOptions& options) const {
  check(x, options);
  const auto turned = [&](const Tensor& y) { return options_.batch_first ? transpose(y, {0, 1}) : y; };
  Tensor y = turned(x);
  const std::int64_t steps = y.shape()[0], batch = y.shape()[1];
  const Tensor mask = mask_of(options.lengths, steps, batch);
  if (mask.defined()) y = where(mask, y, 0);  // lest a NaN behind the end reach a gradient
  const Tensor zero = zeros({batch, hidden_}, {.dtype = x.dtype()});
  const auto at_first = [&](const Tensor& state, std::size_t k) {
    return state.defined() ? state[static_cast<std::int64_t>(k)] : zero;
  };

  const std::size_t directions = options_.bidirectional ? 2 : 1;
  detail::PoolVector<Tensor> h, c;
  for (std::size_t k = 0; k < weights_.size(); k += directions) {
    std::array<Tensor, 2> outputs;
    for (std::size_t d = 0; d < directions; ++d) {
      const LstmResult state{at_first(options.h, k + d), has_cell() ? at_first(options.c, k + d) : Tensor()};
      auto [output, last] = one_way(y, weights_[k + d], state, mask, d == 1);
      outputs[d] = output;
      h.push_back(last.h);
      if (has_cell()) c.push_back(last.c);
    }
    y = directions == 1 ? outputs[0] : detail::concatenated(outputs, 2);
    if (k + directions < weights_.size()) y = dropout(y, {.p = options_.dropout, .training = training()});
  }
  const Shape states{static_cast<std::int64_t>(weights_.size()), batch, hidden_};
  return {turned(y), reshape(detail::concatenated(h, 0), states),
          has_cell() ? reshape(detail::concatenated(c, 0), states) : Tensor()};
}

RNN::RNN(std::int64_t in, std::int64_t hidden, const RNNOptions& options)
    : RecurrentLayers("RNN", 1, in, hidden,
                      {options.num_layers, options.bias, options.batch_first, options.dropout, options.bidirectional}),
      relu_(options.relu) {}

std::string RNN::description() const { return with_relu(RecurrentLayers::description(), relu_); }

LstmResult RNN::step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                     const Tensor& /*biases_hh*/) const {
  return {detail::rnn_step(of_x, state.h, weight_hh, relu_), {}};
}

LstmResult LSTM::step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                      const Tensor& /*biases_hh*/) const {
  return detail::lstm_step(of_x, state, weight_hh);
}

LstmResult GRU::step(const Tensor& of_x, const LstmResult& state, const detail::SharedWeight& weight_hh,
                     const Tensor& biases_hh) const {
  return {detail::gru_step(of_x, detail::linear_onto(biases_hh, state.h, weight_hh), state.h), {}};
}

}  // namespace gradtape::inline v0::nn
