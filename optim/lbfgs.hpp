#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/optim/stop.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace gradtape::inline v0::optim {

/// How L-BFGS finds the length of a step along its direction.
enum class LineSearch : std::uint8_t {
  none,         ///< lr it is
  strong_wolfe  ///< see optim/line_search.hpp; starts from lr
};

/// Options of LBFGS, in PyTorch's order and with its meaning; but the line search is on unless told otherwise.
struct LBFGSOptions {
  double lr = 1;                     ///< first length that is tried along a direction, > 0
  int max_iter = 20;                 ///< iterations in one call of step
  std::optional<int> max_eval = {};  ///< calls of the closure in one call of step; max_iter · 5/4 unless told
  double tolerance_grad = 1e-7;      ///< stop when no element of the gradient is larger
  double tolerance_change = 1e-9;    ///< stop when the loss, or every parameter, changes by less
  int history_size = 100;            ///< changes that are remembered, >= 1
  LineSearch line_search = LineSearch::strong_wolfe;  ///< none is for losses that change from call to call
};

/// L-BFGS: a quasi-Newton method that knows the curvature from the last changes of parameters and gradient (Nocedal and
/// Wright, Numerical Optimization, 2nd ed., 2006, algorithms 7.4 and 7.5), for losses without noise. What it remembers
/// is kept in double, 16·history_size bytes for an element, and lasts from call to call.
class LBFGS {
 public:
  /// Handles on leaves, each once. Throws ValueError for options outside of their domain or without leaves,
  /// GradientError for a tensor that is no leaf.
  explicit LBFGS(std::vector<Tensor> parameters, const LBFGSOptions& options = {});

  /// Up to max_iter iterations. The closure computes the loss, calls backward, and returns the loss; gradients are
  /// forgotten before each call, of which there are many:
  ///   optimizer.step([&] { auto loss = …; loss.backward(); return loss; });
  /// Returns the loss at the parameters it leaves, together with their gradients. A parameter without a gradient counts
  /// as one with zeros. A step to where the loss is infinite or NaN is shortened. Throws ShapeError if the loss is not
  /// of exactly one element, GradientError if no parameter has a gradient; if the closure throws, the parameters are
  /// those of the last iteration.
  double step(FunctionRef<Tensor()> closure);
  /// Forgets the gradients.
  void zero_grad() const;
  /// Names the state; see state_of and load_state.
  void visit(StateVisitor& visitor);

  Stop stop() const { return stop_; }                        ///< why the last call of step ended
  std::int64_t iterations() const { return iterations_; }    ///< over all calls of step
  std::int64_t evaluations() const { return evaluations_; }  ///< calls of the closure, over all calls of step

  double lr;  ///< see LBFGSOptions; assign to it to change it

 private:
  using Vector = std::vector<double>;  // of all parameters, one behind the other
  /// What one iteration changed.
  struct Change {
    Vector x, g;
    double curvature;  // x·g
  };
  Vector direction(const Vector& g) const;
  void remember(Vector x, Vector g);
  double end(Stop reason, double loss);

  std::vector<Tensor> parameters_;
  std::vector<Change> history_;  // oldest first
  LBFGSOptions options_;
  Stop stop_ = Stop::iterations;
  std::int64_t iterations_ = 0, evaluations_ = 0;
};

}  // namespace gradtape::inline v0::optim
