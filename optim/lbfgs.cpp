#include <gradtape/core/error.hpp>
#include <gradtape/optim/flat.hpp>
#include <gradtape/optim/lbfgs.hpp>
#include <gradtape/optim/line_search.hpp>
#include <gradtape/optim/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {
namespace {

using Vector = std::vector<double>;

/// a·b, in eight sums side by side so that it runs on SIMD lanes.
double dot(const Vector& a, const Vector& b) {
  std::array<double, 8> sums{};
  const std::size_t whole = a.size() - a.size() % sums.size();
  for (std::size_t i = 0; i < whole; i += sums.size())
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += a[i + k] * b[i + k];
  for (std::size_t i = whole; i < a.size(); ++i) sums[i - whole] += a[i] * b[i];
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

/// a + t·b
Vector plus(Vector a, double t, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += t * b[i];
  return a;
}

double norm1(const Vector& a) {
  double sum = 0;
  for (const double x : a) sum += std::abs(x);
  return sum;
}

double norm_inf(const Vector& a) {
  double largest = 0;
  for (const double x : a) largest = std::max(largest, std::abs(x));
  return largest;
}

/// The closure as a function of one vector: all parameters, one behind the other.
class Objective {
 public:
  Objective(const std::vector<Tensor>& parameters, FunctionRef<Tensor()> closure, std::int64_t& evaluations)
      : parameters_(parameters), closure_(closure), evaluations_(evaluations) {}

  Vector values() const { return flat_values(parameters_); }
  void assign(const Vector& x) const { assign_flat(parameters_, x); }

  /// The loss where the parameters are, and its gradient.
  double evaluate(Vector& gradient) const {
    ++evaluations_;
    const EnableGrad on;
    for (const Tensor& w : parameters_) w.zero_grad();
    const Tensor loss = closure_();
    if (loss.numel() != 1)
      throw ShapeError(
          fmt::format("LBFGS: the closure returned a loss of shape {}; it must have exactly one element: "
                      "reduce it first (sum, mean)",
                      to_string(loss.shape())));
    if (std::ranges::none_of(parameters_, &Tensor::has_grad))
      throw GradientError(
          "LBFGS: no parameter has a gradient after the closure; let it call backward() on the loss it returns");
    gradient.clear();
    for (const Tensor& w : parameters_)
      if (w.has_grad())
        append(gradient, w.leaf().grad.array);
      else
        gradient.resize(gradient.size() + static_cast<std::size_t>(w.numel()));
    return loss.item();
  }

 private:
  const std::vector<Tensor>& parameters_;
  FunctionRef<Tensor()> closure_;
  std::int64_t& evaluations_;
};

}  // namespace

LBFGS::LBFGS(std::vector<Tensor> parameters, const LBFGSOptions& options)
    : lr(options.lr), parameters_(std::move(parameters)), options_(options) {
  require_parameters("LBFGS", parameters_);
  if (!(options.lr > 0)) throw ValueError(fmt::format("LBFGS: lr is {}; it must be positive", options.lr));
  if (options.max_iter < 1 || options.max_eval.value_or(1) < 1 || options.history_size < 1)
    throw ValueError(fmt::format("LBFGS: max_iter is {}, max_eval {} and history_size {}; each must be at least 1",
                                 options.max_iter, options.max_eval.value_or(1), options.history_size));
  if (!(options.tolerance_grad >= 0) || !(options.tolerance_change >= 0))
    throw ValueError(fmt::format("LBFGS: tolerance_grad is {} and tolerance_change {}; neither may be negative",
                                 options.tolerance_grad, options.tolerance_change));
}

double LBFGS::step(FunctionRef<Tensor()> closure) {
  const std::int64_t last =
      evaluations_ + (options_.max_eval ? *options_.max_eval : std::int64_t{options_.max_iter} * 5 / 4);
  const bool single = std::ranges::any_of(parameters_, [](const Tensor& w) { return w.dtype() == f32; });
  const double rounding = single ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const Objective objective(parameters_, closure, evaluations_);
  Vector x = objective.values(), g;
  double loss = objective.evaluate(g);
  if (!std::isfinite(loss) || !std::isfinite(norm1(g))) return end(Stop::not_finite, loss);

  bool changed = true;
  for (int i = 0;; ++i) {
    if (norm_inf(g) <= options_.tolerance_grad) return end(Stop::gradient, loss);
    if (!changed) return end(Stop::change, loss);
    if (i == options_.max_iter) return end(Stop::iterations, loss);
    if (i > 0 && evaluations_ >= last) return end(Stop::evaluations, loss);

    Vector d = direction(g);
    if (!(dot(g, d) < 0)) {  // only rounding can do this
      history_.clear();
      d = direction(g);
    }
    const LinePoint start{0, loss, dot(g, d)};
    LinePoint at = start;
    Vector next_g;
    const auto go = [&](double t) {
      objective.assign(plus(x, t, d));
      try {
        const double value = objective.evaluate(next_g);
        return at = {t, value, dot(next_g, d)};
      } catch (...) {
        objective.assign(x);
        throw;
      }
    };
    const double first = history_.empty() ? lr * std::min(1., 1 / norm1(g)) : lr;
    LinePoint found = start;
    if (options_.line_search == LineSearch::strong_wolfe) {
      const double min_width = options_.tolerance_change / norm_inf(d), noise = 4 * rounding * std::abs(loss);
      found = strong_wolfe(go, start, first, {.min_width = min_width, .noise = noise}).point;
    } else if (go(first).finite()) {
      found = at;
    }
    if (at.step != found.step) go(found.step);  // back to where it was best
    if (found.step == 0) {
      if (history_.empty()) return end(Stop::line_search, loss);
      history_.clear();  // it may mislead: try along the gradient
      continue;
    }

    ++iterations_;
    Vector next_x = objective.values();
    Vector dx = plus(next_x, -1, x);
    changed = norm_inf(dx) > options_.tolerance_change && std::abs(found.value - loss) >= options_.tolerance_change;
    remember(std::move(dx), plus(next_g, -1, g));
    x = std::move(next_x), g = std::move(next_g), loss = found.value;
  }
}

void LBFGS::zero_grad() const {
  for (const Tensor& w : parameters_) w.zero_grad();
}

void LBFGS::visit(StateVisitor& visitor) {
  visitor("lr", lr);
  visitor("iterations", iterations_);
  visitor("evaluations", evaluations_);
  auto changes = static_cast<std::int64_t>(history_.size());
  visitor("changes", changes);
  if (changes < 0 || changes > options_.history_size)
    throw ValueError(fmt::format("LBFGS: a state with {} changes does not fit a history_size of {}", changes,
                                 options_.history_size));
  const std::size_t n = flat_values(parameters_).size();
  history_.resize(static_cast<std::size_t>(changes), {Vector(n), Vector(n), 0});
  for (std::size_t i = 0; i < history_.size(); ++i) {
    visitor(fmt::format("{}.x", i), history_[i].x);
    visitor(fmt::format("{}.g", i), history_[i].g);
    visitor(fmt::format("{}.curvature", i), history_[i].curvature);
  }
}

/// -H·g by the two-loop recursion (algorithm 7.4), with the last curvature for H to start from (eq. 7.20).
LBFGS::Vector LBFGS::direction(const Vector& g) const {
  Vector d = plus(Vector(g.size()), -1, g);
  if (history_.empty()) return d;
  std::vector<double> along(history_.size());
  for (std::size_t i = history_.size(); i-- > 0;) {
    const Change& change = history_[i];
    along[i] = dot(change.x, d) / change.curvature;
    d = plus(std::move(d), -along[i], change.g);
  }
  const Change& newest = history_.back();
  const double scale = newest.curvature / dot(newest.g, newest.g);
  for (double& x : d) x *= scale;
  for (std::size_t i = 0; i < history_.size(); ++i) {
    const Change& change = history_[i];
    d = plus(std::move(d), along[i] - dot(change.g, d) / change.curvature, change.x);
  }
  return d;
}

/// Keeps a change of the parameters and the gradient unless it shows no positive curvature, which H could not take up.
void LBFGS::remember(Vector x, Vector g) {
  const double curvature = dot(x, g);
  if (!(curvature > std::numeric_limits<double>::epsilon() * dot(g, g))) return;
  if (history_.size() == static_cast<std::size_t>(options_.history_size)) history_.erase(history_.begin());
  history_.push_back({std::move(x), std::move(g), curvature});
}

double LBFGS::end(Stop reason, double loss) {
  stop_ = reason;
  return loss;
}

}  // namespace gradtape::inline v0::optim
