#include <gradtape/gradtape.hpp>

#include <array>
#include <vector>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::MultiHeadAttention;
using testing::gradcheck_module, testing::names, testing::Names;

namespace {

gt::Tensor random(const gt::Shape& shape) { return gt::uniform(shape, {.low = -1, .high = 1, .dtype = gt::f64}); }

/// An f64 module with biases that are not 0.
MultiHeadAttention attention(std::int64_t width, std::int64_t heads,
                             const gt::nn::MultiHeadAttentionOptions& options = {}) {
  const gt::DefaultDtype f64(gt::f64);
  MultiHeadAttention out(width, heads, options);
  if (!options.bias) return out;
  out.in_proj_bias = random({3 * width});
  out.out_proj.bias = random({width});
  return out;
}

/// The columns of head `h` of a projection of x, and so on through the formula, one head after the other.
gt::Tensor by_heads(const MultiHeadAttention& m, const gt::Tensor& q, const gt::Tensor& k, const gt::Tensor& v,
                    std::int64_t heads) {
  const std::int64_t width = q.shape()[-1], c = width / heads;
  const auto rows = [](const gt::Tensor& x, std::int64_t begin, std::int64_t n) {
    return gt::slice(x, {.axis = 0, .begin = begin, .end = begin + n});
  };
  std::vector<gt::Tensor> outputs;
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto part = [&](const gt::Tensor& x, std::int64_t which) {
      const std::int64_t begin = which * width + h * c;
      return gt::matmul(x, gt::transpose(rows(m.in_proj_weight, begin, c))) + rows(m.in_proj_bias, begin, c);
    };
    const auto scores = gt::matmul(part(q, 0), gt::transpose(part(k, 1))) / std::sqrt(static_cast<double>(c));
    outputs.push_back(gt::matmul(gt::softmax(scores), part(v, 2)));
  }
  return gt::matmul(gt::concatenate(outputs, {.axis = -1}), gt::transpose(m.out_proj.weight)) + m.out_proj.bias;
}

}  // namespace

TEST_CASE("MultiHeadAttention: PyTorch's names and shapes") {
  const MultiHeadAttention m(6, 3);
  CHECK(names(m) == Names{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
  CHECK(m.in_proj_weight.shape() == gt::Shape{18, 6});
  CHECK(m.in_proj_bias.shape() == gt::Shape{18});
  CHECK(m.out_proj.weight.shape() == gt::Shape{6, 6});
  CHECK(gt::equal(m.in_proj_bias, gt::zeros({18})));
  CHECK(gt::equal(m.out_proj.bias, gt::zeros({6})));
  CHECK(gt::max(gt::abs(m.in_proj_weight)).item() <= std::sqrt(6.0 / 24));
  CHECK(names(MultiHeadAttention(6, 3, {.bias = false})) == Names{"in_proj_weight", "out_proj.weight"});
  CHECK(m.description() == "MultiHeadAttention(6, 3 heads)");
}

TEST_CASE("MultiHeadAttention: the formula head by head, batches and none, of a sequence and across two") {
  const gt::RandomStream stream(1);
  const auto m = attention(6, 3);
  const auto q = random({2, 4, 6}), k = random({2, 5, 6}), v = random({2, 5, 6});
  CHECK(m(q, k, v) == gt::approx(by_heads(m, q, k, v, 3)));
  CHECK(m(q, q, q) == gt::approx(by_heads(m, q, q, q, 3)));
  CHECK(m(q[0], k[0], v[0]) == gt::approx(by_heads(m, q, k, v, 3)[0]));
  CHECK(m(gt::zeros({0, 4, 6}, {.dtype = gt::f64}), k[0], v[0]).shape() == gt::Shape{0, 4, 6});
  const auto bare = attention(6, 3, {.bias = false});
  MultiHeadAttention zero(6, 3);
  zero.to(gt::f64);
  zero.in_proj_weight = bare.in_proj_weight, zero.out_proj.weight = bare.out_proj.weight;
  CHECK(bare(q, k, v) == gt::approx(by_heads(zero, q, k, v, 3)));
}

TEST_CASE("MultiHeadAttention: masks") {
  const gt::RandomStream stream(2);
  const auto m = attention(4, 2);
  const auto x = random({2, 5, 4});
  const auto first = [](const gt::Tensor& y, std::int64_t n) { return gt::slice(y, {.axis = 1, .end = n}); };

  const auto padding = gt::tensor({{1., 1., 1., 0., 0.}, {1., 1., 1., 1., 1.}}) == 1;
  const auto y = m(x, x, x, {.key_mask = padding});
  CHECK(y[0] == gt::approx(m(x[0], first(x, 3)[0], first(x, 3)[0])));
  CHECK(y[1] == gt::approx(m(x, x, x)[1]));

  const auto causal = m(x, x, x, {.causal = true});
  for (std::int64_t t = 1; t <= 5; ++t)
    CHECK(first(causal, t) == gt::approx(m(first(x, t), first(x, t), first(x, t), {.causal = true})));
  const auto lower = gt::tri(5, {.dtype = gt::boolean});
  CHECK(m(x, x, x, {.mask = lower}) == gt::approx(causal));
  CHECK(m(x, x, x, {.mask = lower, .key_mask = padding}) ==
        gt::approx(m(x, x, x, {.key_mask = padding, .causal = true})));

  const auto bias = random({2, 2, 5, 5});  // of each batch and head
  const auto hidden = gt::where(gt::reshape(padding, {2, 1, 1, 5}), bias, -1e30);
  CHECK(m(x, x, x, {.mask = bias, .key_mask = padding}) == gt::approx(m(x, x, x, {.mask = hidden})));
}

TEST_CASE("MultiHeadAttention: rotary positions make the scores of a shifted sequence the same") {
  const gt::RandomStream stream(3);
  const auto x = random({2, 5, 8});
  const auto turned = [&](std::int64_t offset) {
    const gt::RandomStream weights(4);
    return attention(8, 2, {.rotary = gt::RotaryOptions{.offset = offset}})(x, x, x);
  };
  const gt::RandomStream weights(4);
  CHECK(turned(3) == gt::approx(turned(40)));
  CHECK_FALSE(gt::equal(turned(3), attention(8, 2)(x, x, x)));
}

TEST_CASE("MultiHeadAttention: gradients of parameters and inputs") {
  const gt::RandomStream stream(5);
  const auto padding = gt::tensor({{1., 0., 1.}, {1., 1., 0.}}) == 1;
  const auto m = attention(4, 2, {.rotary = gt::RotaryOptions{}});
  const auto call = [&](const auto& module, std::span<const gt::Tensor> x) {
    return module(x[0], x[1], x[2], {.key_mask = padding, .causal = true});
  };
  CHECK(gradcheck_module(m, call, {random({2, 4, 4}), random({2, 3, 4}), random({2, 3, 4})}));
}

TEST_CASE("MultiHeadAttention: dropout while training only") {
  const gt::RandomStream stream(6);
  auto m = attention(4, 2, {.dropout = 0.5});
  const auto x = random({2, 5, 4});
  CHECK_FALSE(gt::equal(m(x, x, x), m(x, x, x)));
  m.eval();
  CHECK(gt::equal(m(x, x, x), m(x, x, x)));
}

TEST_CASE("MultiHeadAttention: errors") {
  CHECK_THROWS_WITH_AS(MultiHeadAttention(6, 4), "MultiHeadAttention: 4 heads do not divide the width 6",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(MultiHeadAttention(6, 0), "MultiHeadAttention: 0 heads do not divide the width 6",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(MultiHeadAttention(6, 2, {.dropout = -1}), "MultiHeadAttention: dropout is -1; expected 0 to 1",
                       gt::ValueError);
  const MultiHeadAttention m(6, 2);
  const auto x = gt::zeros({3, 6});
  CHECK_THROWS_WITH_AS(m(x, gt::zeros({3, 5}), x),
                       "MultiHeadAttention: query [3, 6], key [3, 5], value [3, 6]; expected (…, length, 6)",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(m(gt::zeros({6}), x, x),
                       "MultiHeadAttention: query [6], key [3, 6], value [3, 6]; expected (…, length, 6)",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(m(x, x, x, {.key_mask = gt::ones({3})}),
                       "MultiHeadAttention: key_mask is f32; expected boolean, true for a key that is there",
                       gt::DtypeError);
  CHECK_THROWS_WITH_AS(m(x, x, x, {.key_mask = gt::ones({4}, {.dtype = gt::boolean})}),
                       "MultiHeadAttention: key_mask has shape [4]; expected (…, 3), a value for each key",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(m(x, x, x, {.key_mask = gt::ones({}, {.dtype = gt::boolean})}),
                       "MultiHeadAttention: key_mask has shape []; expected (…, 3), a value for each key",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(MultiHeadAttention(6, 2, {.rotary = gt::RotaryOptions{}}),
                       "MultiHeadAttention: rotary positions turn pairs; expected heads of an even width, not 3",
                       gt::ValueError);
}
