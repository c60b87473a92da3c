#include <gradtape/core/error.hpp>
#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/one_thread.hpp>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>

#include <cblas.h>
#include <fmt/format.h>
#include <xsimd/xsimd.hpp>

#ifdef GRADTAPE_ONEDNN
#include <dnnl.h>
#endif

namespace gradtape::detail {
namespace {

/// A matrix as BLAS sees it.
template <class T>
struct Matrix {
  const T* data;
  std::int64_t rows, cols;
  std::int64_t row_step, col_step;

  explicit Matrix(const Array& a)
      : data(a.data<T>()), rows(a.shape()[0]), cols(a.shape()[1]), row_step(a.strides()[0]), col_step(a.strides()[1]) {}

  bool row_major() const { return (col_step == 1 || cols == 1) && (row_step >= cols || rows == 1); }
  bool column_major() const { return (row_step == 1 || rows == 1) && (col_step >= rows || cols == 1); }
  std::int64_t leading() const { return row_major() ? std::max(rows == 1 ? cols : row_step, std::int64_t{1}) : std::max(cols == 1 ? rows : col_step, std::int64_t{1}); }
};

// OpenBLAS takes a process-wide lock even for tiny products, and its call costs more than they do. Here b is packed on the
// stack row by row, so that the inner loop runs over full lanes of it.
constexpr std::int64_t small_work = 4096;  // m * n * k
constexpr std::int64_t small_cols = 64;
constexpr std::int64_t small_depth = 256;

template <class T>
bool small_gemm(T* out, const Matrix<T>& a, const Matrix<T>& b, double beta) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  const std::int64_t m = a.rows, n = b.cols, k = a.cols;
  const std::int64_t padded = (n + lane - 1) / lane * lane;
  if (m * n * k > small_work || n > small_cols || k > small_depth || k * padded > small_work) return false;
  alignas(64) T packed[static_cast<std::size_t>(small_work)];
  for (std::int64_t p = 0; p < k; ++p) {
    T* row = packed + p * padded;
    const T* from = b.data + p * b.row_step;
    for (std::int64_t j = 0; j < n; ++j) row[j] = from[j * b.col_step];
    for (std::int64_t j = n; j < padded; ++j) row[j] = 0;
  }
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; j += lane) {
      Batch sum(T{0});
      const T* left = a.data + i * a.row_step;
      for (std::int64_t p = 0; p < k; ++p) sum = xsimd::fma(Batch(left[p * a.col_step]), Batch::load_aligned(packed + p * padded + j), sum);
      T* to = out + i * n + j;
      if (j + lane <= n) {
        (beta == 0 ? sum : sum + Batch::load_unaligned(to)).store_unaligned(to);
      } else {
        alignas(64) T rest[Batch::size];
        sum.store_aligned(rest);
        for (std::int64_t r = 0; r < n - j; ++r) to[r] = beta == 0 ? rest[r] : to[r] + rest[r];
      }
    }
  return true;
}

int blas_int(std::int64_t n) {
  if (n > INT_MAX) throw ShapeError(fmt::format("matmul: a dimension of {} is beyond what BLAS can count", n));
  return static_cast<int>(n);
}

#ifdef GRADTAPE_ONEDNN
// Measured on Zen 3 and on a processor with AVX-512: from 40 cubed up, but OpenBLAS has the better large products for AVX2.
bool onednn_is_ahead(double work) {
  static const bool avx512 = __builtin_cpu_supports("avx512f");
  return work >= 40.0 * 40 * 40 && (avx512 || work <= 512.0 * 512 * 512);
}
#endif

template <class T>
void blas_gemm(T* out, const Matrix<T>& a, const Matrix<T>& b, double beta) {
  const int m = blas_int(a.rows), n = blas_int(b.cols), k = blas_int(a.cols);
  const int lda = blas_int(a.leading()), ldb = blas_int(b.leading());
  const bool ta = !a.row_major(), tb = !b.row_major();
  const OneThread alone;
  if constexpr (std::is_same_v<T, float>) {
#ifdef GRADTAPE_ONEDNN
    if (std::min({m, n, k}) >= 8 && onednn_is_ahead(static_cast<double>(m) * n * k)) {
      dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1.0f, a.data, lda, b.data, ldb, static_cast<float>(beta), out, n);
      return;
    }
#endif
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, 1.0f, a.data, lda, b.data, ldb,
                static_cast<float>(beta), out, n);
  } else {
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, 1.0, a.data, lda, b.data, ldb, beta,
                out, n);
  }
}

template <class T>
void gemm_of(const Array& out, const Array& a, const Array& b, double beta) {
  const Matrix<T> left(a), right(b);
  if (out.numel() == 0) return;
  if (left.cols == 0) {
    if (beta == 0) fill(out, 0);
    return;
  }
  if (small_gemm(out.data<T>(), left, right, beta)) return;
  const bool a_fits = left.row_major() || left.column_major(), b_fits = right.row_major() || right.column_major();
  if (a_fits && b_fits) return blas_gemm(out.data<T>(), left, right, beta);
  // Neither axis is contiguous (a broadcast or a step): BLAS needs a copy.
  const Array pa = a_fits ? a : packed(a), pb = b_fits ? b : packed(b);
  blas_gemm(out.data<T>(), Matrix<T>(pa), Matrix<T>(pb), beta);
}

}  // namespace

void gemm(const Array& out, const Array& a, const Array& b, double beta) {
  if (out.dtype() == f32)
    gemm_of<float>(out, a, b, beta);
  else
    gemm_of<double>(out, a, b, beta);
}

}  // namespace gradtape::detail
