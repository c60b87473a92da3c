#pragma once

#include <gradtape/nn/module.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace gradtape::inline v0::nn {

/// Options of BatchNorm1d and BatchNorm2d.
struct BatchNormOptions {
  double eps = 1e-5;                     ///< added to the variance
  std::optional<double> momentum = 0.1;  ///< weight of a batch in the running statistics; nullopt: all batches alike
  bool affine = true;                    ///< a factor and a summand for each channel
  bool track_running_stats = true;       ///< else always by the statistics of the batch
};

/// What BatchNorm1d and BatchNorm2d share: `batch_norm`, in training mode by the statistics of the batch, which move
/// the running ones; in evaluation mode by the running ones. A call is const all the same, as it is to all layers, and
/// running statistics are state beside it: threads that share a model call it in evaluation mode, and a checkpoint that
/// runs a layer again counts its batch twice.
class BatchNorm : public Module {
 public:
  Tensor operator()(const Tensor& x) const;  ///< of the shape of x; throws ShapeError for another number of axes
  void visit(Visitor& v) override;
  std::string description() const override;

  Parameter weight;                    ///< [channels], 1 at first; empty unless affine
  Parameter bias;                      ///< [channels], 0 at first; empty unless affine
  mutable Buffer running_mean;         ///< [channels], 0 at first; empty unless statistics are tracked
  mutable Buffer running_var;          ///< [channels], 1 at first, unbiased; likewise
  mutable Buffer num_batches_tracked;  ///< batches so far, i64; likewise

 protected:
  /// `name` for messages; x has one of these numbers of axes. Throws ValueError for fewer than one channel or a
  /// momentum outside [0, 1].
  BatchNorm(const char* name, int least_rank, int most_rank, std::int64_t channels, const BatchNormOptions& options);

 private:
  void track(const Tensor& mean, const Tensor& var) const;

  const char* name_;
  int least_rank_, most_rank_;
  std::int64_t channels_;
  BatchNormOptions options_;
};

/// Batch normalization of (n, channels) or (n, channels, length).
struct BatchNorm1d : BatchNorm {
  /// Throws ValueError for fewer than one channel or an option outside its domain.
  explicit BatchNorm1d(std::int64_t channels, const BatchNormOptions& options = {});
};

/// Batch normalization of images (n, channels, height, width).
struct BatchNorm2d : BatchNorm {
  /// Throws ValueError for fewer than one channel or an option outside its domain.
  explicit BatchNorm2d(std::int64_t channels, const BatchNormOptions& options = {});
};

/// Options of LayerNorm.
struct LayerNormOptions {
  double eps = 1e-5;               ///< added to the variance
  bool elementwise_affine = true;  ///< a factor and a summand for each element of the normalized shape
  bool bias = true;                ///< with the summand
};

/// `layer_norm` over the last axes: (…, normalized_shape) -> the same.
class LayerNorm : public Module {
 public:
  /// Throws ShapeError for a shape without axes, ValueError for eps < 0.
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< normalised; throws ShapeError unless x ends in the normalized shape
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< of the normalized shape, 1 at first; empty unless elementwise_affine
  Parameter bias;    ///< likewise, 0 at first; empty without bias

 private:
  Shape shape_;
  double eps_;
};

/// Options of RMSNorm.
struct RMSNormOptions {
  std::optional<double> eps = {};  ///< added to the mean square; the distance from 1 to the next number unless given
  bool elementwise_affine = true;  ///< a factor for each element of the normalized shape
};

/// `rms_norm` over the last axes: (…, normalized_shape) -> the same.
class RMSNorm : public Module {
 public:
  /// Throws ShapeError for a shape without axes, ValueError for eps < 0.
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< normalised; throws ShapeError unless x ends in the normalized shape
  void visit(Visitor& v) override { v("weight", weight); }
  std::string description() const override;

  Parameter weight;  ///< of the normalized shape, 1 at first; empty unless elementwise_affine

 private:
  Shape shape_;
  std::optional<double> eps_;
};

/// Options of GroupNorm.
struct GroupNormOptions {
  double eps = 1e-5;   ///< added to the variance
  bool affine = true;  ///< a factor and a summand for each channel
};

/// `group_norm`: (n, channels, …) -> the same.
class GroupNorm : public Module {
 public:
  /// Throws ValueError unless the groups divide the channels and there is one, or for eps < 0.
  GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< normalised; throws ShapeError for another number of channels
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [channels], 1 at first; empty unless affine
  Parameter bias;    ///< [channels], 0 at first; empty unless affine

 private:
  std::int64_t groups_, channels_;
  double eps_;
};

}  // namespace gradtape::inline v0::nn
