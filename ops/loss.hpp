#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

// Losses of outputs against targets, f32 or f64. Unless a loss says otherwise, output and target are of one shape and
// dtype, and the loss is elementwise, then reduced. Throws ShapeError if the shapes differ, DtypeError for other
// dtypes, ValueError for the mean of nothing.

/// What becomes of the losses of single elements or rows.
enum class LossReduction : std::uint8_t {
  mean,  ///< their mean, a scalar
  sum,   ///< their sum, a scalar
  none   ///< nothing: they are the result
};

/// Options of losses that have no others.
struct LossOptions {
  LossReduction reduction = LossReduction::mean;  ///< of the elements
};

/// Squared error, (output - target)²; its mean is one fused op.
Tensor mse_loss(const Tensor& output, const Tensor& target, const LossOptions& options = {});

/// Absolute error, |output - target|; the gradient at 0 is 0.
Tensor l1_loss(const Tensor& output, const Tensor& target, const LossOptions& options = {});

/// Options of `huber_loss`.
struct HuberOptions {
  LossReduction reduction = LossReduction::mean;  ///< of the elements
  double delta = 1;                               ///< where the square goes over into a line, > 0
};

/// ½ e² where |e| <= delta, delta·(|e| - ½ delta) beyond, with e = output - target (Huber 1964). Throws ValueError
/// unless delta > 0.
Tensor huber_loss(const Tensor& output, const Tensor& target, const HuberOptions& options = {});

/// Binary cross-entropy of probabilities in [0, 1]: -(t·log p + (1 - t)·log(1 - p)), the logarithms cut off at -100;
/// NaN outside.
Tensor bce_loss(const Tensor& output, const Tensor& target, const LossOptions& options = {});

/// Options of `bce_with_logits_loss`.
struct BceWithLogitsOptions {
  LossReduction reduction = LossReduction::mean;  ///< of the elements
  Tensor pos_weight = {};                         ///< weight of the positive part, broadcast; 1 unless given
};

/// Binary cross-entropy of logits, (1 - t)·x + (1 + (pos_weight - 1)·t)·log(1 + e⁻ˣ): bce_loss of sigmoid(x) without
/// overflow.
Tensor bce_with_logits_loss(const Tensor& output, const Tensor& target, const BceWithLogitsOptions& options = {});

/// Options of `kl_div`.
struct KlDivOptions {
  LossReduction reduction =
      LossReduction::mean;  ///< over all elements; divide the sum by the batch for the divergence itself
  bool log_target = false;  ///< target holds logarithms too
};

/// Kullback-Leibler divergence from log-probabilities to target probabilities, elementwise: t·(log t - output), 0 where
/// t is 0.
Tensor kl_div(const Tensor& output, const Tensor& target, const KlDivOptions& options = {});

/// Options of `gaussian_nll_loss`.
struct GaussianNllOptions {
  bool full = false;                              ///< with the constant ½ log 2π
  double eps = 1e-6;                              ///< smallest variance, > 0; below, the variance has no gradient
  LossReduction reduction = LossReduction::mean;  ///< of the elements
};

/// Negative log-likelihood of a normal distribution, ½ (log v + (output - target)²/v), with v = max(variance, eps) (Nix
/// and Weigend 1994). The variance broadcasts to output. Throws ValueError unless eps > 0 and no variance is negative.
Tensor gaussian_nll_loss(const Tensor& output, const Tensor& target, const Tensor& variance,
                         const GaussianNllOptions& options = {});

namespace detail {
/// What `reduction` makes of the losses of elements.
Tensor reduced(const Tensor& each, LossReduction reduction);
}  // namespace detail

}  // namespace gradtape::inline v0
