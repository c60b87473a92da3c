#include <gradtape/nn/transformer.hpp>
#include <gradtape/ops/arithmetic.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

LayerNorm norm_of(std::int64_t width, const TransformerLayerOptions& options) {
  return LayerNorm({width}, {.eps = options.layer_norm_eps, .bias = options.bias});
}

}  // namespace

namespace detail {

TransformerLayer::TransformerLayer(const char* name, std::int64_t width, std::int64_t heads,
                                   const TransformerLayerOptions& options)
    : self_attn(width, heads, {.dropout = options.dropout, .bias = options.bias, .rotary = options.rotary}),
      linear1(width, options.dim_feedforward, {.bias = options.bias}),
      linear2(options.dim_feedforward, width, {.bias = options.bias}),
      norm1(norm_of(width, options)),
      norm2(norm_of(width, options)),
      dropout(options.dropout),
      name_(name),
      options_(options) {}

std::string TransformerLayer::description() const {
  return fmt::format("{}({})", name_, options_.norm_first ? "norm first" : "norm last");
}

Tensor TransformerLayer::sum(const Tensor& x, const Tensor& y) const { return x + dropout(y); }

Tensor TransformerLayer::self_attention(const Tensor& x, const AttentionMask& mask) const {
  return added(x, norm1, [&](const Tensor& y) { return self_attn(y, y, y, mask); });
}

Tensor TransformerLayer::feed_forward(const Tensor& x, const LayerNorm& norm) const {
  return added(x, norm, [&](const Tensor& y) { return linear2(dropout(options_.activation(linear1(y)))); });
}

}  // namespace detail

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t width, std::int64_t heads,
                                                 const TransformerLayerOptions& options)
    : TransformerLayer("TransformerEncoderLayer", width, heads, options) {}

Tensor TransformerEncoderLayer::operator()(const Tensor& x, const AttentionMask& mask) const {
  return feed_forward(self_attention(x, mask), norm2);
}

void TransformerEncoderLayer::visit(Visitor& v) {
  v("self_attn", self_attn), v("linear1", linear1), v("dropout", dropout), v("linear2", linear2), v("norm1", norm1),
      v("norm2", norm2);
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t width, std::int64_t heads,
                                                 const TransformerLayerOptions& options)
    : TransformerLayer("TransformerDecoderLayer", width, heads, options),
      multihead_attn(width, heads, {.dropout = options.dropout, .bias = options.bias}),
      norm3(norm_of(width, options)) {}

Tensor TransformerDecoderLayer::operator()(const Tensor& x, const Tensor& memory, const DecoderMasks& masks) const {
  const Tensor y = added(self_attention(x, masks.self), norm2,
                         [&](const Tensor& query) { return multihead_attn(query, memory, memory, masks.memory); });
  return feed_forward(y, norm3);
}

void TransformerDecoderLayer::visit(Visitor& v) {
  v("self_attn", self_attn), v("multihead_attn", multihead_attn), v("linear1", linear1), v("dropout", dropout),
      v("linear2", linear2), v("norm1", norm1), v("norm2", norm2), v("norm3", norm3);
}

}  // namespace gradtape::inline v0::nn
