#include "node.hpp"

namespace suite {
namespace {

/// (x - mean) / sqrt(variance + epsilon) over the axes, and its parts.
struct Normalised {
  gt::Tensor x, mean, variance;
};

Normalised normalise(const gt::Tensor& x, const gt::Axes& axes, double epsilon) {
  const gt::Tensor mean = gt::mean(x, {.axes = axes, .keepdims = true});
  const gt::Tensor variance = gt::mean(gt::square(x - mean), {.axes = axes, .keepdims = true});
  return {(x - mean) / gt::sqrt(variance + epsilon), mean, variance};
}

gt::Axes from(int axis, int rank) {
  gt::Axes axes;
  for (; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

Outputs layer(const Node& n) {
  const gt::Tensor x = n[0];
  const int axis = gt::normalize_axis("LayerNormalization", n.axis(-1), x.rank());
  const gt::Shape shape(std::vector(x.shape().begin() + axis, x.shape().end()));
  const double epsilon = n.number("epsilon", 1e-5);
  const auto parameter = [&](std::size_t input) { return n.has(input) ? gt::reshape(n[input], shape) : gt::Tensor(); };
  const gt::Tensor y = gt::layer_norm(x, shape, {.weight = parameter(1), .bias = parameter(2), .eps = epsilon});
  const auto [_, mean, variance] = normalise(x, from(axis, x.rank()), epsilon);
  return std::vector{y, mean, gt::rsqrt(variance + epsilon)};
}

/// Each channel is a group.
Outputs instance(const Node& n) {
  const gt::Tensor x = n[0];
  return gt::group_norm(x, x.shape()[1], {.weight = n[1], .bias = n[2], .eps = n.number("epsilon", 1e-5)});
}

/// In training mode by the statistics of x itself, which also move the running ones; its variance is the biased one.
Outputs batch(const Node& n) {
  const gt::Tensor x = n[0];
  gt::BatchNormOptions options{.weight = n[1], .bias = n[2], .eps = n.number("epsilon", 1e-5)};
  const double momentum = n.number("momentum", 0.9);
  const bool training = n.flag("training_mode", false);
  if (!training) options.mean = n[3], options.var = n[4];
  const auto [y, mean, variance] = gt::batch_norm(x, options);
  if (!training) return y;
  const auto values = static_cast<double>(x.numel() / x.shape()[1]);
  const auto moved = [&](const gt::Tensor& running, const gt::Tensor& now) {
    return momentum * running + (1 - momentum) * now;
  };
  return std::vector{y, moved(n[3], mean), moved(n[4], variance * ((values - 1) / values))};
}

Outputs mean_variance(const Node& n) {
  const std::vector<std::int64_t> axes = n.list("axes");
  return normalise(n[0], axes.empty() ? gt::Axes{0, 2, 3} : list_of<gt::Axes>(axes), 1e-9).x;
}

}  // namespace

Table normalisation() {
  return {
      {"BatchNormalization", batch},
      {"InstanceNormalization", instance},
      {"LayerNormalization", layer},
      {"MeanVarianceNormalization", mean_variance},
  };
}

}  // namespace suite
