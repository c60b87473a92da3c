#pragma once

#include <gradtape/optim/optimizer.hpp>

namespace gradtape::inline v0::optim {

/// Options of SGD, in PyTorch's order and with its meaning.
struct SGDOptions {
  double lr = 1e-3;         ///< learning rate, >= 0
  double momentum = 0;      ///< >= 0, usually below 1
  double dampening = 0;     ///< of the gradient's part in the momentum
  double weight_decay = 0;  ///< L2 penalty, >= 0
  bool nesterov = false;    ///< needs momentum > 0 and dampening = 0
};

/// Stochastic gradient descent, for each parameter w with gradient g:
///   d = g + weight_decay·w;  v = momentum·v + (1 - dampening)·d  (v = d at first);
///   w = w - lr·v, or with Nesterov w - lr·(d + momentum·v)   (Sutskever et al., ICML 2013).
/// One pass per parameter, in place. Errors as of Optimizer.
class SGD : public Optimizer {
 public:
  explicit SGD(const Groups& parameters, const SGDOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  SGDOptions options_;
};

}  // namespace gradtape::inline v0::optim
