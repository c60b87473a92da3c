#include <gradtape/gradtape.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::Slice, gt::Tensor, gt::nn::GRU, gt::nn::LSTM, gt::nn::RNN;
using testing::Names, testing::names;

namespace {

/// Calls f with one layer of each kind, made with these options.
template <class F>
void with_each(std::int64_t in, std::int64_t hidden, const gt::nn::RecurrentOptions& o, F f) {
  const auto call = [&](const char* kind, const auto& layer) {
    CAPTURE(kind);
    f(layer);
  };
  for (const bool relu : {false, true})
    call(relu ? "relu" : "tanh",
         RNN(in, hidden, {o.num_layers, relu, o.bias, o.batch_first, o.dropout, o.bidirectional}));
  call("LSTM", LSTM(in, hidden, o));
  call("GRU", GRU(in, hidden, o));
}

constexpr bool is_lstm(const auto& layer) { return std::is_same_v<std::decay_t<decltype(layer)>, LSTM>; }

/// The step of a layer, by its cell's function and the parameters of these names.
template <class Layer>
gt::LstmResult step(const Layer& layer, const std::string& suffix, const Tensor& x, const gt::LstmResult& state) {
  std::map<std::string, Tensor> w;
  for (const auto& [name, tensor] : layer.named_parameters()) w[name] = tensor;
  const Tensor ih = w.at("weight_ih" + suffix), hh = w.at("weight_hh" + suffix);
  const Tensor bias_ih = w["bias_ih" + suffix], bias_hh = w["bias_hh" + suffix];
  if constexpr (std::is_same_v<Layer, LSTM>)
    return gt::lstm_cell(x, state, ih, hh, {bias_ih, bias_hh});
  else if constexpr (std::is_same_v<Layer, GRU>)
    return {gt::gru_cell(x, state.h, ih, hh, {bias_ih, bias_hh}), {}};
  else
    return {gt::rnn_cell(x, state.h, ih, hh, {bias_ih, bias_hh}), {}};
}

void copy_weights(const gt::nn::RecurrentLayers& from, const gt::nn::RecurrentLayers& to) {
  const auto given = from.parameters(), written = to.parameters();
  for (std::size_t i = 0; i < given.size(); ++i) written[i].assign(given[i]);
}

Tensor between(const gt::Shape& shape) { return gt::uniform(shape, {.low = -1, .high = 1}); }

}  // namespace

TEST_CASE("recurrent layers: their cells, step by step, in both directions and two layers") {
  const gt::RandomStream stream(61);
  const gt::DefaultDtype precise(gt::f64);
  for (const bool bias : {true, false}) {
    const auto check = [](const auto& layer) {
      const Tensor x = between({4, 3, 2}), h = between({4, 3, 5}), c = between({4, 3, 5});
      const auto y = layer(x, {.h = h, .c = is_lstm(layer) ? c : Tensor()});
      std::vector<Tensor> input, last_h, last_c, forwards(4), backwards(4);
      for (int t = 0; t < 4; ++t) input.push_back(x[t]);
      for (int k = 0; k < 4; ++k) {
        std::vector<Tensor>& out = k % 2 == 0 ? forwards : backwards;
        gt::LstmResult state{h[k], c[k]};
        for (std::size_t i = 0; i < 4; ++i) {
          const std::size_t t = k % 2 == 0 ? i : 3 - i;
          state =
              step(layer, k < 2 ? (k == 0 ? "_l0" : "_l0_reverse") : (k == 2 ? "_l1" : "_l1_reverse"), input[t], state);
          out[t] = state.h;
        }
        last_h.push_back(state.h);
        if (is_lstm(layer)) last_c.push_back(state.c);
        if (k % 2 == 1)
          for (std::size_t t = 0; t < 4; ++t) input[t] = gt::concatenate({forwards[t], backwards[t]}, {.axis = 1});
      }
      CHECK(y.output == gt::approx(gt::stack(input)));
      CHECK(y.h == gt::approx(gt::stack(last_h)));
      CHECK(y.c.defined() == is_lstm(layer));
      if (is_lstm(layer)) CHECK(y.c == gt::approx(gt::stack(last_c)));
    };
    check(RNN(2, 5, {.num_layers = 2, .bias = bias, .bidirectional = true}));
    check(LSTM(2, 5, {.num_layers = 2, .bias = bias, .bidirectional = true}));
    check(GRU(2, 5, {.num_layers = 2, .bias = bias, .bidirectional = true}));
  }
}

TEST_CASE("recurrent layers: long sequences of large steps, with and without a gradient of x") {
  const gt::RandomStream stream(63);
  const gt::DefaultDtype precise(gt::f64);
  constexpr std::int64_t steps = 9, batch = 64, in = 3, hidden = 32;
  const auto gradients = [](const auto& layer, const Tensor& loss) {
    loss.backward();
    std::vector<Tensor> out;
    for (const Tensor& p : layer.parameters()) out.push_back(p.grad());
    return out;
  };
  const auto check = [&](auto layer) {
    for (const bool differentiate_x : {false, true}) {
      CAPTURE(differentiate_x);
      Tensor x = between({steps, batch, in});
      if (differentiate_x) x = gt::parameter(x);
      layer.zero_grad();
      const auto y = layer(x);
      const auto of_layer = gradients(layer, gt::sum(gt::square(y.output)));
      const Tensor x_of_layer = differentiate_x ? x.grad() : Tensor();
      layer.zero_grad();
      if (differentiate_x) x.zero_grad();

      gt::LstmResult state{gt::zeros({batch, hidden}), gt::zeros({batch, hidden})};
      std::vector<Tensor> h;
      for (std::int64_t t = 0; t < steps; ++t) h.push_back((state = step(layer, "_l0", x[t], state)).h);
      CHECK(y.output == gt::approx(gt::stack(h)));
      const auto of_cells = gradients(layer, gt::sum(gt::square(gt::stack(h))));
      for (std::size_t i = 0; i < of_cells.size(); ++i) CHECK(of_layer[i] == gt::approx(of_cells[i]));
      if (differentiate_x) CHECK(x_of_layer == gt::approx(x.grad()));
    }
  };
  for (const bool bias : {true, false}) {
    CAPTURE(bias);
    check(RNN(in, hidden, {.bias = bias}));
    check(LSTM(in, hidden, {.bias = bias}));
    check(GRU(in, hidden, {.bias = bias}));
  }
}

TEST_CASE("recurrent layers: what is no float has no meaning, in whatever way a step is made") {
  for (const gt::Shape& shape : {gt::Shape{3, 2, 16}, {8, 32, 16}})
    for (const gt::Dtype dtype : {gt::i64, gt::boolean}) {
      CAPTURE(gt::to_string(shape));
      const Tensor x = gt::ones(shape, {.dtype = dtype});
      const auto message = [&](const char* layer) {
        return std::string(layer) + ": no meaning for " + std::string(gt::to_string(dtype)) +
               "; convert with .to(gradtape::f32)";
      };
      CHECK_THROWS_WITH_AS(RNN(16, 64)(x), message("RNN").c_str(), gt::DtypeError);
      CHECK_THROWS_WITH_AS(LSTM(16, 64)(x), message("LSTM").c_str(), gt::DtypeError);
      CHECK_THROWS_WITH_AS(GRU(16, 64)(x), message("GRU").c_str(), gt::DtypeError);
    }
}

TEST_CASE("recurrent layers: a swept result keeps none of what its steps have shared") {
  LSTM layer(64, 64);
  const Tensor x = gt::ones({8, 32, 64});
  const auto swept = [&] {
    Tensor loss = gt::sum(layer(x).output);
    loss.backward();
    layer.zero_grad();
    return loss;
  };
  const auto arrays = [] { return gt::memory().arrays.live_bytes; };
  (void)swept();
  const std::int64_t before = arrays();
  const Tensor loss = swept();
  CHECK(arrays() - before < 4096);
}

TEST_CASE("recurrent layers: gradients by input, state and every parameter") {
  const gt::RandomStream stream(62);
  const gt::DefaultDtype precise(gt::f64);
  const auto check = [](const auto& layer, const Tensor& lengths) {
    const auto call = [lengths](const auto& net, std::span<const Tensor> x) {
      const bool lstm = is_lstm(net);
      const auto y = net(x[0], {.h = x[1], .c = lstm ? x[2] : Tensor(), .lengths = lengths});
      const Tensor seen = gt::sum(y.output * y.output, {.axes = 0}) + gt::sum(y.h);
      return lstm ? seen + gt::sum(y.c * y.c) : seen;
    };
    CHECK(testing::gradcheck_module(layer, call, {between({3, 2, 2}), between({4, 2, 2}), between({4, 2, 2})}));
  };
  const Tensor all, some = gt::tensor({3, 1}, {.dtype = gt::i64});
  for (const Tensor& lengths : {all, some}) {
    check(RNN(2, 2, {.num_layers = 2, .bidirectional = true}), lengths);
    check(LSTM(2, 2, {.num_layers = 2, .bidirectional = true}), lengths);
    check(GRU(2, 2, {.num_layers = 2, .bidirectional = true}), lengths);
  }
}

TEST_CASE("recurrent layers: a padded batch is each of its sequences without padding") {
  const gt::RandomStream stream(63);
  const std::vector<std::int64_t> lengths{4, 1, 6, 0, 3};
  with_each(3, 21, {.num_layers = 2, .bidirectional = true}, [&](const auto& layer) {
    const Tensor x = between({6, 5, 3}), n = gt::tensor(std::span(lengths), {5});
    const Tensor within = gt::reshape(gt::arange(6, {.dtype = gt::i64}), {6, 1, 1}) < gt::reshape(n, {5, 1});
    const auto y = layer(gt::where(within, x, std::nan("")), {.lengths = n});
    CHECK(gt::equal(y.output, gt::where(within, y.output, 0)));
    for (int i = 0; i < 5; ++i) {
      const std::int64_t steps = lengths[static_cast<std::size_t>(i)];
      CAPTURE(steps);
      if (steps == 0) {
        CHECK(gt::equal(y.h[{Slice{}, i}], gt::zeros({4, 21})));
        continue;
      }
      const Slice it{i, i + 1}, until{0, steps}, one{0, 1};
      const Tensor output = y.output[{until, it}], h = y.h[{Slice{}, it}];
      const auto twice = layer(gt::concatenate({x[{until, it}], x[{until, it}]}, {.axis = 1}));
      CHECK(gt::equal(twice.output[{Slice{}, one}], output));
      CHECK(gt::equal(twice.h[{Slice{}, one}], h));
      if (y.c.defined()) CHECK(gt::equal(twice.c[{Slice{}, one}], y.c[{Slice{}, it}]));
      const auto alone = layer(x[{until, it}]);  // the product of a single row adds up in another order
      CHECK(alone.output == gt::approx(output).atol(1e-6));
      CHECK(alone.h == gt::approx(h).atol(1e-6));
    }
    gt::sum(y.output).backward();
    for (const Tensor& w : layer.parameters()) CHECK(std::isfinite(gt::sum(w.grad()).item()));
  });
}

TEST_CASE("recurrent layers: batch first is another order of the axes") {
  const gt::RandomStream stream(64);
  GRU steps_first(3, 4), batch_first(3, 4, {.batch_first = true});
  copy_weights(steps_first, batch_first);
  const Tensor x = between({2, 5, 3}), lengths = gt::tensor({5, 2}, {.dtype = gt::i64});
  const auto a = batch_first(x, {.lengths = lengths}), b = steps_first(gt::transpose(x, {0, 1}), {.lengths = lengths});
  CHECK(gt::equal(a.output, gt::transpose(b.output, {0, 1})));
  CHECK(gt::equal(a.h, b.h));
}

TEST_CASE("recurrent layers: dropout between layers, in training alone") {
  const gt::RandomStream stream(65);
  const Tensor x = between({3, 2, 4});
  LSTM dropping(4, 64, {.num_layers = 2, .dropout = 0.25}), plain(4, 64, {.num_layers = 2});
  copy_weights(dropping, plain);
  const auto with = dropping(x), without = plain(x);
  CHECK_FALSE(gt::equal(with.output, without.output));
  CHECK(gt::equal(with.h[0], without.h[0]));  // the first layer sees none
  dropping.eval();
  CHECK(gt::equal(dropping(x).output, without.output));
  GRU one(4, 3, {.dropout = 0.9});
  CHECK(gt::equal(one(x).output, one(x).output));
  CHECK(gt::nn::LSTM(4, 3, {.num_layers = 2, .dropout = 1})(x).output.shape() == gt::Shape{3, 2, 3});
}

TEST_CASE("recurrent modules: names, layout and start as PyTorch's") {
  const gt::RandomStream stream(66);
  const GRU gru(3, 400, {.num_layers = 2, .bidirectional = true});
  Names expected;
  for (const char* end : {"_l0", "_l0_reverse", "_l1", "_l1_reverse"})
    for (const char* name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
      expected.push_back(std::string(name) + end);
  CHECK(names(gru) == expected);
  const auto w = gru.parameters();
  CHECK(w[0].shape() == gt::Shape{1200, 3});
  CHECK(w[1].shape() == gt::Shape{1200, 400});
  CHECK(w[3].shape() == gt::Shape{1200});
  CHECK(w[8].shape() == gt::Shape{1200, 800});
  for (const Tensor& tensor : w) {
    const double largest = gt::max(gt::abs(tensor)).item();
    CHECK(largest <= 0.05 * (1 + 1e-6));
    CHECK(largest > 0.049);
  }
  CHECK(names(gt::nn::LSTMCell(3, 2)) == Names{"weight_ih", "weight_hh", "bias_ih", "bias_hh"});
  CHECK(names(gt::nn::RNNCell(3, 2, {.bias = false})) == Names{"weight_ih", "weight_hh"});
  CHECK(gt::nn::LSTMCell(3, 2).weight_ih.shape() == gt::Shape{8, 3});
}

TEST_CASE("recurrent modules: printing") {
  CHECK(GRU(28, 128).description() == "GRU(28, 128)");
  CHECK(LSTM(3, 4, {2, false, true, 0.5, true}).description() ==
        "LSTM(3, 4, 2 layers, no bias, batch first, dropout 0.5, bidirectional)");
  CHECK(RNN(3, 4, {.relu = true}).description() == "RNN(3, 4, relu)");
  CHECK(gt::nn::RNNCell(3, 4, {.relu = true}).description() == "RNNCell(3, 4, relu)");
  CHECK(gt::nn::GRUCell(3, 4, {.bias = false}).description() == "GRUCell(3, 4, no bias)");
}

TEST_CASE("recurrent cells as modules: the functions on their weights") {
  const gt::RandomStream stream(67);
  const Tensor x = between({5, 3}), h = between({5, 4}), c = between({5, 4}), zero = gt::zeros({5, 4});
  const gt::nn::RNNCell rnn(3, 4), relu(3, 4, {.relu = true});
  CHECK(gt::equal(rnn(x, h), gt::rnn_cell(x, h, rnn.weight_ih, rnn.weight_hh, {rnn.bias_ih, rnn.bias_hh})));
  CHECK(gt::equal(relu(x), gt::rnn_cell(x, zero, relu.weight_ih, relu.weight_hh, {relu.bias_ih, relu.bias_hh, true})));
  const gt::nn::GRUCell gru(3, 4);
  CHECK(gt::equal(gru(x, h), gt::gru_cell(x, h, gru.weight_ih, gru.weight_hh, {gru.bias_ih, gru.bias_hh})));
  CHECK(gt::equal(gru(x), gru(x, zero)));
  const gt::nn::LSTMCell lstm(3, 4, {.bias = false});
  const auto y = lstm(x, {h, c}), expected = gt::lstm_cell(x, {h, c}, lstm.weight_ih, lstm.weight_hh);
  CHECK(gt::equal(y.h, expected.h));
  CHECK(gt::equal(y.c, expected.c));
  CHECK(gt::equal(lstm(x).c, lstm(x, {zero, zero}).c));
}

TEST_CASE("recurrent modules: copies, conversion and an empty batch") {
  GRU net(3, 4, {.num_layers = 2});
  const GRU copy = net;
  net.to(gt::f64);
  const auto y = net(gt::ones({2, 0, 3}, {.dtype = gt::f64}));
  CHECK(y.output.shape() == gt::Shape{2, 0, 4});
  CHECK(y.h.shape() == gt::Shape{2, 0, 4});
  CHECK(y.output.dtype() == gt::f64);
  CHECK(copy(gt::ones({2, 1, 3})).output.dtype() == gt::f32);
}

TEST_CASE("recurrent modules: misuse") {
  const auto check = [](const char* message, auto f) { CHECK_THROWS_WITH_AS(f(), message, gt::Error); };
  const LSTM lstm(3, 4);
  const GRU gru(3, 4, {.num_layers = 2, .batch_first = true});
  const Tensor x = gt::zeros({2, 5, 3});
  check("LSTM: x has shape [2, 3]; expected (steps, batch, 3)", [&] { lstm(gt::zeros({2, 3})); });
  check("GRU: x has shape [2, 5, 4]; expected (batch, steps, 3)", [&] { gru(gt::zeros({2, 5, 4})); });
  check("LSTM: x [0, 5, 3] has no steps; give at least one", [&] { lstm(gt::zeros({0, 5, 3})); });
  check("LSTM: the state has shape [5, 4]; expected [1, 5, 4] (layers·directions, batch, hidden)", [&] {
    lstm(x, {.h = gt::zeros({5, 4})});
  });
  check("GRU: a state c was given, which only an LSTM has", [&] { gru(x, {.c = gt::zeros({2, 2, 4})}); });
  check("LSTM: lengths are f32; they must be i64", [&] { lstm(x, {.lengths = gt::ones({5})}); });
  check("LSTM: lengths have shape [1]; expected [5]",
        [&] { lstm(x, {.lengths = gt::tensor({1}, {.dtype = gt::i64})}); });
  check("GRU: a length is 6; it must be in [0, 5]", [&] {
    gru(x, {.lengths = gt::tensor({1, 6}, {.dtype = gt::i64})});
  });
  check("GRU: a length is -1; it must be in [0, 5]", [&] {
    gru(x, {.lengths = gt::tensor({-1, 5}, {.dtype = gt::i64})});
  });
  check("RNN: 0 inputs and 4 hidden; both must be at least 1", [] { RNN(0, 4); });
  check("GRUCell: 3 inputs and -4 hidden; both must be at least 1", [] { gt::nn::GRUCell(3, -4); });
  check("GRU: 0 layers; there must be at least 1", [] { GRU(3, 4, {.num_layers = 0}); });
  check("GRU: dropout is 2; it must be in [0, 1]", [] { GRU(3, 4, {.dropout = 2}); });
  check("LSTM: [4, 4611686018427387904] has more elements than can be counted", [] { LSTM(3, std::int64_t{1} << 62); });
  const Tensor precise = gt::zeros({1, 5, 4}, {.dtype = gt::f64});
  check("LSTM: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)", [&] { lstm(x, {.c = precise}); });
  check("RNN: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)", [&] {
    RNN(3, 4)(x, {.h = precise});
  });
}
