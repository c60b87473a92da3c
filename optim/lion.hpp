#pragma once

#include <gradtape/optim/optimizer.hpp>

#include <utility>

namespace gradtape::inline v0::optim {

/// Options of Lion, in the order of Adam's.
struct LionOptions {
  double lr = 1e-4;                            ///< learning rate, >= 0; a third to a tenth of what Adam wants
  std::pair<double, double> betas{0.9, 0.99};  ///< of the momentum: its part in the step, and what is kept, in [0, 1)
  double weight_decay = 0;                     ///< w shrinks by lr·weight_decay, >= 0; three to ten times AdamW's
};

/// Lion (Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2), for each parameter w
/// with gradient g:
///   c = β1·m + (1 - β1)·g;  w = w - lr·(sign(c) + weight_decay·w);  m = β2·m + (1 - β2)·g.
/// One pass per parameter, in place. Errors as of Optimizer.
class Lion : public Optimizer {
 public:
  explicit Lion(const Groups& parameters, const LionOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  LionOptions options_;
};

}  // namespace gradtape::inline v0::optim
