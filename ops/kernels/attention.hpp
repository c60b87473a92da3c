#pragma once

#include <gradtape/core/array.hpp>

#include <cstdint>

namespace gradtape::inline v0::detail {

/// What attention reads: batches of matrices, their leading axes stretched to those of the output, any strides.
struct AttentionInputs {
  Array q, k, v;  ///< (…,t,c), (…,s,c), (…,s,d), of one floating dtype
  Array mask;     ///< (…,t,s): boolean, true where a query looks at a key, or floating, added to the scores; or none
  bool causal;    ///< query i looks at keys up to i
  double scale;   ///< of the products of queries and keys
  double dropout_p = 0;    ///< chance of a weight to become 0
  std::uint64_t seed = 0;  ///< of the random numbers that decide it, drawn anew for the gradients
};

/// out (…,t,d) = softmax(scale * q·kᵀ + mask)·v; 0 in the rows of queries that look at no key. `rows` (…,t,2) is filled
/// with the largest score of each query and 1 / Σ exp(score - largest): log-sum-exp in two parts, so that large scores
/// lose no digits. Both are packed.
void attention(const Array& out, const Array& rows, const AttentionInputs& in);

/// Adds the gradients to packed ones, each none where it is not needed, else stretched as its input is. The weights are
/// computed again from `rows` (Dao et al., "FlashAttention", 2022, algorithm 4).
void attention_vjp(const Array& dq, const Array& dk, const Array& dv, const Array& g, const Array& rows,
                   const AttentionInputs& in);

/// Fills `out` (…,t,s), boolean and packed, with which weights dropout keeps.
void attention_kept(const Array& out, const AttentionInputs& in);

}  // namespace gradtape::inline v0::detail
