#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

/// Options of `dropout`.
struct DropoutOptions {
  double p = 0.5;        ///< chance of an element to become 0, 0 to 1
  bool training = true;  ///< else x stays as it is
};

/// x with each element 0 with probability p, whatever it is, and else divided by 1 - p (Srivastava et al., "Dropout",
/// 2014); f32, f64. By this thread's random numbers, see manual_seed; a checkpoint drops the same elements again. x
/// itself, without a number drawn, for p = 0 and where nobody trains. Throws ValueError for a p outside [0, 1].
Tensor dropout(const Tensor& x, const DropoutOptions& options = {});

namespace detail {
/// What dropout multiplies the elements by that it keeps; of none, nothing.
constexpr double dropout_scale(double p) { return p < 1 ? 1 / (1 - p) : 0; }
}  // namespace detail

}  // namespace gradtape::inline v0
