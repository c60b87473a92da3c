#pragma once

#include <gradtape/optim/update.hpp>

#include <utility>
#include <vector>

namespace gradtape::optim {

/// Options of Adam, in PyTorch's order and with its meaning.
struct AdamOptions {
  double lr = 1e-3;                             ///< learning rate, >= 0
  std::pair<double, double> betas{0.9, 0.999};  ///< how much of each moment is kept from step to step, in [0, 1)
  double eps = 1e-8;                            ///< added to the root of the second moment, >= 0
  double weight_decay = 0;                      ///< L2 penalty, >= 0
  bool amsgrad = false;                         ///< divide by the largest second moment so far
  bool decoupled_weight_decay = false;  ///< shrink w by lr·weight_decay instead of adding the penalty to g: AdamW
};

/// Adam (Kingma and Ba, ICLR 2015), for each parameter w with gradient g at step t = 1, 2, …:
///   d = g + weight_decay·w;  m = β1·m + (1 - β1)·d;  v = β2·v + (1 - β2)·d²;
///   w = w - lr·m/(1 - β1ᵗ) / (sqrt(v/(1 - β2ᵗ)) + eps).
/// With `amsgrad` the largest v so far stands in its place (Reddi et al., ICLR 2018); with `decoupled_weight_decay` d =
/// g, and w = (1 - lr·weight_decay)·w comes first (Loshchilov and Hutter, ICLR 2019). One pass per parameter, in place.
/// Parameters without a gradient are left alone. Throws ValueError for options outside of their domain, GradientError
/// for a tensor that is no leaf.
class Adam {
 public:
  explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {});  ///< handles on leaves

  /// Moves every parameter against its gradient.
  void step();
  /// Forgets the gradients.
  void zero_grad() const;

  double lr;  ///< the rate of the next step; assign to it to change it

 private:
  Parameters parameters_;
  AdamOptions options_;
};

}  // namespace gradtape::optim
