#pragma once

#include <gradtape/nn/linear.hpp>
#include <gradtape/nn/module.hpp>
#include <gradtape/ops/position.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace gradtape::inline v0::nn {

/// Options of MultiHeadAttention.
struct MultiHeadAttentionOptions {
  double dropout = 0;                        ///< chance of a weight to become 0, while training
  bool bias = true;                          ///< add biases to the projections
  std::optional<RotaryOptions> rotary = {};  ///< turn queries and keys of each head by their positions
};

/// Which keys a query looks at: all of them unless told.
struct AttentionMask {
  /// Broadcasts to (…, heads, t, s), as that of scaled_dot_product_attention: boolean, true where a query looks at a
  /// key (PyTorch's module takes the contrary), or floating, added to the scores.
  Tensor mask = {};
  Tensor key_mask = {};  ///< boolean (…, s), false for padding: a key that no query looks at
  bool causal = false;   ///< query i looks at keys up to i
};

/// Attention by several heads, each with a part of the width (Vaswani et al., 2017, section 3.2.2): the last axis is
/// the width, the one before it the position. Parameters are named and laid out as PyTorch's.
class MultiHeadAttention : public Module {
 public:
  /// Projections start as PyTorch's do: Xavier's uniform ones into the heads, that out of them as Linear's, biases 0.
  /// Throws ValueError unless the heads divide the width and there is one, for a dropout outside [0, 1], or for rotary
  /// positions in heads of an odd width.
  MultiHeadAttention(std::int64_t width, std::int64_t heads, const MultiHeadAttentionOptions& options = {});

  /// query (…, t, width), key and value (…, s, width) -> (…, t, width); `attend(x, x, x)` is self-attention. Throws
  /// ShapeError that names the shape which does not fit, DtypeError for a mask of another dtype.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionMask& mask = {}) const;
  void visit(Visitor& v) override;
  std::string description() const override;

  Parameter in_proj_weight;  ///< [3·width, width]: of queries, keys and values
  Parameter in_proj_bias;    ///< [3·width], likewise; empty without bias
  Linear out_proj;           ///< of the heads' outputs, next to each other

 private:
  Tensor heads_of(const Tensor& x, std::int64_t part) const;

  std::int64_t width_, heads_;
  MultiHeadAttentionOptions options_;
};

}  // namespace gradtape::inline v0::nn
