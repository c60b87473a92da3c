#pragma once

#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/loss.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

/// Options of `cross_entropy`.
struct CrossEntropyOptions {
  Tensor weight = {};                             ///< of each class, [classes]; 1 unless given
  std::int64_t ignore_index = -100;               ///< a label that takes no part
  LossReduction reduction = LossReduction::mean;  ///< of the rows; the mean of labels is weighted
  double label_smoothing = 0;  ///< what the target spreads evenly over all classes, 0 to 1 (Szegedy et al. 2016)
};

/// Cross-entropy of logits (n, classes, …) against labels, i64 (n, …), -log(softmax(logits)[label]), or against
/// probabilities of the logits' shape, -Σ p·log(softmax(logits)); one loss for each (n, …). Throws ShapeError,
/// DtypeError, or ValueError for a label that is no class.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

/// Options of `nll_loss`.
struct NllOptions {
  Tensor weight = {};                             ///< of each class, [classes]; 1 unless given
  std::int64_t ignore_index = -100;               ///< a label that takes no part
  LossReduction reduction = LossReduction::mean;  ///< of the rows; the mean is weighted
};

/// Negative log-likelihood: -log_probabilities[label], for log-probabilities (n, classes, …) and labels, i64 (n, …).
/// Throws as `cross_entropy` does.
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& labels, const NllOptions& options = {});

}  // namespace gradtape::inline v0
