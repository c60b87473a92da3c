#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/dropout.hpp>

#include <string>

namespace gradtape::inline v0::nn {

/// `dropout` while the module is in training mode; in evaluation mode x stays as it is. Any shape.
class Dropout : public Module {
 public:
  /// Throws ValueError for a chance p outside [0, 1].
  explicit Dropout(double p = 0.5);

  Tensor operator()(const Tensor& x) const { return dropout(x, {.p = p, .training = training()}); }  ///< maybe dropped
  void visit(Visitor&) override {}
  std::string description() const override;

  double p;  ///< chance of an element to become 0
};

}  // namespace gradtape::inline v0::nn
