#pragma once

#include <gradtape/nn/linear.hpp>

#include <cstdint>
#include <string>

namespace gradtape::inline v0::nn {

/// x1ᵀ·W_o·x2 + b_o for each output o: (…, in1), (…, in2) -> (…, out), the leading axes broadcast. `weight` is
/// [out, in1, in2], `bias` [out]; both start uniform in ±1/sqrt(in1), as PyTorch's do.
class Bilinear : public Module {
 public:
  /// Throws ValueError for a width below 1.
  Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, const LinearOptions& options = {});

  Tensor operator()(const Tensor& x1, const Tensor& x2) const;  ///< throws ShapeError if they do not fit
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [out, in1, in2]
  Parameter bias;    ///< [out]; empty without bias
};

}  // namespace gradtape::inline v0::nn
