#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/ops/kernels/matrix.hpp>

namespace gradtape::inline v0::detail {

/// Which operand of a product is read with its last two axes exchanged.
enum class Transposed { none, left, right };

/// out = a · b + beta * out for matrices (…,m,k)·(…,k,n), after exchanges, of one floating dtype, leading axes alike;
/// any strides on a and b, transposes cost nothing. The rows of `out` must be packed, and it must share no memory with
/// a or b. beta is 0 or 1; with 0 what `out` holds is never read. An element is summed up in an order that depends on
/// the shapes and on which axes of a and b are contiguous.
void gemm(const Array& out, const Array& a, const Array& b, double beta, Transposed which = Transposed::none);

/// out (m,n) = a · b + plus, which is (m,n), or (n) for each row; the rest as above.
void gemm_plus(const Array& out, const Array& a, const Array& b, const Array& plus,
               Transposed which = Transposed::none);

/// out = or += a · b for two matrices of float or double; `out` is packed.
template <class T>
void gemm_at(T* out, const Matrix<T>& a, const Matrix<T>& b, bool add);

}  // namespace gradtape::inline v0::detail
