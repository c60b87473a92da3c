#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

// Functions of the matrices on the last two axes, a (m,n) or (…,m,n), f32 or f64, composed of recorded ops.

/// Sums (…) of the main diagonals; 0 of an empty one. Matrices need not be square.
Tensor trace(const Tensor& a);

/// aⁿ for square a, by repeated squaring; the identity for n = 0, (a⁻¹)⁻ⁿ for n < 0, which throws as `inv` does.
Tensor matrix_power(const Tensor& a, std::int64_t n);

/// eᵃ = Σ aᵏ/k! for square a, by scaling and squaring with the Padé approximant of degree 13 (Higham, "The scaling and
/// squaring method for the matrix exponential revisited", 2005), with the bound on the norm under which derivatives are
/// accurate too (Al-Mohy and Higham 2009).
Tensor matrix_exp(const Tensor& a);

}  // namespace gradtape::inline v0
