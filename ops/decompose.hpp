#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

// Factorizations of the matrices on the last two axes, a (m,n) or (…,m,n), f32 or f64, by LAPACK. They differentiate to
// any order where the factors are differentiable. See ops/linalg.hpp for conventions. For a symmetric a is meant its
// symmetric part (a + aᵀ)/2, so that the gradient, which is symmetric, is the derivative whichever way a is varied.

/// Options of `cholesky`.
struct CholeskyOptions {
  bool upper = false;  ///< return Lᵀ
};

/// Lower triangular L with L·Lᵀ = a for symmetric positive definite a. dA = L⁻ᵀ·Φ(Lᵀ·G)·L⁻¹, its symmetric part, where
/// Φ keeps the lower triangle and half of the diagonal (Murray, "Differentiation of the Cholesky decomposition", 2016).
/// Throws ValueError that names the pivot (and the matrix of the batch) unless a is positive definite.
Tensor cholesky(const Tensor& a, const CholeskyOptions& options = {});

/// What `qr` returns.
struct QrResult {
  Tensor q;  ///< (…,m,k) with orthonormal columns, k = min(m, n)
  Tensor r;  ///< (…,k,n), upper triangular
};

/// Q·R = a, reduced; the signs are LAPACK's. dA = (G_Q + Q·sym(tril(M)))·R⁻ᵀ, M = R·G_Rᵀ - G_Qᵀ·Q, where sym mirrors a
/// lower triangle (Walter and Lehmann, "Algorithmic differentiation of linear algebra functions with application in
/// optimum experimental design", 2010). There is a derivative if the first k columns are independent; otherwise the
/// gradient is infinite or NaN.
QrResult qr(const Tensor& a);

/// What `eigh` returns.
struct EighResult {
  Tensor values;   ///< (…,n), ascending
  Tensor vectors;  ///< (…,n,n), orthonormal columns in the order of the values; each is determined but for its sign
};

/// Eigenvalues and eigenvectors V·diag(λ)·Vᵀ = a of symmetric a. dA = V·(diag(G_λ) + F∘(Vᵀ·G_V))·Vᵀ, F_ij = 1/(λ_j -
/// λ_i) off the diagonal. Vectors of equal eigenvalues have no derivative, and their gradient is infinite or NaN there;
/// that of the values alone does not divide and is right. Throws ValueError for elements that are not finite.
EighResult eigh(const Tensor& a);

/// What `svd` returns.
struct SvdResult {
  Tensor u;   ///< (…,m,k) with orthonormal columns, k = min(m, n)
  Tensor s;   ///< (…,k), descending, not negative
  Tensor vt;  ///< (…,k,n) with orthonormal rows; a column of u and the row of vt are determined but for a common sign
};

/// The reduced singular value decomposition U·diag(s)·Vᵀ = a. dA = [U·(F∘(Uᵀ·G_U - G_Uᵀ·U))·S + (I - U·Uᵀ)·G_U·S⁻¹]·Vᵀ
/// + U·diag(G_s)·Vᵀ + the like of the first for V, F_ij = 1/(s_j² - s_i²) off the diagonal (Townsend, "Differentiating
/// the singular value decomposition", 2016). Vectors of equal singular values have no derivative, nor, unless a is
/// square, those of zero; that of s alone does not divide and is right. Throws ValueError for elements that are not
/// finite.
SvdResult svd(const Tensor& a);

}  // namespace gradtape::inline v0
