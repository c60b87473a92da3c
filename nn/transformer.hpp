#pragma once

#include <gradtape/nn/attention.hpp>
#include <gradtape/nn/dropout.hpp>
#include <gradtape/nn/linear.hpp>
#include <gradtape/nn/normalization.hpp>
#include <gradtape/nn/sequential.hpp>
#include <gradtape/ops/activation.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace gradtape::inline v0::nn {

/// Options of TransformerEncoderLayer and TransformerDecoderLayer.
struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;       ///< width between the two linear layers
  double dropout = 0.1;                      ///< of attention weights, between the linear layers, before each sum
  Activation activation = Activation(relu);  ///< between the linear layers
  double layer_norm_eps = 1e-5;              ///< added to the variance
  bool norm_first = false;                   ///< normalise what goes into each part, not the sum that comes out
  bool bias = true;                          ///< in linear layers and norms
  std::optional<RotaryOptions> rotary = {};  ///< turn queries and keys of self-attention by their positions
};

namespace detail {

/// What the layers share: attention of x to itself and two linear layers, each added to what went in.
class TransformerLayer : public Module {
 public:
  std::string description() const override;

  MultiHeadAttention self_attn;  ///< of each position to all
  Linear linear1;                ///< width -> dim_feedforward
  Linear linear2;                ///< dim_feedforward -> width
  LayerNorm norm1;               ///< of self-attention
  LayerNorm norm2;               ///< of what comes next
  Dropout dropout;               ///< wherever something is dropped

 protected:
  /// `name` for messages; the rest as the layers take it.
  TransformerLayer(const char* name, std::int64_t width, std::int64_t heads, const TransformerLayerOptions& options);

  /// x + f(x), normalised before or after.
  template <class F>
  Tensor added(const Tensor& x, const LayerNorm& norm, F f) const {
    return options_.norm_first ? sum(x, f(norm(x))) : norm(sum(x, f(x)));
  }
  Tensor self_attention(const Tensor& x, const AttentionMask& mask) const;  ///< the first part
  Tensor feed_forward(const Tensor& x, const LayerNorm& norm) const;        ///< the last part

 private:
  Tensor sum(const Tensor& x, const Tensor& y) const;

  const char* name_;
  TransformerLayerOptions options_;
};

}  // namespace detail

/// One layer of an encoder (Vaswani et al., "Attention is all you need", 2017, section 3.1), and with a causal mask one
/// of a language model: self-attention, then two linear layers. Named and laid out as PyTorch's, batch first.
class TransformerEncoderLayer : public detail::TransformerLayer {
 public:
  /// Throws ValueError unless the heads divide the width, or for a size below 1.
  TransformerEncoderLayer(std::int64_t width, std::int64_t heads, const TransformerLayerOptions& options = {});

  /// (…, t, width) -> the same. Throws ShapeError for another width.
  Tensor operator()(const Tensor& x, const AttentionMask& mask = {}) const;
  void visit(Visitor& v) override;
};

/// The masks of a decoder's two attentions.
struct DecoderMasks {
  AttentionMask self = {};    ///< of x to itself
  AttentionMask memory = {};  ///< of x to the memory
};

/// One layer of a decoder, likewise: between the two parts of the encoder's, attention to a memory. It is causal only
/// if the mask says so: `layer(x, memory, {.self = {.causal = true}})`.
class TransformerDecoderLayer : public detail::TransformerLayer {
 public:
  /// Throws ValueError unless the heads divide the width, or for a size below 1.
  TransformerDecoderLayer(std::int64_t width, std::int64_t heads, const TransformerLayerOptions& options = {});

  /// x (…, t, width), memory (…, s, width) -> (…, t, width). Throws ShapeError for another width.
  Tensor operator()(const Tensor& x, const Tensor& memory, const DecoderMasks& masks = {}) const;
  void visit(Visitor& v) override;

  MultiHeadAttention multihead_attn;  ///< to the memory
  LayerNorm norm3;                    ///< of the linear layers
};

}  // namespace gradtape::inline v0::nn
