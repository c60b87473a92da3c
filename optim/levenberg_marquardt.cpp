#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/jacobian.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/linalg.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/statistics.hpp>
#include <gradtape/optim/flat.hpp>
#include <gradtape/optim/levenberg_marquardt.hpp>
#include <gradtape/optim/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {
namespace {

constexpr double least_damping = 1e-20;  // below, QR would take columns that depend on each other for no full rank

using Vector = std::vector<double>;

Tensor vector(const Vector& x) { return tensor(std::span<const double>(x), {x.size()}); }

/// J (m,n) of residuals that are on the tape, in double.
Tensor jacobian_of(const Tensor& residuals, const std::vector<Tensor>& parameters) {
  const EnableGrad on;
  std::vector<Tensor> blocks = parameters;
  detail::jacobian("LevenbergMarquardt", reshape(residuals, {-1}), blocks, false);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i] = reshape(blocks[i].to(f64), {residuals.numel(), parameters[i].numel()});
  return concatenate(blocks, {.axis = 1});
}

}  // namespace

LevenbergMarquardt::LevenbergMarquardt(std::vector<Tensor> parameters, const LevenbergMarquardtOptions& options)
    : damping(options.damping), parameters_(std::move(parameters)), options_(options) {
  require_parameters("LevenbergMarquardt", parameters_);
  scale_.resize(flat_values(parameters_).size());
  if (!(options.damping > 0) || !std::isfinite(options.damping))
    throw ValueError(fmt::format("LevenbergMarquardt: damping is {}; it must be positive", options.damping));
  if (options.max_iter < 1)
    throw ValueError(fmt::format("LevenbergMarquardt: max_iter is {}; it must be at least 1", options.max_iter));
  if (!(options.tolerance_grad >= 0) || !(options.tolerance_change >= 0))
    throw ValueError(
        fmt::format("LevenbergMarquardt: tolerance_grad is {} and tolerance_change {}; neither may be negative",
                    options.tolerance_grad, options.tolerance_change));
}

double LevenbergMarquardt::step(FunctionRef<Tensor()> residuals) {
  const bool single = std::ranges::any_of(parameters_, [](const Tensor& w) { return w.dtype() == f32; });
  const double rounding = single ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const double tolerance = std::max(options_.tolerance_change, rounding);
  Vector x = flat_values(parameters_);
  Tensor on_tape;  // the residuals
  const auto evaluate = [&] {
    ++evaluations_;
    const EnableGrad on;
    on_tape = residuals();
    if (!on_tape.requires_grad())
      throw GradientError(
          "LevenbergMarquardt: the residuals depend on no parameter; compute them from the parameters in the closure");
    return reshape(on_tape.detach().to(f64), {-1});
  };
  const auto loss_of = [](const Tensor& r) { return sum(square(r)).item() / 2; };

  Tensor r = evaluate();
  double loss = loss_of(r);
  for (int i = 0;; ++i) {
    if (!std::isfinite(loss)) return end(Stop::not_finite, loss);
    if (loss == 0) return end(Stop::gradient, loss);
    Tensor jacobian = jacobian_of(on_tape, parameters_);
    const Tensor largest = maximum(vector(scale_), norm(jacobian, {.axes = 0}));
    const Tensor scale = where(largest > 0, largest, 1);  // a parameter that nothing depends on stays
    jacobian = jacobian / scale;
    const Tensor gradient = matmul(transpose(jacobian), r);
    const double steepest = max(abs(scale * gradient)).item();
    if (!std::isfinite(steepest)) return end(Stop::not_finite, loss);
    if (steepest <= options_.tolerance_grad) return end(Stop::gradient, loss);
    if (i == options_.max_iter) return end(Stop::iterations, loss);
    scale_ = largest.to_vector<double>();

    for (bool lower = false; !lower;) {
      const std::int64_t n = scale.numel();
      const Tensor damped = concatenate({jacobian, std::sqrt(damping) * eye(n, {.dtype = f64})});
      const Tensor y = lstsq(damped, concatenate({-r, zeros({n}, {.dtype = f64})}));
      const Tensor to = vector(x) + y / scale;
      if (norm(y / scale).item() <= tolerance * (norm(vector(x)).item() + tolerance)) return end(Stop::change, loss);

      assign_flat(parameters_, to.to_vector<double>());
      Tensor next;
      try {
        next = evaluate();
      } catch (...) {
        assign_flat(parameters_, x);
        throw;
      }
      const double next_loss = loss_of(next), promised = sum(y * (damping * y - gradient)).item() / 2;
      lower = next_loss < loss;
      if (lower) {
        const double gain = (loss - next_loss) / promised;
        damping = std::max(least_damping, damping * std::max(1. / 3, 1 - std::pow(2 * gain - 1, 3)));
        growth_ = 2;
        x = flat_values(parameters_), r = std::move(next), loss = next_loss;
        ++iterations_;
      } else {
        assign_flat(parameters_, x);
        damping *= growth_;
        growth_ *= 2;
      }
    }
  }
}

void LevenbergMarquardt::visit(StateVisitor& visitor) {
  visitor("damping", damping);
  visitor("growth", growth_);
  visitor("scale", scale_);
  visitor("iterations", iterations_);
  visitor("evaluations", evaluations_);
}

double LevenbergMarquardt::end(Stop reason, double loss) {
  stop_ = reason;
  return loss;
}

}  // namespace gradtape::inline v0::optim
