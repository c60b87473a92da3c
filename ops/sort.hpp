#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

// NaN counts as the largest of all, and of equals the first comes first, so that there is one order only. Every dtype;
// values of f32 and f64 pass their gradient to the elements they came from.

/// Options of `sort` and `argsort`.
struct SortOptions {
  int axis = -1;            ///< negative counts from the end
  bool descending = false;  ///< the largest first
};

/// What `sort` returns, both in the shape of x.
struct SortResult {
  Tensor values;   ///< in order
  Tensor indices;  ///< where along the axis each of them stood, i64
};

/// The elements along an axis in ascending order.
SortResult sort(const Tensor& x, const SortOptions& options = {});

/// Where along the axis the elements of `sort` stood, i64. No gradient.
Tensor argsort(const Tensor& x, const SortOptions& options = {});

/// Options of `topk`.
struct TopkOptions {
  int axis = -1;        ///< negative counts from the end
  bool largest = true;  ///< or else the smallest
  bool sorted = true;   ///< the best first; or else in any order
};

/// What `topk` returns, both with k elements along the axis.
struct TopkResult {
  Tensor values;   ///< the elements
  Tensor indices;  ///< where along the axis each of them stood, i64
};

/// The k largest or smallest elements along an axis. Throws ValueError unless 0 <= k <= the size of the axis.
TopkResult topk(const Tensor& x, std::int64_t k, const TopkOptions& options = {});

/// Options of `median`.
struct MedianOptions {
  std::optional<int> axis = {};  ///< negative counts from the end; of all elements unless told
  bool keepdims = false;         ///< keep reduced axes with size 1
};

/// The middle element along an axis, of an even number the lower of the two middles; NaN if there is one. The gradient
/// goes to that element, of equals the one a sort puts there. Throws ValueError over no elements.
Tensor median(const Tensor& x, const MedianOptions& options = {});

}  // namespace gradtape::inline v0
