#pragma once

#include <gradtape/core/tensor.hpp>

#include <optional>
#include <string_view>

namespace gradtape::inline v0 {

// Linear algebra on the last two axes: a is a matrix (m,n) or a batch of them (…,m,n), f32 or f64. Everything here, and
// in ops/decompose.hpp, differentiates to any order. Gradients are written with G for the gradient of the result and
// follow Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
// differentiation" (2008), unless another source is named. ShapeError for what is no matrix, or not square where it has
// to be. Pivots, rows, columns and matrices of a batch are counted from 0 in messages.

/// a⁻¹ for square a. dA = -A⁻ᵀ·G·A⁻ᵀ. Throws ValueError that names the zero pivot (and the matrix of the batch) if a is
/// singular.
Tensor inv(const Tensor& a);

/// The x with a·x = b, by LU with partial pivoting: a (…,n,n) with b (n), or (…,n,k) whose leading axes broadcast
/// against those of a, as in NumPy 2. dB = A⁻ᵀ·G, dA = -dB·Xᵀ. Throws ShapeError if b does not fit, ValueError that
/// names the zero pivot if a is singular.
Tensor solve(const Tensor& a, const Tensor& b);

/// Options of `solve_triangular`.
struct SolveTriangularOptions {
  bool upper = false;          ///< a is upper triangular; lower unless told
  bool left = true;            ///< solve a·x = b; x·a = b otherwise
  bool unitriangular = false;  ///< take the diagonal of a as ones
};

/// The x with a·x = b for triangular a (…,n,n), of which the other triangle is not read; b as in `solve`, (…,k,n) if
/// not `left`. dB = A⁻ᵀ·G, dA = -dB·Xᵀ in the triangle. Errors as `solve`.
Tensor solve_triangular(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options = {});

/// The x that minimizes |a·x - b|, by QR: a (…,m,n) with b (m), or (…,m,k) whose leading axes broadcast against those
/// of a. Of many (m < n) the one with the smallest norm. Throws ShapeError if b does not fit, ValueError that names the
/// pivot if a has not full rank, to within rounding; see `pinv` then.
Tensor lstsq(const Tensor& a, const Tensor& b);

/// Options of `pinv`.
struct PinvOptions {
  std::optional<double> atol = {};  ///< singular values up to this are 0; 0 unless told
  std::optional<double> rtol = {};  ///< or up to this times the largest; unless told max(m, n)·ε, or 0 beside an atol
};

/// The pseudoinverse P (…,n,m) of Moore and Penrose, by SVD. dA = -Pᵀ·G·Pᵀ + (I - A·P)·Gᵀ·P·Pᵀ + Pᵀ·P·Gᵀ·(I - P·A)
/// (Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
/// separate", 1973), right as long as the rank does not change. Errors as `svd`.
Tensor pinv(const Tensor& a, const PinvOptions& options = {});

/// Determinants (…) of square a; 1 for n = 0. dA = G times the cofactors: det(A)·A⁻ᵀ or, if a determinant is 0, what
/// the SVD says of them, det(U)·det(V)·U·diag(∏_{j≠i} s_j)·Vᵀ, which holds for singular matrices too.
Tensor det(const Tensor& a);

/// What `slogdet` returns.
struct SlogdetResult {
  Tensor sign;       ///< -1, 0 or 1 (…); no gradient
  Tensor logabsdet;  ///< log|det a| (…)
};

/// Sign and logarithm of the absolute value of determinants, where these are too large or small for `det`; 0 and -inf
/// if a is singular. dA = G·A⁻ᵀ, infinite or NaN if a is singular.
SlogdetResult slogdet(const Tensor& a);

namespace detail {

/// Throws unless a is a matrix or a batch of them, f32 or f64.
void require_matrices(std::string_view op, const Tensor& a);
/// Likewise unless they are square.
void require_square(std::string_view op, const Tensor& a);
/// `solve_triangular` of what is known to fit; a zero pivot gives infinities.
Tensor solve_triangular_unchecked(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options = {});

}  // namespace detail

}  // namespace gradtape::inline v0
