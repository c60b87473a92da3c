#include <gradtape/core/error.hpp>
#include <gradtape/nn/normalization.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/normalization.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

void require_eps(const char* name, double eps) {
  if (!(eps >= 0)) throw ValueError(fmt::format("{}: eps is {}; expected at least 0", name, eps));
}

void require_axes(const char* name, const Shape& normalized) {
  if (normalized.rank() == 0)
    throw ShapeError(fmt::format("{}: the normalized shape has no axes; name at least one", name));
}

/// Throws ShapeError unless the second axis of x has this size.
void require_channels(const char* name, const Tensor& x, std::int64_t channels) {
  if (x.rank() < 2 || x.shape()[1] != channels)
    throw ShapeError(fmt::format("{}: x {} does not fit; expected (n, {}, …)", name, to_string(x.shape()), channels));
}

}  // namespace

BatchNorm::BatchNorm(const char* name, int least_rank, int most_rank, std::int64_t channels,
                     const BatchNormOptions& options)
    : name_(name), least_rank_(least_rank), most_rank_(most_rank), channels_(channels), options_(options) {
  if (channels < 1) throw ValueError(fmt::format("{}: {} channels; expected at least 1", name, channels));
  require_eps(name, options.eps);
  if (const auto momentum = options.momentum; momentum && !(*momentum >= 0 && *momentum <= 1))
    throw ValueError(fmt::format("{}: momentum is {}; expected 0 to 1", name, *momentum));
  if (options.affine) weight = ones({channels}), bias = zeros({channels});
  if (!options.track_running_stats) return;
  running_mean = zeros({channels});
  running_var = ones({channels});
  num_batches_tracked = zeros({}, {.dtype = i64});
}

Tensor BatchNorm::operator()(const Tensor& x) const {
  require_channels(name_, x, channels_);
  if (x.rank() < least_rank_ || x.rank() > most_rank_)
    throw ShapeError(fmt::format("{}: x {} has {} axes; expected {}{}", name_, to_string(x.shape()), x.rank(),
                                 least_rank_, least_rank_ == most_rank_ ? "" : fmt::format(" or {}", most_rank_)));
  gradtape::BatchNormOptions options{.weight = weight, .bias = bias, .eps = options_.eps};
  const bool tracked = running_mean.defined();
  if (tracked) gradtape::detail::check_same(name_, x.dtype(), running_mean.dtype());
  if (tracked && !training()) options.mean = running_mean, options.var = running_var;
  const BatchNormResult result = batch_norm(x, options);
  if (tracked && training()) track(result.mean.detach(), result.var.detach());
  return result.output;
}

/// Moves the running statistics towards those of a batch.
void BatchNorm::track(const Tensor& mean, const Tensor& var) const {
  const double part = options_.momentum.value_or(1 / (num_batches_tracked.item() + 1));
  running_mean = (1 - part) * running_mean + part * mean;
  running_var = (1 - part) * running_var + part * var;
  num_batches_tracked = num_batches_tracked + 1;
}

void BatchNorm::visit(Visitor& v) {
  v("weight", weight), v("bias", bias);
  v("running_mean", running_mean), v("running_var", running_var), v("num_batches_tracked", num_batches_tracked);
}

std::string BatchNorm::description() const {
  return fmt::format("{}({}{}{})", name_, channels_, weight.defined() ? "" : ", not affine",
                     running_mean.defined() ? "" : ", no running statistics");
}

BatchNorm1d::BatchNorm1d(std::int64_t channels, const BatchNormOptions& options)
    : BatchNorm("BatchNorm1d", 2, 3, channels, options) {}

BatchNorm2d::BatchNorm2d(std::int64_t channels, const BatchNormOptions& options)
    : BatchNorm("BatchNorm2d", 4, 4, channels, options) {}

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : shape_(normalized_shape), eps_(options.eps) {
  require_axes("LayerNorm", shape_);
  require_eps("LayerNorm", eps_);
  if (!options.elementwise_affine) return;
  weight = ones(shape_);
  if (options.bias) bias = zeros(shape_);
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return layer_norm(x, shape_, {.weight = weight, .bias = bias, .eps = eps_});
}

std::string LayerNorm::description() const {
  return fmt::format("LayerNorm({}{})", to_string(shape_),
                     !weight.defined() ? ", not affine"
                     : bias.defined()  ? ""
                                       : ", no bias");
}

RMSNorm::RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options)
    : shape_(normalized_shape), eps_(options.eps) {
  require_axes("RMSNorm", shape_);
  if (eps_) require_eps("RMSNorm", *eps_);
  if (options.elementwise_affine) weight = ones(shape_);
}

Tensor RMSNorm::operator()(const Tensor& x) const { return rms_norm(x, shape_, {.weight = weight, .eps = eps_}); }

std::string RMSNorm::description() const {
  return fmt::format("RMSNorm({}{})", to_string(shape_), weight.defined() ? "" : ", not affine");
}

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options)
    : groups_(groups), channels_(channels), eps_(options.eps) {
  if (groups < 1 || channels < 1 || channels % groups != 0)
    throw ValueError(
        fmt::format("GroupNorm: {} groups of {} channels; expected groups that divide the channels", groups, channels));
  require_eps("GroupNorm", eps_);
  if (options.affine) weight = ones({channels}), bias = zeros({channels});
}

Tensor GroupNorm::operator()(const Tensor& x) const {
  require_channels("GroupNorm", x, channels_);
  return group_norm(x, groups_, {.weight = weight, .bias = bias, .eps = eps_});
}

std::string GroupNorm::description() const {
  return fmt::format("GroupNorm({}, {}{})", groups_, channels_, weight.defined() ? "" : ", not affine");
}

}  // namespace gradtape::inline v0::nn
