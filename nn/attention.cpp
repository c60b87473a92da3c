#include <gradtape/core/error.hpp>
#include <gradtape/nn/attention.hpp>
#include <gradtape/nn/init.hpp>
#include <gradtape/ops/attention.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/logic.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

/// Both masks as one, for this many keys.
Tensor joined(const AttentionMask& mask, std::int64_t count) {
  if (!mask.key_mask.defined()) return mask.mask;
  if (mask.key_mask.dtype() != boolean)
    throw DtypeError(fmt::format("MultiHeadAttention: key_mask is {}; expected boolean, true for a key that is there",
                                 to_string(mask.key_mask.dtype())));
  if (mask.key_mask.rank() == 0 || mask.key_mask.shape()[-1] != count)
    throw ShapeError(fmt::format("MultiHeadAttention: key_mask has shape {}; expected (…, {}), a value for each key",
                                 to_string(mask.key_mask.shape()), count));
  const Tensor keys = unsqueeze(unsqueeze(mask.key_mask, -2), -2);  // (…,s) -> (…,1,1,s)
  if (!mask.mask.defined()) return keys;
  return mask.mask.dtype() == boolean ? logical_and(mask.mask, keys)
                                      : where(keys, mask.mask, -std::numeric_limits<double>::infinity());
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t width, std::int64_t heads, const MultiHeadAttentionOptions& options)
    : out_proj(width, width, {.bias = options.bias}), width_(width), heads_(heads), options_(options) {
  if (heads < 1 || width % heads != 0)
    throw ValueError(fmt::format("MultiHeadAttention: {} heads do not divide the width {}", heads, width));
  if (!(options.dropout >= 0 && options.dropout <= 1))
    throw ValueError(fmt::format("MultiHeadAttention: dropout is {}; expected 0 to 1", options.dropout));
  if (options.rotary && width / heads % 2 != 0)
    throw ValueError(fmt::format(
        "MultiHeadAttention: rotary positions turn pairs; expected heads of an even width, not {}", width / heads));
  in_proj_weight = zeros({3 * width, width});
  init::xavier_uniform(in_proj_weight);
  if (!options.bias) return;
  in_proj_bias = zeros({3 * width});
  out_proj.bias = zeros({width});
}

/// Part 0, 1 or 2 of the projection, the queries', keys' or values': (…, t, width) -> (…, heads, t, width / heads).
Tensor MultiHeadAttention::heads_of(const Tensor& x, std::int64_t part) const {
  const auto of = [&](const Tensor& p) {
    return slice(p, {.axis = 0, .begin = part * width_, .end = (part + 1) * width_});
  };
  const Tensor bias = in_proj_bias.defined() ? of(in_proj_bias) : Tensor();
  Shape split = x.shape();
  split.set(-1, heads_);
  split.push_back(width_ / heads_);
  const Tensor y = transpose(reshape(linear(x, of(in_proj_weight), bias), split), {-3, -2});
  return options_.rotary && part < 2 ? rotary_embedding(y, *options_.rotary) : y;
}

Tensor MultiHeadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionMask& mask) const {
  for (const Tensor* x : {&query, &key, &value})
    if (x->rank() < 2 || x->shape()[-1] != width_)
      throw ShapeError(fmt::format("MultiHeadAttention: query {}, key {}, value {}; expected (…, length, {})",
                                   to_string(query.shape()), to_string(key.shape()), to_string(value.shape()), width_));
  const Tensor y = scaled_dot_product_attention(
      heads_of(query, 0), heads_of(key, 1), heads_of(value, 2),
      {.mask = joined(mask, key.shape()[-2]), .dropout_p = training() ? options_.dropout : 0, .causal = mask.causal});
  return out_proj(flatten(transpose(y, {-3, -2}), {.start_axis = -2}));
}

void MultiHeadAttention::visit(Visitor& v) {
  v("in_proj_weight", in_proj_weight), v("in_proj_bias", in_proj_bias), v("out_proj", out_proj);
}

std::string MultiHeadAttention::description() const {
  return fmt::format("MultiHeadAttention({}, {} heads)", width_, heads_);
}

}  // namespace gradtape::inline v0::nn
