#pragma once

#include <gradtape/ops/kernels/matrix.hpp>

namespace gradtape::inline v0::detail {

/// out = a · b + beta * out through OpenBLAS or oneDNN, on the calling thread alone; T is float or double, a row
/// of `out` has consecutive elements. False, and nothing done, where BLAS cannot read an operand: no axis of it is
/// contiguous, or a size is beyond its integers.
template <class T>
bool blas_gemm(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, double beta);

}  // namespace gradtape::inline v0::detail
