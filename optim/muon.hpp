#pragma once

#include <gradtape/optim/optimizer.hpp>

#include <array>
#include <cstdint>

namespace gradtape::inline v0::optim {

/// How Muon's rate grows with the shape (m,n) of a matrix.
enum class MuonRate : std::uint8_t {
  original,        ///< sqrt(max(1, m/n)) times
  match_rms_adamw  ///< 0.2·sqrt(max(m, n)) times: lr and weight_decay of AdamW serve (Liu et al., arXiv:2502.16982)
};

/// Options of Muon, in PyTorch's order and with its meaning.
struct MuonOptions {
  double lr = 1e-3;                                                ///< learning rate, >= 0
  double weight_decay = 0.1;                                       ///< w shrinks by lr·weight_decay, >= 0
  double momentum = 0.95;                                          ///< in [0, 1)
  bool nesterov = true;                                            ///< look ahead along the momentum
  std::array<double, 3> ns_coefficients{3.4445, -4.7750, 2.0315};  ///< a, b, c of the iteration
  double eps = 1e-7;                                               ///< least norm to divide by, >= 0
  int ns_steps = 5;                                                ///< iterations, >= 0
  MuonRate adjust_lr = MuonRate::original;                         ///< how the rate depends on the shape
};

/// Momentum, orthogonalised by a Newton-Schulz iteration, for the matrices inside of a network (Jordan et al., "Muon:
/// an optimizer for hidden layers in neural networks", 2024), for each parameter w (m,n) with gradient g:
///   v = momentum·v + (1 - momentum)·g;  d = v, or with Nesterov momentum·v + (1 - momentum)·g;
///   X = d/|d|;  ns_steps times: A = X·Xᵀ, X = a·X + (b·A + c·A·A)·X;  w = (1 - lr·weight_decay)·w - lr·scale·X.
/// X comes close to U·Vᵀ of the SVD d = U·S·Vᵀ, with singular values between about 0.7 and 1.2; scale is that of
/// `adjust_lr`. Biases, embeddings and the last layer belong to another optimizer, such as AdamW. Throws ShapeError for
/// a parameter that is no matrix; other errors as of Optimizer.
class Muon : public Optimizer {
 public:
  explicit Muon(const Groups& parameters, const MuonOptions& options = {});  ///< handles on leaves

  void step() override;

 private:
  MuonOptions options_;
};

}  // namespace gradtape::inline v0::optim
