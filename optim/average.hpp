#pragma once

#include <gradtape/core/state.hpp>
#include <gradtape/core/tensor.hpp>

#include <vector>

namespace gradtape::inline v0::optim {

/// Options of EMA.
struct EMAOptions {
  double decay = 0.999;  ///< how much of the average is kept at each update, in [0, 1)
};

/// An exponential moving average of parameters (Polyak and Juditsky, 1992, in the form used with Adam): a = w at first,
/// and a = decay·a + (1 - decay)·w at each update. Train on w, evaluate with a:
///   opt.step(); ema.update();  …  ema.apply(); evaluate(net); ema.restore();
/// Parameters of another dtype than before (after Module::to) start anew. Throws ValueError for a decay outside of its
/// domain, GradientError for a tensor that is no leaf.
class EMA {
 public:
  explicit EMA(std::vector<Tensor> parameters, const EMAOptions& options = {});  ///< handles on leaves

  void update();   ///< after a step. Throws Error while the averages are applied.
  void apply();    ///< gives the parameters their averages, without a copy. Throws Error if they have them already.
  void restore();  ///< gives them back what they were before `apply`. Throws Error if there was none.
  /// Names the state, "i.average"; see state_of and load_state. Throws Error while the averages are applied.
  void visit(StateVisitor& visitor);

  double decay;  ///< see EMAOptions; assign to it to change it

 private:
  struct Slot {
    Tensor parameter;
    Array average;
  };
  void require_applied(const char* member, bool applied) const;
  void swap();

  std::vector<Slot> slots_;
  bool applied_ = false;
};

}  // namespace gradtape::inline v0::optim
