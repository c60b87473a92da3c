#pragma once

#include <gradtape/optim/optimizer.hpp>

namespace gradtape::inline v0::optim {

/// Options of Adadelta, in PyTorch's order and with its meaning.
struct AdadeltaOptions {
  double lr = 1;            ///< scales the step, >= 0
  double rho = 0.9;         ///< how much of the averages is kept from step to step, in [0, 1)
  double eps = 1e-6;        ///< added under both roots, >= 0
  double weight_decay = 0;  ///< L2 penalty, >= 0
};

/// Adadelta (Zeiler, arXiv:1212.5701, 2012, algorithm 1), for each parameter w with gradient g:
///   d = g + weight_decay·w;  s = ρ·s + (1 - ρ)·d²;  δ = sqrt(a + eps)/sqrt(s + eps)·d;
///   a = ρ·a + (1 - ρ)·δ²;  w = w - lr·δ.
/// One pass per parameter, in place. Errors as of Optimizer.
class Adadelta : public Optimizer {
 public:
  explicit Adadelta(const Groups& parameters, const AdadeltaOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  AdadeltaOptions options_;
};

}  // namespace gradtape::inline v0::optim
