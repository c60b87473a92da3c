#pragma once

#include <gradtape/optim/optimizer.hpp>

namespace gradtape::inline v0::optim {

/// Options of RMSprop, in PyTorch's order and with its meaning.
struct RMSpropOptions {
  double lr = 1e-2;         ///< learning rate, >= 0
  double alpha = 0.99;      ///< how much of the averages is kept from step to step, in [0, 1)
  double eps = 1e-8;        ///< added to the root, >= 0
  double weight_decay = 0;  ///< L2 penalty, >= 0
  double momentum = 0;      ///< >= 0, usually below 1
  bool centered = false;    ///< divide by an estimate of the standard deviation
};

/// RMSprop (Hinton, lecture 6e of Neural Networks for Machine Learning, 2012), for each parameter w with gradient g:
///   d = g + weight_decay·w;  s = α·s + (1 - α)·d²;  a = α·a + (1 - α)·d if centered (Graves, 2013), else 0;
///   b = momentum·b + d/(sqrt(s - a²) + eps);  w = w - lr·b.
/// s - a² is a variance: where rounding makes it negative it counts as 0. One pass per parameter, in place. Errors as
/// of Optimizer.
class RMSprop : public Optimizer {
 public:
  explicit RMSprop(const Groups& parameters, const RMSpropOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  RMSpropOptions options_;
};

}  // namespace gradtape::inline v0::optim
