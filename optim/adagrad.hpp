#pragma once

#include <gradtape/optim/optimizer.hpp>

namespace gradtape::inline v0::optim {

/// Options of Adagrad, in PyTorch's order and with its meaning.
struct AdagradOptions {
  double lr = 1e-2;                      ///< learning rate, >= 0
  double lr_decay = 0;                   ///< the rate of step t is lr/(1 + (t - 1)·lr_decay), >= 0
  double weight_decay = 0;               ///< L2 penalty, >= 0
  double initial_accumulator_value = 0;  ///< of the sum of squares, >= 0
  double eps = 1e-10;                    ///< added to the root, >= 0
};

/// Adagrad (Duchi, Hazan and Singer, JMLR 12, 2011), for each parameter w with gradient g at step t = 1, 2, …:
///   d = g + weight_decay·w;  s = s + d²;  w = w - lr/(1 + (t - 1)·lr_decay)·d/(sqrt(s) + eps).
/// One pass per parameter, in place. Errors as of Optimizer.
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(const Groups& parameters, const AdagradOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  AdagradOptions options_;
};

}  // namespace gradtape::inline v0::optim
