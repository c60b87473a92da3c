#pragma once

#include <gradtape/core/function.hpp>

#include <cmath>

namespace gradtape::inline v0::optim {

/// A function along a line at one step t from the start: φ(t) = f(x + t·d) and its slope φ'(t) = ∇f(x + t·d)·d.
struct LinePoint {
  double step;   ///< t
  double value;  ///< φ(t)
  double slope;  ///< φ'(t)

  bool finite() const { return std::isfinite(value) && std::isfinite(slope); }  ///< neither infinite nor NaN
};

/// Options of `strong_wolfe`.
struct WolfeOptions {
  double decrease = 1e-4;    ///< c1: how much of the decrease that the slope promises must come
  double curvature = 0.9;    ///< c2: how much of the slope may remain
  int max_evaluations = 25;  ///< of φ
  double min_width = 0;      ///< an interval as narrow as this is not searched further
  double noise = 0;          ///< values that differ by no more than this are equal: their slopes decide
};

/// What `strong_wolfe` found.
struct WolfePoint {
  LinePoint point;      ///< meets both conditions, or else only the first; the start if no point did
  bool strong = false;  ///< whether it meets both
  int evaluations = 0;  ///< of φ; the last was at `point` if it meets both conditions
};

/// A step t > 0 that meets the strong Wolfe conditions φ(t) <= φ(0) + c1·t·φ'(0) and |φ'(t)| <= c2·|φ'(0)|, for a
/// descent direction, φ'(0) < 0. Nocedal and Wright, Numerical Optimization (2nd ed., 2006), algorithms 3.5 and 3.6:
/// steps grow from `first` until they enclose one, then a cubic through both ends of the interval chooses where it is
/// cut. As safeguards (Moré and Thuente, ACM TOMS 20, 1994) a cut keeps a tenth of the width away from the ends, and
/// halves an interval that two cuts did not shrink by a third. A step to where φ or φ' is not finite is too long. Close
/// to a minimum rounding hides the decrease: the first condition holds but for `noise`, and slopes lead the way
/// (compare Hager and Zhang, SIAM J. Optim. 16, 2005, section 4).
WolfePoint strong_wolfe(FunctionRef<LinePoint(double)> phi, const LinePoint& start, double first,
                        const WolfeOptions& options = {});

}  // namespace gradtape::inline v0::optim
