#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "libtorch.hpp"

namespace {

using namespace oracle;

/// Random numbers in both libraries, leaves that collect gradients.
struct Leaf {
  gt::Tensor ours;
  torch::Tensor theirs;
  explicit Leaf(const gt::Shape& shape)
      : ours(gt::parameter(gt::uniform(shape, {.low = -1, .high = 1}))),
        theirs(to_torch(ours).set_requires_grad(true)) {}
  void check_gradient() const { check_equal(ours.grad(), theirs.grad()); }
};

/// The sum of y's elements with weights of their own, so that each has another gradient.
struct Weighted {
  gt::Tensor g;
  explicit Weighted(const gt::Tensor& y) : g(gt::uniform(y.shape(), {.low = -1, .high = 1})) {}
  gt::Tensor operator()(const gt::Tensor& y) const { return gt::sum(g * y); }
  torch::Tensor operator()(const torch::Tensor& y) const { return (to_torch(g) * y).sum(); }
};

/// Gives libtorch's module our parameters, by name.
void copy_parameters(const gt::nn::Module& ours, const torch::nn::Module& theirs) {
  const torch::NoGradGuard off;
  auto target = theirs.named_parameters();
  const auto source = ours.named_parameters();
  REQUIRE(source.size() == target.size());
  for (const auto& [name, tensor] : source) target[name].set_data(to_torch(tensor));
}

void check_gradients(const gt::nn::Module& ours, const torch::nn::Module& theirs) {
  auto target = theirs.named_parameters();
  for (const auto& [name, tensor] : ours.named_parameters()) {
    CAPTURE(name);
    check_equal(tensor.grad(), target[name].grad());
  }
}

/// In f32 and f64.
template <class F>
void in_both_dtypes(F f) {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    CAPTURE(to_string(dtype));
    const gt::DefaultDtype scope(dtype);
    const gt::RandomStream stream(81);
    f();
  }
}

/// Values and gradients of a layer, with all sequences whole or of some lengths.
template <class Ours, class Theirs>
void compare(const Ours& ours, Theirs theirs, bool batch_first) {
  constexpr bool lstm = std::is_same_v<Ours, gt::nn::LSTM>;
  copy_parameters(ours, *theirs);
  const std::int64_t states = static_cast<std::int64_t>(ours.weights().size()), steps = 5, batch = 3;
  for (const bool whole : {true, false}) {
    CAPTURE(whole);
    ours.zero_grad();
    theirs->zero_grad();
    const Leaf x(batch_first ? gt::Shape{batch, steps, 4} : gt::Shape{steps, batch, 4}), h({states, batch, 7}),
        c({states, batch, 7});
    const gt::Tensor lengths = gt::tensor({3, 5, 1}, {.dtype = gt::i64});
    const auto a = ours(x.ours, {h.ours, lstm ? c.ours : gt::Tensor(), whole ? gt::Tensor() : lengths});

    const auto state = [&] {
      if constexpr (lstm)
        return std::make_tuple(h.theirs, c.theirs);
      else
        return h.theirs;
    }();
    torch::Tensor output;
    auto last = state;
    if (whole) {
      std::tie(output, last) = theirs->forward(x.theirs, state);
    } else {
      namespace rnn = torch::nn::utils::rnn;
      const auto packed = rnn::pack_padded_sequence(x.theirs, to_torch(lengths), batch_first, false);
      auto [packed_output, packed_last] = theirs->forward_with_packed_input(packed, state);
      output = std::get<0>(rnn::pad_packed_sequence(packed_output, batch_first));
      last = packed_last;
    }
    check_equal(a.output.detach(), output);
    const Weighted of_output(a.output), of_h(a.h);
    gt::Tensor our_loss = of_output(a.output) + of_h(a.h);
    torch::Tensor their_loss = of_output(output);
    if constexpr (lstm) {
      check_equal(a.h.detach(), std::get<0>(last));
      check_equal(a.c.detach(), std::get<1>(last));
      const Weighted of_c(a.c);
      our_loss = our_loss + of_c(a.c);
      their_loss = their_loss + of_h(std::get<0>(last)) + of_c(std::get<1>(last));
    } else {
      check_equal(a.h.detach(), last);
      their_loss = their_loss + of_h(last);
    }
    our_loss.backward();
    their_loss.backward();
    x.check_gradient();
    h.check_gradient();
    if (lstm) c.check_gradient();
    check_gradients(ours, *theirs);
  }
}

}  // namespace

TEST_CASE("oracle: recurrent layers of two layers and directions agree with libtorch") {
  in_both_dtypes([] {
    for (const bool bias : {true, false})
      for (const bool batch_first : {false, true}) {
        CAPTURE(bias);
        CAPTURE(batch_first);
        const auto options = [&](auto given) {
          return given.num_layers(2).bias(bias).batch_first(batch_first).bidirectional(true);
        };
        for (const bool relu : {false, true}) {
          torch::nn::RNNOptions rnn(4, 7);
          if (relu) rnn.nonlinearity(torch::kReLU);
          compare(gt::nn::RNN(4, 7, {2, relu, bias, batch_first, 0, true}), torch::nn::RNN(options(rnn)), batch_first);
        }
        compare(gt::nn::LSTM(4, 7, {2, bias, batch_first, 0, true}),
                torch::nn::LSTM(options(torch::nn::LSTMOptions(4, 7))), batch_first);
        compare(gt::nn::GRU(4, 7, {2, bias, batch_first, 0, true}),
                torch::nn::GRU(options(torch::nn::GRUOptions(4, 7))), batch_first);
      }
  });
}

TEST_CASE("oracle: recurrent cells agree with libtorch") {
  in_both_dtypes([] {
    const Leaf x({6, 4}), h({6, 21}), c({6, 21});
    const auto compare = [&](const auto& ours, auto theirs, auto our_state, auto their_state, auto first) {
      copy_parameters(ours, *theirs);
      const gt::Tensor a = first(ours(x.ours, our_state));
      const torch::Tensor b = first(theirs->forward(x.theirs, their_state));
      check_equal(a.detach(), b);
      const Weighted of(a);
      of(a).backward();
      of(b).backward();
      x.check_gradient();
      h.check_gradient();
      check_gradients(ours, *theirs);
    };
    const auto same = [](const auto& y) { return y; };
    compare(gt::nn::RNNCell(4, 21), torch::nn::RNNCell(4, 21), h.ours, h.theirs, same);
    compare(gt::nn::GRUCell(4, 21), torch::nn::GRUCell(4, 21), h.ours, h.theirs, same);
    const auto sum = []<class Y>(const Y& y) {
      if constexpr (std::is_same_v<Y, gt::LstmResult>)
        return y.h + 2 * y.c;
      else
        return std::get<0>(y) + 2 * std::get<1>(y);
    };
    compare(gt::nn::LSTMCell(4, 21), torch::nn::LSTMCell(4, 21), gt::LstmResult{h.ours, c.ours},
            std::make_tuple(h.theirs, c.theirs), sum);
    c.check_gradient();
  });
}

TEST_CASE("oracle: Embedding and Bilinear agree with libtorch") {
  in_both_dtypes([] {
    const gt::nn::Embedding ours(9, 5, {.padding_idx = 2});
    torch::nn::Embedding theirs(torch::nn::EmbeddingOptions(9, 5).padding_idx(2));
    copy_parameters(ours, *theirs);
    const gt::Tensor ids = gt::tensor({{0, 2, 8}, {8, 3, 0}}, {.dtype = gt::i64}), a = ours(ids);
    const torch::Tensor b = theirs->forward(to_torch(ids));
    check_equal(a.detach(), b);
    const Weighted of(a);
    of(a).backward();
    of(b).backward();
    check_gradients(ours, *theirs);
  });
  in_both_dtypes([] {
    const gt::nn::Bilinear ours(4, 6, 3);
    torch::nn::Bilinear theirs(torch::nn::BilinearOptions(4, 6, 3));
    copy_parameters(ours, *theirs);
    const Leaf x1({2, 5, 4}), x2({2, 5, 6});
    const gt::Tensor a = ours(x1.ours, x2.ours);
    const torch::Tensor b = theirs->forward(x1.theirs, x2.theirs);
    check_equal(a.detach(), b);
    const Weighted of(a);
    of(a).backward();
    of(b).backward();
    x1.check_gradient();
    x2.check_gradient();
    check_gradients(ours, *theirs);
  });
}
