#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/optim/stop.hpp>

#include <cstdint>
#include <vector>

namespace gradtape::inline v0::optim {

/// Options of LevenbergMarquardt.
struct LevenbergMarquardtOptions {
  double damping = 1e-3;            ///< at first, > 0; less trusts the linear model more
  int max_iter = 100;               ///< iterations in one call of step, >= 1
  double tolerance_grad = 1e-10;    ///< stop when no element of Jᵀr is larger
  double tolerance_change = 1e-10;  ///< stop when the step is shorter than this times the parameters' norm
};

/// Levenberg and Marquardt's method for least squares, the loss ½·Σ rᵢ² of residuals r: near a minimum where they are
/// small it converges quadratically. Each iteration takes the Jacobian J of r by all parameters and the step δ that
/// minimises |J·δ + r|² + damping·|D·δ|², D being the largest norms so far of the columns of J (Moré, "The
/// Levenberg-Marquardt algorithm", 1978). A step that lowers the loss is taken; the damping falls or grows with how
/// much of the decrease came that the linear model promised (Madsen, Nielsen and Tingleff, "Methods for non-linear
/// least squares problems", 2004, section 3.2 and eq. 2.21).
///
/// J is one dense matrix, by as many sweeps as there are residuals or parameters, whichever are fewer, and δ comes from
/// the QR decomposition of [J; sqrt(damping)·D], in double: normal equations would square its condition. So this is for
/// up to some thousand parameters.
class LevenbergMarquardt {
 public:
  /// Handles on leaves, each once. Throws ValueError for options outside of their domain or without leaves,
  /// GradientError for a tensor that is no leaf.
  explicit LevenbergMarquardt(std::vector<Tensor> parameters, const LevenbergMarquardtOptions& options = {});

  /// Up to max_iter iterations. The closure computes the residuals, of any shape, from the parameters:
  ///   optimizer.step([&] { return model(x) - y; });
  /// Returns the loss at the parameters it leaves. Touches no `.grad()`. A step to where a residual is infinite or NaN
  /// is shortened. Throws GradientError if the residuals depend on no parameter, DtypeError if they are no floating
  /// tensor; if the closure throws, the parameters are those of the last iteration.
  double step(FunctionRef<Tensor()> residuals);
  /// Names the state; see state_of and load_state.
  void visit(StateVisitor& visitor);

  Stop stop() const { return stop_; }                        ///< why the last call of step ended
  std::int64_t iterations() const { return iterations_; }    ///< over all calls of step
  std::int64_t evaluations() const { return evaluations_; }  ///< calls of the closure, over all calls of step

  double damping;  ///< see LevenbergMarquardtOptions; what it is now

 private:
  double end(Stop reason, double loss);

  std::vector<Tensor> parameters_;
  LevenbergMarquardtOptions options_;
  std::vector<double> scale_;  // D, 0 at first
  double growth_ = 2;          // of the damping, at the next step that fails
  Stop stop_ = Stop::iterations;
  std::int64_t iterations_ = 0, evaluations_ = 0;
};

}  // namespace gradtape::inline v0::optim
