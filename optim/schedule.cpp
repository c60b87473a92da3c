#include <gradtape/core/error.hpp>
#include <gradtape/optim/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {
namespace {

void require_at_least(const char* schedule, const char* what, std::int64_t value, std::int64_t least) {
  if (value < least)
    throw ValueError(fmt::format("{}: {} is {}; it must be at least {}", schedule, what, value, least));
}

void require_step(const char* schedule, std::int64_t step) { require_at_least(schedule, "step", step, 0); }

/// From `start` at t = 0 to `end` at t = 1 along half a cosine.
double cosine(double start, double end, double t) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

}  // namespace

double StepLR::operator()(std::int64_t step) const {
  require_step("StepLR", step);
  require_at_least("StepLR", "step_size", step_size, 1);
  return lr * std::pow(gamma, step / step_size);
}

double MultiStepLR::operator()(std::int64_t step) const {
  require_step("MultiStepLR", step);
  return lr * std::pow(gamma, std::ranges::count_if(milestones, [step](std::int64_t at) { return at <= step; }));
}

double ExponentialLR::operator()(std::int64_t step) const {
  require_step("ExponentialLR", step);
  return lr * std::pow(gamma, step);
}

double CosineLR::operator()(std::int64_t step) const {
  require_step("CosineLR", step);
  require_at_least("CosineLR", "steps", steps, 1);
  return step >= steps ? eta_min : cosine(lr, eta_min, static_cast<double>(step) / static_cast<double>(steps));
}

double LinearLR::operator()(std::int64_t step) const {
  require_step("LinearLR", step);
  require_at_least("LinearLR", "steps", steps, 1);
  const double t = static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
  return lr * (start_factor + (end_factor - start_factor) * t);
}

double OneCycleLR::operator()(std::int64_t step) const {
  require_step("OneCycleLR", step);
  require_at_least("OneCycleLR", "total_steps", total_steps, 1);
  if (!(pct_start >= 0 && pct_start <= 1) || !(div_factor > 0) || !(final_div_factor > 0))
    throw ValueError(
        fmt::format("OneCycleLR: pct_start is {}, div_factor {} and final_div_factor {}; the first must be in [0, 1], "
                    "the others positive",
                    pct_start, div_factor, final_div_factor));
  const double first = max_lr / div_factor, last = first / final_div_factor;
  const double end = static_cast<double>(total_steps - 1), at = std::min(static_cast<double>(step), end);
  const double top = pct_start * static_cast<double>(total_steps) - 1;
  if (at <= top) return top > 0 ? cosine(first, max_lr, at / top) : max_lr;
  return end > top ? cosine(max_lr, last, (at - top) / (end - top)) : last;
}

double LambdaLR::operator()(std::int64_t step) const {
  require_step("LambdaLR", step);
  return lr * factor(step);
}

double JoinedLR::operator()(std::int64_t step) const {
  require_step("JoinedLR", step);
  require_at_least("JoinedLR", "number of parts", static_cast<std::int64_t>(parts.size()), 1);
  for (const Part& part : parts) {
    require_at_least("JoinedLR", "steps", part.steps, 1);
    if (step < part.steps || &part == &parts.back()) return part.schedule(step);
    step -= part.steps;
  }
  return 0;  // not reached
}

PlateauLR::PlateauLR(const PlateauOptions& options) : options_(options), lr_(options.lr) {
  if (!(options.lr >= 0) || !(options.threshold >= 0))
    throw ValueError(
        fmt::format("PlateauLR: lr is {} and threshold {}; neither may be negative", options.lr, options.threshold));
  if (!(options.factor >= 0 && options.factor < 1))
    throw ValueError(fmt::format("PlateauLR: factor is {}; it must be in [0, 1)", options.factor));
  require_at_least("PlateauLR", "patience", options.patience, 0);
  require_at_least("PlateauLR", "cooldown", options.cooldown, 0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_ = options.higher_is_better ? -infinity : infinity;
}

void PlateauLR::observe(double metric) {
  const bool better =
      options_.higher_is_better ? metric > best_ * (1 + options_.threshold) : metric < best_ * (1 - options_.threshold);
  if (better) best_ = metric;
  bad_ = better ? 0 : bad_ + 1;
  if (cooling_ > 0) --cooling_, bad_ = 0;
  if (bad_ <= options_.patience) return;
  lr_ = std::min(lr_, std::max(lr_ * options_.factor, options_.min_lr));
  cooling_ = options_.cooldown;
  bad_ = 0;
}

void PlateauLR::visit(StateVisitor& visitor) {
  visitor("lr", lr_);
  visitor("best", best_);
  visitor("num_bad", bad_);
  visitor("cooldown", cooling_);
}

}  // namespace gradtape::inline v0::optim
