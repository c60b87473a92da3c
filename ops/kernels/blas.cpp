#include <gradtape/ops/kernels/blas.hpp>
#include <gradtape/ops/kernels/one_thread.hpp>

#include <algorithm>
#include <climits>
#include <type_traits>

#include <cblas.h>

#ifdef GRADTAPE_ONEDNN
#include <dnnl.h>
#endif

namespace gradtape::inline v0::detail {
namespace {

/// How BLAS is told of a matrix; `leading` is 0 where it cannot be.
struct Layout {
  bool transposed;
  int leading;

  template <class T>
  explicit Layout(const Matrix<T>& x) : Layout(x.rows, x.cols, x.row_step, x.col_step, false) {
    if (leading == 0) *this = Layout(x.cols, x.rows, x.col_step, x.row_step, true);
  }

 private:
  Layout(std::int64_t rows, std::int64_t cols, std::int64_t row_step, std::int64_t col_step, bool as_transposed)
      : transposed(as_transposed), leading(0) {
    const std::int64_t step = rows == 1 ? cols : row_step;
    if ((col_step == 1 || cols == 1) && step >= cols && std::max({rows, cols, step}) <= INT_MAX)
      leading = static_cast<int>(step);
  }
};

#ifdef GRADTAPE_ONEDNN
// Measured on Zen 3 and on a processor with AVX-512: OpenBLAS has the better large products for AVX2.
bool onednn_is_ahead(double work) {
  static const bool avx512 = __builtin_cpu_supports("avx512f");
  return avx512 || work <= 512.0 * 512 * 512;
}
#endif

}  // namespace

template <class T>
bool blas_gemm(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, double beta) {
  const Layout left(a), right(b);
  if (left.leading == 0 || right.leading == 0 || out_step > INT_MAX) return false;
  const auto step = static_cast<int>(out_step);
  const auto m = static_cast<int>(a.rows), n = static_cast<int>(b.cols), k = static_cast<int>(a.cols);
  const auto ta = left.transposed ? CblasTrans : CblasNoTrans, tb = right.transposed ? CblasTrans : CblasNoTrans;
  const OneThread alone;
  if constexpr (std::is_same_v<T, float>) {
#ifdef GRADTAPE_ONEDNN
    if (onednn_is_ahead(static_cast<double>(m) * n * k)) {
      dnnl_sgemm(left.transposed ? 'T' : 'N', right.transposed ? 'T' : 'N', m, n, k, 1.0f, a.data, left.leading, b.data,
                 right.leading, static_cast<float>(beta), out, step);
      return true;
    }
#endif
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0f, a.data, left.leading, b.data, right.leading,
                static_cast<float>(beta), out, step);
  } else {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, a.data, left.leading, b.data, right.leading, beta, out, step);
  }
  return true;
}

template bool blas_gemm(float* out, std::int64_t out_step, const Matrix<float>& a, const Matrix<float>& b, double beta);
template bool blas_gemm(double* out, std::int64_t out_step, const Matrix<double>& a, const Matrix<double>& b,
                        double beta);

}  // namespace gradtape::inline v0::detail
