#pragma once

#include <gradtape/optim/optimizer.hpp>

#include <string_view>
#include <utility>

namespace gradtape::inline v0::optim {

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
/// Errors as of Optimizer.
class Adam : public Optimizer {
 public:
  /// Handles on leaves.
  explicit Adam(const Groups& parameters, const AdamOptions& options = {}) : Adam("Adam", parameters, options) {}

  void step() override;

 protected:
  Adam(std::string_view name, const Groups& parameters, const AdamOptions& options);  ///< under another name

 private:
  AdamOptions options_;
};

/// Options of AdamW: those of Adam, with a weight decay that is on, and decoupled.
struct AdamWOptions {
  double lr = 1e-3;                             ///< learning rate, >= 0
  std::pair<double, double> betas{0.9, 0.999};  ///< how much of each moment is kept from step to step, in [0, 1)
  double eps = 1e-8;                            ///< added to the root of the second moment, >= 0
  double weight_decay = 1e-2;                   ///< w shrinks by lr·weight_decay, >= 0
  bool amsgrad = false;                         ///< divide by the largest second moment so far
};

/// Adam with decoupled weight decay: `Adam` with decoupled_weight_decay on, under the name and with the defaults by
/// which it is known.
class AdamW : public Adam {
 public:
  explicit AdamW(const Groups& parameters, const AdamWOptions& options = {});  ///< handles on leaves
};

}  // namespace gradtape::inline v0::optim
