#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

/// Mean squared error over all elements, mean((output - target)²), a scalar; f32, f64. The shapes must be equal. Throws
/// ShapeError if they are not, ValueError over no elements.
Tensor mse_loss(const Tensor& output, const Tensor& target);

/// Cross-entropy of logits (n, classes) against integer labels, i64 (n): the mean over the rows of
/// -log(softmax(logits)[label]), a scalar. Throws ShapeError, DtypeError, or ValueError for a label that is no class.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

}  // namespace gradtape
