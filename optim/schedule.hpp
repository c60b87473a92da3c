#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/state.hpp>

#include <cstdint>
#include <limits>
#include <vector>

// A schedule is a function from the number of the step, 0 at first, to the rate: something to assign to `lr`,
//   opt.lr = schedule(step);
// so a lambda is one as well, and a step may be an epoch. Those below are PyTorch's schedulers of the same names in
// closed form. They remember nothing, so that there is nothing to save but the step; PlateauLR alone has a state.
// Beyond the end of a schedule its last rate stays. Each throws ValueError, when it is called, for a negative step and
// for numbers of steps below 1.

namespace gradtape::inline v0::optim {

/// Any schedule.
using Schedule = Function<double(std::int64_t)>;

/// lr·gamma^(step / step_size), rounded down.
struct StepLR {
  double lr;                                   ///< the rate at first
  std::int64_t step_size;                      ///< steps at one rate
  double gamma = 0.1;                          ///< factor from one to the next
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// lr·gamma for each milestone that is reached.
struct MultiStepLR {
  double lr;                                   ///< the rate at first
  std::vector<std::int64_t> milestones;        ///< first steps at a new rate, in any order
  double gamma = 0.1;                          ///< factor from one to the next
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// lr·gamma^step.
struct ExponentialLR {
  double lr;                                   ///< the rate at first
  double gamma;                                ///< factor from step to step
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// From lr down to eta_min along half a cosine: eta_min + (lr - eta_min)·(1 + cos(π·step/steps))/2 (Loshchilov and
/// Hutter, SGDR, ICLR 2017, without restarts). PyTorch's CosineAnnealingLR, but it does not rise again.
struct CosineLR {
  double lr;                                   ///< the rate at first
  std::int64_t steps;                          ///< until the last rate is reached
  double eta_min = 0;                          ///< the last rate
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// A straight line from lr·start_factor to lr·end_factor: a warm-up, unless told otherwise.
struct LinearLR {
  double lr;                                   ///< what the factors multiply
  std::int64_t steps;                          ///< until the last rate is reached
  double start_factor = 1. / 3;                ///< at step 0
  double end_factor = 1;                       ///< from `steps` on
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// Up to max_lr and down to almost nothing (Smith and Topin, "Super-convergence", 2018): from max_lr/div_factor up by
/// half a cosine to max_lr at step pct_start·total_steps - 1, then down to max_lr/div_factor/final_div_factor at the
/// last step, total_steps - 1. As PyTorch's, without its change of the momentum.
struct OneCycleLR {
  double max_lr;                               ///< the highest rate
  std::int64_t total_steps;                    ///< of the whole cycle
  double pct_start = 0.3;                      ///< the part of it in which the rate rises, in [0, 1]
  double div_factor = 25;                      ///< > 0
  double final_div_factor = 1e4;               ///< > 0
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// lr·factor(step), for a factor of one's own.
struct LambdaLR {
  double lr;                                   ///< the rate where the factor is 1
  Schedule factor;                             ///< any function of the step
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// One schedule after another, each starting from its own step 0: a warm-up, then a cosine, is
///   JoinedLR{{{LinearLR{.lr = 0.1, .steps = 500}, 500}, {CosineLR{.lr = 0.1, .steps = 9500}}}}
struct JoinedLR {
  /// One of them.
  struct Part {
    Schedule schedule;                                              ///< any
    std::int64_t steps = std::numeric_limits<std::int64_t>::max();  ///< before the next part takes over, >= 1
  };
  std::vector<Part> parts;                     ///< at least one; the last never ends
  double operator()(std::int64_t step) const;  ///< the rate of a step
};

/// Options of PlateauLR, in PyTorch's order and with its meaning, after the rate.
struct PlateauOptions {
  double lr;                      ///< the rate at first
  bool higher_is_better = false;  ///< the metric is to grow: an accuracy instead of a loss
  double factor = 0.1;            ///< from one rate to the next, in [0, 1)
  int patience = 10;              ///< so many metrics in a row may be no better, >= 0
  double threshold = 1e-4;        ///< better means by this part of the best, >= 0
  int cooldown = 0;               ///< metrics that do not count after the rate was lowered, >= 0
  double min_lr = 0;              ///< the last rate
};

/// Lowers the rate when a metric gets no better: PyTorch's ReduceLROnPlateau.
///   plateau.observe(validation_loss);  opt.lr = plateau(epoch);
/// Throws ValueError for options outside of their domain.
class PlateauLR {
 public:
  /// Throws ValueError for options outside of their domain.
  explicit PlateauLR(const PlateauOptions& options);

  /// Once a step. NaN is no better than anything.
  void observe(double metric);
  double operator()(std::int64_t /*step*/) const { return lr_; }  ///< the rate now, whatever the step
  /// Names the state; see state_of and load_state.
  void visit(StateVisitor& visitor);

 private:
  PlateauOptions options_;
  double lr_, best_;
  std::int64_t bad_ = 0, cooling_ = 0;
};

}  // namespace gradtape::inline v0::optim
