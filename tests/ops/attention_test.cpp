#include <cstdint>
#include <span>

#include <ops/rows.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::between, cases::by_index, cases::inf;
using gt::scaled_dot_product_attention;

namespace {

const auto any = between(-2, 2);
const auto f64 = gt::TensorOptions{.dtype = gt::f64};

/// Some pairs (query, key), boolean (t, s), of which query 1 has none.
gt::Tensor some(std::int64_t t, std::int64_t s) {
  return by_index({t, s}, [](const cases::Index& i) { return i[0] == 1 || (i[0] + 2 * i[1]) % 3 == 1 ? 0 : 1; })
      .to(gt::boolean);
}

auto with(const gt::AttentionOptions& options) {
  return [=](const gt::Tensor& q, const gt::Tensor& k, const gt::Tensor& v) {
    return scaled_dot_product_attention(q, k, v, options);
  };
}

std::vector<cases::Call> attention_calls() {
  const auto call = [](const gt::Shape& q, const gt::Shape& k, const gt::Shape& v,
                       const gt::AttentionOptions& options = {}) {
    return cases::on({{q, any}, {k, any}, {v, any}}, with(options));
  };
  const auto with_mask = [](const gt::Tensor& q, const gt::Tensor& k, const gt::Tensor& v, const gt::Tensor& mask) {
    return scaled_dot_product_attention(q, k, v, {.mask = mask, .causal = true});
  };
  const auto with_dropout = [](const gt::Tensor& q, const gt::Tensor& k, const gt::Tensor& v) {
    const gt::RandomStream random(3);
    return scaled_dot_product_attention(q, k, v, {.dropout_p = 0.4, .causal = true});
  };
  return cases::calls({
      call({3, 2}, {5, 2}, {5, 4}),
      call({2, 3, 2}, {2, 5, 2}, {2, 5, 4}, {.causal = true}),
      call({2, 3, 4, 2}, {2, 3, 4, 2}, {2, 3, 4, 5}, {.mask = some(4, 4), .scale = -1.5}),
      call({3, 4, 2}, {2, 1, 3, 2}, {3, 2}, {.mask = some(4, 3), .causal = true}),
      call({5, 2}, {3, 2}, {2, 3, 1}, {.mask = some(3, 5)[{gt::Slice{}, gt::Slice{0, 3}}][{gt::Slice{0, 1}}]}),
      call({67, 2}, {3, 2}, {3, 2}, {.mask = gt::where(some(67, 3), 0.5, gt::full({}, -inf, f64)).to(gt::f64)}),
      call({1, 1}, {1, 1}, {1, 1}),
      call({0, 3, 2}, {0, 4, 2}, {0, 4, 5}),
      call({0, 2}, {4, 2}, {4, 5}, {.causal = true}),
      call({3, 2}, {0, 2}, {0, 5}),
      call({3, 0}, {4, 0}, {4, 5}),
      call({3, 2}, {4, 2}, {4, 0}),
      cases::on({{{2, 3, 2}, any}, {{4, 2}, any}, {{4, 2}, any}, {{3, 1}, any}}, with_mask),
      cases::on({{{2, 67, 2}, any}, {{4, 2}, any}, {{3, 1, 4, 2}, any}}, with_dropout),
  });
}

std::vector<cases::Misuse> attention_misuse() {
  const auto call = [](const gt::Shape& q, const gt::Shape& k, const gt::Shape& v,
                       const gt::AttentionOptions& options = {}) {
    return [=] { scaled_dot_product_attention(gt::zeros(q), gt::zeros(k), gt::zeros(v), options); };
  };
  return {
      {"scaled_dot_product_attention: a matrix is missing: q [3], k [4, 3], v [4, 3]; expected q (…, t, c), k (…, s, "
       "c), v (…, s, d)",
       call({3}, {4, 3}, {4, 3})},
      {"scaled_dot_product_attention: q and k differ in width: q [2, 3], k [4, 5], v [4, 3]; expected q (…, t, c), k "
       "(…, s, c), v (…, s, d)",
       call({2, 3}, {4, 5}, {4, 3})},
      {"scaled_dot_product_attention: k and v differ in length: q [2, 3], k [4, 3], v [5, 3]; expected q (…, t, c), k "
       "(…, s, c), v (…, s, d)",
       call({2, 3}, {4, 3}, {5, 3})},
      {"scaled_dot_product_attention: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be "
       "equal or 1",
       call({2, 2, 3}, {3, 4, 3}, {4, 3})},
      {"scaled_dot_product_attention: the mask [2, 2, 4] does not broadcast to the scores [2, 4]",
       call({2, 3}, {4, 3}, {4, 3}, {.mask = gt::ones({2, 2, 4})})},
      {"scaled_dot_product_attention: the mask [3, 4] does not broadcast to the scores [2, 4]",
       call({2, 3}, {4, 3}, {4, 3}, {.mask = gt::ones({3, 4})})},
      {"scaled_dot_product_attention: the mask [2, 4] does not broadcast to the scores [1, 4]",
       call({1, 3}, {4, 3}, {4, 3}, {.mask = gt::ones({2, 4})})},
      {"scaled_dot_product_attention: the mask is i64; expected boolean or f32, the dtype of q",
       call({2, 3}, {4, 3}, {4, 3}, {.mask = gt::ones({2, 4}, {.dtype = gt::i64})})},
      {"scaled_dot_product_attention: dropout_p is 1.5; expected 0 to 1",
       call({2, 3}, {4, 3}, {4, 3}, {.dropout_p = 1.5})},
      {"scaled_dot_product_attention: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
       [] {
         scaled_dot_product_attention(gt::zeros({2, 3}), gt::zeros({4, 3}, f64), gt::zeros({4, 3}));
       }},
      {"scaled_dot_product_attention: no meaning for i64; convert with .to(gradtape::f32)",
       [] {
         const auto x = gt::zeros({2, 3}, {.dtype = gt::i64});
         scaled_dot_product_attention(x, x, x);
       }},
  };
}

const cases::Rows attention([]() -> std::vector<cases::Row> {
  return {{"scaled_dot_product_attention", attention_calls(), attention_misuse()}};
});

/// The formula for one matrix of each by plain loops; `bias(i, j)` is added to the scores.
template <class Bias>
gt::Tensor by_loops(const gt::Tensor& q, const gt::Tensor& k, const gt::Tensor& v, double scale, Bias bias) {
  const std::int64_t s = k.shape()[0];
  const auto score = [&](std::int64_t i, std::int64_t j) {
    long double dot = 0;
    for (std::int64_t c = 0; c < q.shape()[1]; ++c) dot += static_cast<long double>(at(q, {i, c})) * at(k, {j, c});
    return dot * scale + bias(i, j);
  };
  return by_index({q.shape()[0], v.shape()[1]}, [&](const cases::Index& i) {
    long double largest = -inf, total = 0, sum = 0;
    for (std::int64_t j = 0; j < s; ++j) largest = std::max<long double>(largest, score(i[0], j));
    if (largest == -inf) return 0.0;
    for (std::int64_t j = 0; j < s; ++j) {
      const long double weight = std::exp(score(i[0], j) - largest);
      total += weight, sum += weight * at(v, {j, i[1]});
    }
    return static_cast<double>(sum / total);
  });
}

/// The same function of other ops, and so its gradients.
gt::Tensor composed(const gt::Tensor& q, const gt::Tensor& k, const gt::Tensor& v, const gt::Tensor& seen) {
  const auto hidden = gt::logical_not(seen);
  const auto scores = gt::matmul(q, gt::transpose(k)) / std::sqrt(static_cast<double>(q.shape()[-1]));
  return gt::matmul(gt::masked_fill(gt::softmax(gt::masked_fill(scores, hidden, -1e30)), hidden, 0), v);
}

}  // namespace

TEST_CASE("attention: rows") { attention.check(); }

TEST_CASE("attention: the formula by plain loops") {
  const gt::RandomStream random(4);
  for (const auto& [t, s, c, d] : {std::array<std::int64_t, 4>{3, 5, 2, 4}, {1, 1, 1, 1}, {150, 70, 19, 33}}) {
    CAPTURE(t);
    const auto q = any({t, c}), k = any({s, c}), v = any({s, d}), bias = any({t, s}), seen = some(t, s);
    const double scale = 1 / std::sqrt(static_cast<double>(c));
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      const auto check = [&](const gt::AttentionOptions& options, double scaled, auto added) {
        const auto y = scaled_dot_product_attention(q.to(dtype), k.to(dtype), v.to(dtype), options);
        CHECK(y == gt::approx(by_loops(q, k, v, scaled, added).to(dtype)).atol(dtype == gt::f32 ? 1e-5 : 1e-13));
      };
      check({}, scale, [](auto, auto) { return 0.0; });
      check({.causal = true}, scale, [](auto i, auto j) { return j > i ? -inf : 0; });
      check({.mask = seen, .scale = 0.3}, 0.3,
            [&](auto i, auto j) { return seen.array().data<bool>()[i * s + j] ? 0 : -inf; });
      check({.mask = bias.to(dtype)}, scale, [&](auto i, auto j) { return at(bias, {i, j}); });
      check({.mask = gt::transpose(any({s, 1})).to(dtype) * 0.0, .causal = true}, scale,
            [](auto i, auto j) { return j > i ? -inf : 0; });
    }
  }
}

TEST_CASE("attention: the gradients of the composed form, batches stretched, over several blocks of queries") {
  const gt::RandomStream random(5);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto q = any({2, 3, 150, 5}).to(dtype), k = any({3, 90, 5}).to(dtype), v = any({2, 1, 90, 7}).to(dtype);
    const auto g = any({2, 3, 150, 7}).to(dtype);
    for (const auto& seen : {some(150, 90), gt::tri(150, {.columns = 90, .dtype = gt::boolean})}) {
      const auto fused = with({.mask = seen});
      const auto plain = [&](const auto&... x) { return composed(x..., seen); };
      CHECK(fused(q, k, v) == gt::approx(plain(q, k, v)).atol(1e-6));
      const auto ours = gt::vjp(fused, {q, k, v}, g), expected = gt::vjp(plain, {q, k, v}, g);
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(ours[i] == gt::approx(expected[i]).atol(dtype == gt::f32 ? 2e-4 : 1e-12));
    }
    const auto causal = gt::vjp(with({.causal = true}), {q, k, v}, g);
    const auto masked = gt::vjp(with({.mask = gt::tri(150, {.columns = 90, .dtype = gt::boolean})}), {q, k, v}, g);
    for (std::size_t i = 0; i < 3; ++i) CHECK(causal[i] == gt::approx(masked[i]).atol(dtype == gt::f32 ? 2e-4 : 1e-12));
  }
}

TEST_CASE("attention: large scores, hidden queries, NaN where it belongs") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto q = gt::tensor({{100.}, {-100.}}, {.dtype = dtype}), k = gt::tensor({{100.}, {-100.}}, {.dtype = dtype});
    const auto v = gt::tensor({{1., 2.}, {3., 4.}}, {.dtype = dtype});  // scores are ±1e4
    CHECK(gt::equal(scaled_dot_product_attention(q, k, v), v));
    const auto far = gt::tensor({{1e4, 1e4}, {-1e4, -1e4}}, {.dtype = dtype});  // weights 1/2 at scores of ±1e4
    const auto even = scaled_dot_product_attention(gt::zeros({2, 1}, {.dtype = dtype}), k, v, {.mask = far});
    CHECK(even == gt::approx(gt::tensor({{2., 3.}, {2., 3.}}, {.dtype = dtype})));
    const auto [dq, dk, dv] = gt::vjp(with({.mask = far}), {gt::zeros({2, 1}, {.dtype = dtype}), k, v}, v);
    CHECK(dv == gt::approx(gt::tensor({{2., 3.}, {2., 3.}}, {.dtype = dtype})));
    CHECK(gt::equal(dk, gt::zeros({2, 1}, {.dtype = dtype})));

    for (const auto& none : {gt::zeros({2, 2}, {.dtype = gt::boolean}), gt::full({2, 2}, -inf, {.dtype = dtype})}) {
      CHECK(gt::equal(scaled_dot_product_attention(q, k, v, {.mask = none}), gt::zeros({2, 2}, {.dtype = dtype})));
      for (const auto& gradient : gt::vjp(with({.mask = none}), {q, k, v}, v))
        CHECK(gt::equal(gradient, gt::zeros(gradient.shape(), {.dtype = dtype})));
    }
    const auto bad = gt::tensor({{cases::nan}, {1.}}, {.dtype = dtype});
    const auto y = cases::doubles(scaled_dot_product_attention(bad, k, v));
    CHECK((std::isnan(y[0]) && std::isnan(y[1]) && y[2] == 1 && y[3] == 2));
  }
}

TEST_CASE("attention: no later key changes an earlier output of the causal form, to the bit") {
  const gt::RandomStream random(6);
  const auto q = any({2, 80, 9}).to(gt::f32), k = any({2, 80, 9}).to(gt::f32), v = any({2, 80, 5}).to(gt::f32);
  const auto early = [](const gt::Tensor& x) { return gt::slice(x, {.axis = 1, .end = 70}); };
  const auto changed = [&](const gt::Tensor& x) {
    return gt::concatenate({early(x), gt::slice(x, {.axis = 1, .begin = 70}) * 7 - 1}, {.axis = 1});
  };
  const auto f = with({.causal = true});
  CHECK(cases::same_bits(gt::contiguous(early(f(q, k, v))), gt::contiguous(early(f(q, changed(k), changed(v))))));
}

TEST_CASE("attention: dropout keeps the mean and drops with chance p") {
  const gt::RandomStream random(7);
  const auto q = gt::zeros({400, 1}), k = gt::zeros({50, 1}), v = gt::eye(50);
  const auto w = scaled_dot_product_attention(q, k, v, {.dropout_p = 0.25});  // the weights: 0 or 1 / 50 / 0.75
  CHECK(gt::mean(w).item() == doctest::Approx(0.02).epsilon(0.02));
  CHECK(gt::mean((w == 0).to(gt::f32)).item() == doctest::Approx(0.25).epsilon(0.05));
  CHECK(gt::max(w).item() == doctest::Approx(0.02 / 0.75));
  CHECK(gt::equal(scaled_dot_product_attention(q, k, v, {.dropout_p = 1}), gt::zeros({400, 50})));
}
