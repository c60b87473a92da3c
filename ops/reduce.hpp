#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

/// Options of reductions.
struct ReduceOptions {
  Axes axes = {};         ///< which axes to reduce; empty means all
  bool keepdims = false;  ///< keep reduced axes with size 1
};

/// Sum over axes; f32, f64 or i64. The sum of nothing is 0.
Tensor sum(const Tensor& x, const ReduceOptions& options = {});

/// Mean over axes; f32 or f64. Throws ValueError over no elements.
Tensor mean(const Tensor& x, const ReduceOptions& options = {});

/// Largest element over axes; f32, f64 or i64; NaN if there is one. Elements that tie share the gradient evenly. Throws
/// ValueError over no elements.
Tensor max(const Tensor& x, const ReduceOptions& options = {});

/// Options of `argmax`.
struct ArgmaxOptions {
  int axis = -1;          ///< negative counts from the end
  bool keepdims = false;  ///< keep the axis with size 1
};

/// Index of the first largest element along an axis, i64. No gradient. Throws ValueError over no elements.
Tensor argmax(const Tensor& x, const ArgmaxOptions& options = {});

namespace detail {
/// `gradient` summed over the axes along which `shape` was stretched.
Tensor sum_to(const Tensor& gradient, const Shape& shape);
}  // namespace detail

}  // namespace gradtape
