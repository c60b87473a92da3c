#pragma once

#include <gradtape/optim/optimizer.hpp>

#include <utility>

namespace gradtape::inline v0::optim {

/// Options of NAdam, in PyTorch's order and with its meaning.
struct NAdamOptions {
  double lr = 2e-3;                             ///< learning rate, >= 0
  std::pair<double, double> betas{0.9, 0.999};  ///< how much of each moment is kept from step to step, in [0, 1)
  double eps = 1e-8;                            ///< added to the root of the second moment, >= 0
  double weight_decay = 0;                      ///< L2 penalty, >= 0
  double momentum_decay = 4e-3;                 ///< how fast the momentum comes to its full size, >= 0
  bool decoupled_weight_decay = false;          ///< shrink w by lr·weight_decay instead of adding the penalty to g
};

/// Adam with Nesterov's momentum (Dozat, ICLR workshop 2016), for each parameter w with gradient g at step t = 1, 2, …:
///   d = g + weight_decay·w;  m = β1·m + (1 - β1)·d;  v = β2·v + (1 - β2)·d²;
///   μₜ = β1·(1 - 0.96^(t·momentum_decay)/2);  Πₜ = μ₁·…·μₜ;
///   w = w - lr·((1 - μₜ)/(1 - Πₜ)·d + μₜ₊₁/(1 - Πₜ₊₁)·m) / (sqrt(v/(1 - β2ᵗ)) + eps).
/// With `decoupled_weight_decay` d = g, and w = (1 - lr·weight_decay)·w comes first. One pass per parameter, in place.
/// Errors as of Optimizer.
class NAdam : public Optimizer {
 public:
  explicit NAdam(const Groups& parameters, const NAdamOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  NAdamOptions options_;
};

}  // namespace gradtape::inline v0::optim
