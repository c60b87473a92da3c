#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

// All of f32 or f64, parameters of the dtype of x. Variances are biased (divided by n) and taken in two passes.

/// Options of `layer_norm`.
struct LayerNormOptions {
  Tensor weight = {};  ///< factor, of the normalized shape; 1 unless given
  Tensor bias = {};    ///< summand likewise; 0 unless given
  double eps = 1e-5;   ///< added to the variance
};

/// (x - mean) / √(var + eps) · weight + bias over the last axes, whose sizes are `normalized_shape` (Ba, Kiros and
/// Hinton, "Layer normalization", 2016, eq. 4): x (…, normalized_shape) -> the same. Throws ShapeError unless x ends in
/// it and weight and bias have it, ValueError if eps < 0.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const LayerNormOptions& options = {});

/// Options of `rms_norm`.
struct RmsNormOptions {
  Tensor weight = {};              ///< factor, of the normalized shape; 1 unless given
  std::optional<double> eps = {};  ///< added to the mean square; the distance from 1 to the next number unless given
};

/// x / √(mean(x²) + eps) · weight over the last axes, whose sizes are `normalized_shape` (Zhang and Sennrich, "Root
/// mean square layer normalization", 2019, eq. 4). Shapes and errors as of `layer_norm`.
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const RmsNormOptions& options = {});

/// Options of `group_norm`.
struct GroupNormOptions {
  Tensor weight = {};  ///< factor of each channel, [channels]; 1 unless given
  Tensor bias = {};    ///< summand likewise; 0 unless given
  double eps = 1e-5;   ///< added to the variance
};

/// x (n, channels, …) normalised over groups of neighbouring channels and all axes behind, each sample for itself (Wu
/// and He, "Group normalization", 2018). Throws ShapeError below rank 2, unless the groups divide the channels, or for
/// parameters of another shape; ValueError for fewer than one group or eps < 0.
Tensor group_norm(const Tensor& x, std::int64_t groups, const GroupNormOptions& options = {});

/// Options of `batch_norm`.
struct BatchNormOptions {
  Tensor mean = {};    ///< of each channel, [channels]; that of x unless given
  Tensor var = {};     ///< likewise; both or none
  Tensor weight = {};  ///< factor of each channel; 1 unless given
  Tensor bias = {};    ///< summand likewise; 0 unless given
  double eps = 1e-5;   ///< added to the variance
};

/// What `batch_norm` returns.
struct BatchNormResult {
  Tensor output;  ///< of the shape of x
  Tensor mean;    ///< of each channel, [channels]: those given, or those of x
  Tensor var;     ///< likewise; that of x unbiased (divided by n - 1), as running statistics have it
};

/// (x - mean) / √(var + eps) · weight + bias for each channel of x (n, channels, …) (Ioffe and Szegedy, "Batch
/// normalization", 2015, algorithm 1): with the statistics of x over all axes but 1, through which the gradient goes
/// too, or with given ones. Throws ShapeError below rank 2 or for parameters of another shape; ValueError for fewer
/// than two values per channel without given statistics, for one of them alone, or if eps < 0.
BatchNormResult batch_norm(const Tensor& x, const BatchNormOptions& options = {});

}  // namespace gradtape::inline v0
