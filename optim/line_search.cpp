#include <gradtape/optim/line_search.hpp>

#include <algorithm>

namespace gradtape::inline v0::optim {
namespace {

/// The minimiser, clamped to [low, high], of the cubic with the values and slopes of a and b (Nocedal and Wright,
/// eq. 3.59); the middle where there is none, or where b is not finite.
double cubic_minimiser(const LinePoint& a, const LinePoint& b, double low, double high) {
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), b.step - a.step);
  const double t = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  return std::isfinite(t) ? std::clamp(t, low, high) : low + (high - low) / 2;
}

/// One search along a line.
class Search {
 public:
  Search(FunctionRef<LinePoint(double)> phi, const LinePoint& start, const WolfeOptions& options)
      : phi_(phi), start_(start), options_(options) {}

  /// Algorithm 3.5.
  WolfePoint run(double first) {
    LinePoint before = start_;
    for (double t = first; evaluations_ < options_.max_evaluations;) {
      const LinePoint at = evaluate(t);
      if (too_long(at) || (before.step > 0 && at.value > before.value + options_.noise)) return zoom(before, at);
      if (flat(at)) return {at, true, evaluations_};
      if (at.slope >= 0) return zoom(at, before);
      t = cubic_minimiser(before, at, at.step + 0.01 * (at.step - before.step), 10 * at.step);
      before = at;
    }
    return {before, false, evaluations_};
  }

 private:
  /// Algorithm 3.6: `low` is the lowest point of those with enough decrease, and its slope points to `high`.
  WolfePoint zoom(LinePoint low, LinePoint high) {
    double width = std::abs(high.step - low.step), earlier = 2 * width, before_that = 4 * width;
    while (evaluations_ < options_.max_evaluations && width > options_.min_width) {
      const double left = std::min(low.step, high.step), right = std::max(low.step, high.step), margin = width / 10;
      const bool slow = width > 2. / 3 * before_that;
      const LinePoint at =
          evaluate(slow ? left + width / 2 : cubic_minimiser(low, high, left + margin, right - margin));
      if (too_long(at) || at.value > low.value + options_.noise) {
        high = at;
      } else {
        if (flat(at)) return {at, true, evaluations_};
        if (at.slope * (high.step - low.step) >= 0) high = low;
        low = at;
      }
      before_that = earlier, earlier = width, width = std::abs(high.step - low.step);
    }
    return {low, false, evaluations_};
  }

  LinePoint evaluate(double t) {
    ++evaluations_;
    return phi_(t);
  }
  bool too_long(const LinePoint& at) const {
    return !at.finite() || at.value > start_.value + options_.decrease * at.step * start_.slope + options_.noise;
  }
  bool flat(const LinePoint& at) const { return std::abs(at.slope) <= -options_.curvature * start_.slope; }

  FunctionRef<LinePoint(double)> phi_;
  LinePoint start_;
  WolfeOptions options_;
  int evaluations_ = 0;
};

}  // namespace

WolfePoint strong_wolfe(FunctionRef<LinePoint(double)> phi, const LinePoint& start, double first,
                        const WolfeOptions& options) {
  return Search(phi, start, options).run(first);
}

}  // namespace gradtape::inline v0::optim
