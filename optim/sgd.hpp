#pragma once

#include <gradtape/optim/update.hpp>

#include <vector>

namespace gradtape::optim {

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
/// One pass per parameter, in place. Parameters without a gradient are left alone. Throws ValueError for options
/// outside of their domain, GradientError for a tensor that is no leaf.
class SGD {
 public:
  explicit SGD(std::vector<Tensor> parameters, const SGDOptions& options = {});  ///< handles on leaves

  /// Moves every parameter against its gradient.
  void step();
  /// Forgets the gradients.
  void zero_grad() const;

  double lr;  ///< the rate of the next step; assign to it to change it

 private:
  Parameters parameters_;
  SGDOptions options_;
};

}  // namespace gradtape::optim
