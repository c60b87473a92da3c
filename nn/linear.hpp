#pragma once

#include <gradtape/nn/module.hpp>

#include <cstdint>
#include <string>

namespace gradtape::inline v0::nn {

/// Options of Linear.
struct LinearOptions {
  bool bias = true;  ///< add a bias
};

/// x·Wᵀ + b: (…, in) -> (…, out). `weight` is [out, in], `bias` [out]; both start uniform in ±1/sqrt(in), as PyTorch's
/// do.
class Linear : public Module {
 public:
  /// Throws ValueError for a width below 1.
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< x·Wᵀ + b; throws ShapeError if x is not (…, in)
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [out, in]
  Parameter bias;    ///< [out]; empty without bias
};

}  // namespace gradtape::inline v0::nn
