#pragma once

#include <gradtape/core/tensor.hpp>

#include <optional>

namespace gradtape::inline v0 {

// What kind of number an element is, boolean results; every dtype, where integers and booleans are finite.
Tensor isnan(const Tensor& x);     ///< NaN
Tensor isinf(const Tensor& x);     ///< inf or -inf
Tensor isfinite(const Tensor& x);  ///< neither NaN nor infinite

/// Options of nan_to_num.
struct NanToNumOptions {
  double nan = 0;                     ///< instead of NaN
  std::optional<double> posinf = {};  ///< instead of inf; the largest number of the dtype unless told
  std::optional<double> neginf = {};  ///< instead of -inf; the lowest number of the dtype unless told
};

/// x with numbers in the place of NaN and infinities, elementwise; f32, f64. The gradient there is 0.
Tensor nan_to_num(const Tensor& x, const NanToNumOptions& options = {});

// Logic on booleans, elementwise with broadcasting. Throws DtypeError for another dtype.
Tensor logical_and(const Tensor& a, const Tensor& b);  ///< both
Tensor logical_or(const Tensor& a, const Tensor& b);   ///< at least one
Tensor logical_xor(const Tensor& a, const Tensor& b);  ///< exactly one
Tensor logical_not(const Tensor& x);                   ///< the contrary

}  // namespace gradtape::inline v0
