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

/// One number a channel as (channels, 1, …), which broadcasts to x (n, channels, …).
gt::Tensor per_channel(const gt::Tensor& numbers, const gt::Tensor& x) {
  gt::Shape shape{numbers.numel()};
  for (int axis = 2; axis < x.rank(); ++axis) shape.push_back(1);
  return gt::reshape(numbers, shape);
}

Outputs layer(const Node& n) {
  const gt::Tensor x = n[0];
  const int axis = gt::normalize_axis("LayerNormalization", n.axis(-1), x.rank());
  const double epsilon = n.number("epsilon", 1e-5);
  const auto [y, mean, variance] = normalise(x, from(axis, x.rank()), epsilon);
  return std::vector{n.has(2) ? y * n[1] + n[2] : y * n[1], mean, 1 / gt::sqrt(variance + epsilon)};
}

Outputs instance(const Node& n) {
  const gt::Tensor x = n[0];
  const gt::Tensor y = normalise(x, from(2, x.rank()), n.number("epsilon", 1e-5)).x;
  return y * per_channel(n[1], x) + per_channel(n[2], x);
}

/// In training mode by the statistics of x itself, which also move the running ones.
Outputs batch(const Node& n) {
  const gt::Tensor x = n[0], scale = per_channel(n[1], x), shift = per_channel(n[2], x);
  const double epsilon = n.number("epsilon", 1e-5), momentum = n.number("momentum", 0.9);
  if (!n.flag("training_mode", false))
    return (x - per_channel(n[3], x)) / gt::sqrt(per_channel(n[4], x) + epsilon) * scale + shift;
  gt::Axes axes = from(2, x.rank());
  axes.push_back(0);
  const auto [y, mean, variance] = normalise(x, axes, epsilon);
  const auto moved = [&](const gt::Tensor& running, const gt::Tensor& now) {
    return momentum * running + (1 - momentum) * gt::reshape(now, running.shape());
  };
  return std::vector{y * scale + shift, moved(n[3], mean), moved(n[4], variance)};
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
