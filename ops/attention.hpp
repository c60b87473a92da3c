#pragma once

#include <gradtape/core/tensor.hpp>

#include <optional>

namespace gradtape::inline v0 {

/// Options of `scaled_dot_product_attention`.
struct AttentionOptions {
  /// Broadcasts to (…, t, s). Boolean: true where a query looks at a key. Of the dtype of q: added to the scores, so
  /// that -inf hides a key.
  Tensor mask = {};
  double dropout_p = 0;              ///< chance of a weight to become 0, as `dropout` has it; for training only
  bool causal = false;               ///< query i looks at keys up to i; a mask hides further ones
  std::optional<double> scale = {};  ///< of the products q·kᵀ; 1 / √c unless told
};

/// softmax(q·kᵀ · scale + mask) · v: q (…, t, c), k (…, s, c), v (…, s, d) -> (…, t, d), the leading axes broadcast
/// (Vaswani et al., "Attention is all you need", 2017, eq. 1); f32, f64. A query that looks at no key gives 0 and
/// gradients of 0, where some versions of PyTorch give NaN. One kernel over blocks of queries, which computes the
/// weights again for the gradients and holds no (…, t, s) array (Dao et al., "FlashAttention", 2022); composed of other
/// ops for higher orders, forwards, and where the mask needs a gradient. Throws ShapeError that names the shape
/// which does not fit, DtypeError for another mask, ValueError for a dropout_p outside [0, 1].
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});

}  // namespace gradtape::inline v0
