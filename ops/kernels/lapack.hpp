#pragma once

#include <gradtape/core/array.hpp>

#include <cstdint>
#include <string_view>

/// OpenBLAS's LAPACK on batches: the last two axes of an array are a matrix, everything is of one floating dtype but
/// pivots, which are i64. Inputs may have any strides; outputs are packed, have the shapes that their names stand for,
/// and share no memory with inputs. `op` is who gets named in errors, which are ValueErrors that name the matrix of the
/// batch.
namespace gradtape::inline v0::detail {

/// factors, pivots (…,n): P·L·U = a (…,n,n) with partial pivoting. `factors` is the transpose of L (unit diagonal, not
/// stored) and U in one matrix; row i was swapped with row pivots[i], in this order. Singular matrices too.
void lu(const Array& factors, const Array& pivots, const Array& a);
/// x = a⁻¹·b, or a⁻ᵀ·b, from the factors of a; leading axes of factors and pivots may be stretched. b (…,n,k).
void lu_solve(const Array& x, const Array& factors, const Array& pivots, const Array& b, bool transposed);
/// Throws, and says that such a matrix is `wrong`, if an element of a diagonal is at most `relative` times the largest
/// of that diagonal in absolute value.
void require_pivots(std::string_view op, const Array& a, std::string_view wrong = "singular", double relative = 0);

/// A triangular matrix and where it stands.
struct Triangle {
  bool upper;  ///< that triangle is read
  bool left;   ///< a·x = b; else x·a = b
  bool unit;   ///< the diagonal is ones, whatever stands there
};
/// The x with a·x = b or x·a = b for a triangular a; its leading axes may be stretched.
void triangular_solve(const Array& x, const Array& a, const Array& b, Triangle triangle);

/// Lower triangular l with l·lᵀ = a, of which the lower triangle is read. Throws unless a is positive definite.
void cholesky(std::string_view op, const Array& l, const Array& a);
/// q (…,m,n) with orthonormal columns times upper triangular r (…,n,n) = a (…,m,n), m >= n.
void qr(const Array& q, const Array& r, const Array& a);
/// Eigenvalues (…,n), ascending, and eigenvectors, the columns of (…,n,n), of a symmetric a, of which the lower
/// triangle is read. Throws for elements that are not finite.
void eigh(std::string_view op, const Array& values, const Array& vectors, const Array& a);
/// u (…,m,k)·diag(s)·vt (…,k,n) = a, k = min(m, n), s descending. Throws for elements that are not finite.
void svd(std::string_view op, const Array& u, const Array& s, const Array& vt, const Array& a);

}  // namespace gradtape::inline v0::detail
