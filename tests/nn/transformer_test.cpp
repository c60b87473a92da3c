#include <gradtape/gradtape.hpp>

#include <array>
#include <vector>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::TransformerDecoderLayer, gt::nn::TransformerEncoderLayer, gt::nn::TransformerLayerOptions;
using testing::gradcheck_module, testing::names, testing::Names;

namespace {

gt::Tensor random(const gt::Shape& shape) { return gt::uniform(shape, {.low = -1, .high = 1, .dtype = gt::f64}); }

/// A layer in f64 of width 4 and 2 heads, every parameter random.
template <class Layer>
Layer layer(TransformerLayerOptions options) {
  options.dim_feedforward = 6;
  Layer out(4, 2, options);
  out.to(gt::f64);
  for (const gt::Tensor& p : out.parameters()) p.assign(random(p.shape()));
  return out;
}

}  // namespace

TEST_CASE("TransformerEncoderLayer: PyTorch's names and shapes") {
  const TransformerEncoderLayer encoder(8, 2, {.dim_feedforward = 20});
  CHECK(names(encoder) == Names{"self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight",
                                "self_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight",
                                "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"});
  CHECK(encoder.linear1.weight.shape() == gt::Shape{20, 8});
  CHECK(encoder.linear2.weight.shape() == gt::Shape{8, 20});
  CHECK(encoder.description() == "TransformerEncoderLayer(norm last)");
  CHECK(names(TransformerEncoderLayer(8, 2, {.bias = false})) ==
        Names{"self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.weight",
              "norm1.weight", "norm2.weight"});
}

TEST_CASE("TransformerDecoderLayer: PyTorch's names and shapes") {
  const TransformerDecoderLayer decoder(8, 2);
  CHECK(names(decoder) == Names{"self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight",
                                "self_attn.out_proj.bias", "multihead_attn.in_proj_weight",
                                "multihead_attn.in_proj_bias", "multihead_attn.out_proj.weight",
                                "multihead_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight",
                                "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
                                "norm3.weight", "norm3.bias"});
  CHECK(decoder.linear1.weight.shape() == gt::Shape{2048, 8});
}

TEST_CASE("TransformerEncoderLayer: the formula on paper, norms last and first") {
  const gt::RandomStream stream(1);
  const auto x = random({2, 5, 4});
  for (const bool first : {false, true}) {
    auto m = layer<TransformerEncoderLayer>({.activation = gt::gelu, .norm_first = first});
    m.eval();
    const auto two = [&](const gt::Tensor& y) { return m.linear2(gt::gelu(m.linear1(y))); };
    const auto self = [&](const gt::Tensor& y) { return m.self_attn(y, y, y, {.causal = true}); };
    gt::Tensor expected;
    if (first) {
      const auto y = x + self(m.norm1(x));
      expected = y + two(m.norm2(y));
    } else {
      const auto y = m.norm1(x + self(x));
      expected = m.norm2(y + two(y));
    }
    CHECK(m(x, {.causal = true}) == gt::approx(expected));
  }
}

TEST_CASE("TransformerDecoderLayer: the formula on paper, norms last and first") {
  const gt::RandomStream stream(2);
  const auto x = random({2, 5, 4}), memory = random({2, 3, 4});
  const auto padding = gt::tensor({{1., 1., 0.}, {1., 1., 1.}}) == 1;
  for (const bool first : {false, true}) {
    auto m = layer<TransformerDecoderLayer>({.norm_first = first});
    m.eval();
    const auto two = [&](const gt::Tensor& y) { return m.linear2(gt::relu(m.linear1(y))); };
    const auto self = [&](const gt::Tensor& y) { return m.self_attn(y, y, y, {.causal = true}); };
    const auto across = [&](const gt::Tensor& y) { return m.multihead_attn(y, memory, memory, {.key_mask = padding}); };
    gt::Tensor expected;
    if (first) {
      const auto y = x + self(m.norm1(x)), z = y + across(m.norm2(y));
      expected = z + two(m.norm3(z));
    } else {
      const auto y = m.norm1(x + self(x)), z = m.norm2(y + across(y));
      expected = m.norm3(z + two(z));
    }
    CHECK(m(x, memory, {.self = {.causal = true}, .memory = {.key_mask = padding}}) == gt::approx(expected));
  }
}

TEST_CASE("transformer: gradients of parameters and inputs") {
  const gt::RandomStream stream(3);
  const auto padding = gt::tensor({{1., 1., 0.}, {1., 1., 1.}}) == 1;
  const auto encoder = layer<TransformerEncoderLayer>({.dropout = 0, .activation = gt::tanh});
  const auto encode = [&](const auto& module, std::span<const gt::Tensor> x) {
    return module(x[0], {.key_mask = padding, .causal = true});
  };
  CHECK(gradcheck_module(encoder, encode, {3 * random({2, 3, 4})}));  // spread, or the norms bend too sharply
  const auto decoder = layer<TransformerDecoderLayer>(
      {.dropout = 0, .activation = gt::tanh, .norm_first = true, .rotary = gt::RotaryOptions{}});
  const auto decode = [&](const auto& module, std::span<const gt::Tensor> x) {
    return module(x[0], x[1], {.self = {.causal = true}, .memory = {.key_mask = padding}});
  };
  CHECK(gradcheck_module(decoder, decode, {3 * random({2, 2, 4}), random({2, 3, 4})}));
}

TEST_CASE("transformer: a later token changes no earlier output of a causal layer, to the bit") {
  const gt::RandomStream stream(4);
  TransformerEncoderLayer encoder(16, 4, {.dim_feedforward = 32, .dropout = 0});
  TransformerDecoderLayer decoder(16, 4, {.dim_feedforward = 32, .dropout = 0, .norm_first = true});
  const auto x = gt::randn({2, 70, 16}), memory = gt::randn({2, 9, 16});
  const auto early = [](const gt::Tensor& y) { return gt::slice(y, {.axis = 1, .end = 66}); };
  const auto changed = gt::concatenate({early(x), gt::randn({2, 4, 16})}, {.axis = 1});
  CHECK(gt::equal(early(encoder(x, {.causal = true})), early(encoder(changed, {.causal = true}))));
  CHECK_FALSE(gt::equal(early(encoder(x)), early(encoder(changed))));
  const gt::nn::DecoderMasks causal{.self = {.causal = true}};
  CHECK(gt::equal(early(decoder(x, memory, causal)), early(decoder(changed, memory, causal))));
}

TEST_CASE("transformer: padding is not looked at") {
  const gt::RandomStream stream(5);
  TransformerEncoderLayer encoder(8, 2, {.dim_feedforward = 16});
  encoder.eval();
  const auto x = gt::randn({1, 6, 8}), start = gt::slice(x, {.axis = 1, .end = 4});
  const auto keys = gt::tensor({1., 1., 1., 1., 0., 0.}) == 1;
  CHECK(gt::slice(encoder(x, {.key_mask = keys}), {.axis = 1, .end = 4}) == gt::approx(encoder(start)).atol(1e-6));
}

TEST_CASE("transformer: dropout while training only") {
  const gt::RandomStream stream(6);
  TransformerEncoderLayer encoder(8, 2, {.dim_feedforward = 16});
  TransformerDecoderLayer decoder(8, 2, {.dim_feedforward = 16});
  const auto x = gt::randn({2, 5, 8});
  CHECK_FALSE(gt::equal(encoder(x), encoder(x)));
  CHECK_FALSE(gt::equal(decoder(x, x), decoder(x, x)));
  encoder.eval(), decoder.eval();
  CHECK(gt::equal(encoder(x), encoder(x)));
  CHECK(gt::equal(decoder(x, x), decoder(x, x)));
}

TEST_CASE("transformer: errors") {
  CHECK_THROWS_WITH_AS(TransformerEncoderLayer(6, 4), "MultiHeadAttention: 4 heads do not divide the width 6",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(TransformerDecoderLayer(6, 3, {.dim_feedforward = 0}),
                       "Linear: 6 inputs and 0 outputs; both must be at least 1", gt::ValueError);
}
