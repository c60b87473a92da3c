#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/kernels/loss.hpp>
#include <gradtape/ops/loss.hpp>
#include <gradtape/ops/map.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// d(mse)/d(output), for an upstream gradient of one element: 2·scale · g · (output - target), in one pass.
struct MseVjp {
  static constexpr std::string_view name = "mse_vjp";
  double scale;
  auto value(auto g, auto output, auto target) const { return scale * g * (output - target); }
  auto vjp(auto h, auto g, auto output, auto target) const {
    return grads(scale * h * (output - target), scale * g * h, -scale * g * h);
  }
};

/// scale · Σ (output - target)².
struct Mse {
  static constexpr std::string_view name = "mse_loss";
  double scale;

  Shape infer(const Shape&, const Shape&) const { return {}; }
  void value(const Array& out, const Array& output, const Array& target) const {
    detail::sum_square_difference(out, packed(output), packed(target), scale);
  }
  auto vjp(Wrt<0>, Grad g, In<0> output, In<1> target) const {
    return elementwise(MseVjp{2 * scale}, g, output, target);
  }
  auto vjp(Wrt<1>, Grad g, In<0> output, In<1> target) const {
    return elementwise(MseVjp{2 * scale}, g, target, output);
  }
};

// The losses of elements: formulas for map, which finds their gradients.

struct SquaredError {
  static constexpr std::string_view name = "mse_loss";
  auto operator()(auto output, auto target) const { return square(output - target); }
};

struct AbsoluteError {
  static constexpr std::string_view name = "l1_loss";
  auto operator()(auto output, auto target) const { return abs(output - target); }
};

struct Huber {
  static constexpr std::string_view name = "huber_loss";
  double delta;
  auto operator()(auto output, auto target) const {
    const auto e = output - target;
    return where(abs(e) <= delta, 0.5 * square(e), delta * (abs(e) - 0.5 * delta));
  }
};

struct Bce {
  static constexpr std::string_view name = "bce_loss";
  auto operator()(auto p, auto t) const { return -(t * maximum(log(p), -100) + (1 - t) * maximum(log(1 - p), -100)); }
};

struct BceWithLogits {
  static constexpr std::string_view name = "bce_with_logits_loss";
  auto operator()(auto x, auto t) const { return (1 - t) * x + softplus(-x); }
  auto operator()(auto x, auto t, auto positive) const { return (1 - t) * x + (1 + (positive - 1) * t) * softplus(-x); }
};

struct KlDiv {
  static constexpr std::string_view name = "kl_div";
  auto operator()(auto x, auto t) const { return where(t > 0, t * (log(t) - x), 0 * t); }
};

struct KlDivOfLogs {
  static constexpr std::string_view name = "kl_div";
  auto operator()(auto x, auto t) const { return exp(t) * (t - x); }
};

struct GaussianNll {
  static constexpr std::string_view name = "gaussian_nll_loss";
  double eps, constant;
  auto operator()(auto output, auto target, auto variance) const {
    const auto v = where(variance > eps, variance, eps);
    return 0.5 * (log(v) + square(output - target) / v) + constant;
  }
};

void check_alike(std::string_view op, const Tensor& output, const Tensor& target, LossReduction reduction) {
  if (output.shape() != target.shape())
    throw ShapeError(fmt::format("{}: output {} and target {} differ in shape; reshape one of them", op,
                                 to_string(output.shape()), to_string(target.shape())));
  detail::check_floating(op, {&output.array(), &target.array()});
  if (reduction == LossReduction::mean && output.numel() == 0)
    throw ValueError(fmt::format("{}: shape {} has no elements, and the mean of nothing is undefined", op,
                                 to_string(output.shape())));
}

}  // namespace

Tensor detail::reduced(const Tensor& each, LossReduction reduction) {
  switch (reduction) {
    case LossReduction::mean:
      return mean(each);
    case LossReduction::sum:
      return sum(each);
    default:
      return each;
  }
}

Tensor mse_loss(const Tensor& output, const Tensor& target, const LossOptions& options) {
  check_alike("mse_loss", output, target, options.reduction);
  if (options.reduction == LossReduction::none) return map(SquaredError{}, output, target);
  return record(Mse{options.reduction == LossReduction::sum ? 1.0 : 1.0 / static_cast<double>(output.numel())}, output,
                target);
}

Tensor l1_loss(const Tensor& output, const Tensor& target, const LossOptions& options) {
  check_alike("l1_loss", output, target, options.reduction);
  return detail::reduced(map(AbsoluteError{}, output, target), options.reduction);
}

Tensor huber_loss(const Tensor& output, const Tensor& target, const HuberOptions& options) {
  check_alike("huber_loss", output, target, options.reduction);
  if (!(options.delta > 0)) throw ValueError(fmt::format("huber_loss: delta is {}; it must be above 0", options.delta));
  return detail::reduced(map(Huber{options.delta}, output, target), options.reduction);
}

Tensor bce_loss(const Tensor& output, const Tensor& target, const LossOptions& options) {
  check_alike("bce_loss", output, target, options.reduction);
  return detail::reduced(map(Bce{}, output, target), options.reduction);
}

Tensor bce_with_logits_loss(const Tensor& output, const Tensor& target, const BceWithLogitsOptions& options) {
  check_alike("bce_with_logits_loss", output, target, options.reduction);
  const Tensor& positive = options.pos_weight;
  if (!positive.defined()) return detail::reduced(map(BceWithLogits{}, output, target), options.reduction);
  if (broadcast("bce_with_logits_loss", output.shape(), positive.shape()) != output.shape())
    throw ShapeError(fmt::format("bce_with_logits_loss: pos_weight {} does not broadcast to output {}",
                                 to_string(positive.shape()), to_string(output.shape())));
  return detail::reduced(map(BceWithLogits{}, output, target, positive), options.reduction);
}

Tensor kl_div(const Tensor& output, const Tensor& target, const KlDivOptions& options) {
  check_alike("kl_div", output, target, options.reduction);
  return detail::reduced(options.log_target ? map(KlDivOfLogs{}, output, target) : map(KlDiv{}, output, target),
                         options.reduction);
}

Tensor gaussian_nll_loss(const Tensor& output, const Tensor& target, const Tensor& variance,
                         const GaussianNllOptions& options) {
  check_alike("gaussian_nll_loss", output, target, options.reduction);
  if (!(options.eps > 0))
    throw ValueError(fmt::format("gaussian_nll_loss: eps is {}; it must be above 0", options.eps));
  if (broadcast("gaussian_nll_loss", output.shape(), variance.shape()) != output.shape())
    throw ShapeError(fmt::format("gaussian_nll_loss: variance {} does not broadcast to output {}",
                                 to_string(variance.shape()), to_string(output.shape())));
  detail::check_floating("gaussian_nll_loss", {&variance.array()});
  if (sum((variance.detach() < 0).to(i64)).item<std::int64_t>() > 0)
    throw ValueError(
        "gaussian_nll_loss: a variance is negative; give variances, such as exp of what a network puts out");
  return detail::reduced(map(GaussianNll{options.eps, options.full ? 0.5 * std::log(2 * std::numbers::pi) : 0.0},
                             output, target, variance),
                         options.reduction);
}

}  // namespace gradtape::inline v0
