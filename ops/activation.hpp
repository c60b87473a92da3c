#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Activations, elementwise unless it says otherwise; f32 and f64. Where a slope jumps, the gradient is the one named.
// At ±inf values and gradients are the limits.

Tensor sigmoid(const Tensor& x);      ///< 1 / (1 + e⁻ˣ)
Tensor log_sigmoid(const Tensor& x);  ///< log(sigmoid(x))
Tensor softsign(const Tensor& x);     ///< x / (1 + |x|)
Tensor silu(const Tensor& x);         ///< x · sigmoid(x); also called swish (Elfwing et al. 2017, arXiv:1702.03118)
Tensor mish(const Tensor& x);         ///< x · tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)
Tensor hardswish(const Tensor& x);  ///< x · min(max(x + 3, 0), 6) / 6; gradient at -3 -1/2, at 3 3/2 (arXiv:1905.02244)
Tensor relu(const Tensor& x);       ///< max(x, 0); the gradient at 0 is 0

/// Options of softplus.
struct SoftplusOptions {
  double beta = 1;        ///< steepness; not 0
  double threshold = 20;  ///< where beta · x is above it, the result is x
};

/// log(1 + e^(beta · x)) / beta. Throws ValueError for a beta of 0.
Tensor softplus(const Tensor& x, const SoftplusOptions& options = {});

/// Options of leaky_relu.
struct LeakyReluOptions {
  double negative_slope = 0.01;  ///< for x <= 0
};

/// x above 0, negative_slope · x elsewhere; the gradient at 0 is negative_slope.
Tensor leaky_relu(const Tensor& x, const LeakyReluOptions& options = {});

/// Options of elu.
struct EluOptions {
  double alpha = 1;  ///< -alpha is the limit at -inf
};

/// x above 0, alpha · (eˣ - 1) elsewhere; the gradient at 0 is alpha (Clevert et al. 2015, arXiv:1511.07289).
Tensor elu(const Tensor& x, const EluOptions& options = {});

/// 1.0507… · elu(x) with an alpha of 1.6733… (Klambauer et al. 2017, arXiv:1706.02515); the gradient at 0 is 1.7581….
Tensor selu(const Tensor& x);

/// Options of gelu.
struct GeluOptions {
  /// How Φ is computed.
  enum Approximate {
    none,  ///< by erf
    tanh   ///< by its approximation
  };
  Approximate approximate = none;  ///< the distribution function itself or its approximation by tanh
};

/// x · Φ(x) with Φ the distribution function of the standard normal distribution, or with the approximation
/// (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2 in the place of Φ (Hendrycks and Gimpel 2016, arXiv:1606.08415).
Tensor gelu(const Tensor& x, const GeluOptions& options = {});

/// Options of hardtanh.
struct HardtanhOptions {
  double min = -1;  ///< at most max
  double max = 1;   ///< at least min
};

/// min(max(x, min), max); unlike clamp's, the gradient at the bounds is 0. Throws ValueError if min is above max.
Tensor hardtanh(const Tensor& x, const HardtanhOptions& options = {});

/// a · sigmoid(b) with a and b the two halves of x along an axis: (…, 2n, …) -> (…, n, …) (Dauphin et al. 2016,
/// arXiv:1612.08083). Throws ShapeError for an odd size.
Tensor glu(const Tensor& x, const AxisOptions& options = {});

}  // namespace gradtape::inline v0
