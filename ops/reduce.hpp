#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

/// Options of reductions.
struct ReduceOptions {
  Axes axes = {};         ///< which axes to reduce; empty means all
  bool keepdims = false;  ///< keep reduced axes with size 1
};

/// Sum over axes; f32, f64 or i64, which wraps around. The sum of nothing is 0.
Tensor sum(const Tensor& x, const ReduceOptions& options = {});

/// Product over axes; f32, f64 or i64, which wraps around. The product of nothing is 1. The gradient is the product of
/// the other elements, also where some are 0.
Tensor prod(const Tensor& x, const ReduceOptions& options = {});

/// Mean over axes; f32 or f64. Throws ValueError over no elements.
Tensor mean(const Tensor& x, const ReduceOptions& options = {});

/// Largest element over axes; f32, f64 or i64; NaN if there is one. Elements that tie share the gradient evenly. Throws
/// ValueError over no elements.
Tensor max(const Tensor& x, const ReduceOptions& options = {});

/// Smallest element over axes, likewise.
Tensor min(const Tensor& x, const ReduceOptions& options = {});

/// Options of `argmax` and `argmin`.
struct ArgmaxOptions {
  int axis = -1;          ///< negative counts from the end
  bool keepdims = false;  ///< keep the axis with size 1
};

/// Index of the first largest element along an axis, i64; of the first NaN if there is one. No gradient. Throws
/// ValueError over no elements.
Tensor argmax(const Tensor& x, const ArgmaxOptions& options = {});

/// Index of the first smallest element along an axis, likewise.
Tensor argmin(const Tensor& x, const ArgmaxOptions& options = {});

/// Whether any element over axes is not 0, boolean; every dtype; NaN is not 0. False over no elements.
Tensor any(const Tensor& x, const ReduceOptions& options = {});

/// Whether no element over axes is 0, boolean; every dtype. True over no elements.
Tensor all(const Tensor& x, const ReduceOptions& options = {});

/// How many elements over axes are not 0, i64; every dtype; NaN is not 0.
Tensor count_nonzero(const Tensor& x, const ReduceOptions& options = {});

namespace detail {
/// `gradient` summed over the axes along which `shape` was stretched.
Tensor sum_to(const Tensor& gradient, const Shape& shape);
}  // namespace detail

}  // namespace gradtape::inline v0
