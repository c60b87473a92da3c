#pragma once

#include <gradtape/core/tensor.hpp>

#include <vector>

namespace gradtape::inline v0::optim {

/// Options of `clip_grad_norm`, in PyTorch's order and with its meaning.
struct ClipOptions {
  double norm_type = 2;             ///< p of the p-norm, > 0; infinity takes the largest element
  bool error_if_nonfinite = false;  ///< throw instead of scaling by a norm that is infinite or NaN
};

/// Scales the gradients of these leaves by max_norm/(norm + 1e-6) where that is below 1, norm being that of all
/// gradients as one vector, and returns the norm: of before, in double. Leaves without a gradient are left out. With a
/// norm that is infinite or NaN gradients turn 0 or NaN. Gradients become constants. Throws ValueError for such a norm
/// if `error_if_nonfinite`, before anything is changed, and for a max_norm that is negative or a norm_type that is not
/// positive.
double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm, const ClipOptions& options = {});

/// Cuts every element of the gradients of these leaves to [-clip_value, clip_value]; NaN stays. Gradients become
/// constants. Throws ValueError for a negative clip_value.
void clip_grad_value(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace gradtape::inline v0::optim
