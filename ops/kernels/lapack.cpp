#include <gradtape/core/error.hpp>
#include <gradtape/ops/kernels/lapack.hpp>
#include <gradtape/ops/kernels/one_thread.hpp>
#include <gradtape/ops/kernels/views.hpp>

#include <algorithm>
#include <climits>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <cblas.h>
#include <fmt/format.h>
// The LAPACK half of xtensor-blas; its other half would cost twice the lines, and copies where layouts differ.
#include <xflens/cxxblas/auxiliary/debugmacro.h>
#include <xflens/cxxblas/typedefs.h>
#include <xflens/cxxlapack/interface/gelqf.tcc>
#include <xflens/cxxlapack/interface/gesdd.tcc>
#include <xflens/cxxlapack/interface/getrf.tcc>
#include <xflens/cxxlapack/interface/orglq.tcc>
#include <xflens/cxxlapack/interface/potrf.tcc>
#include <xflens/cxxlapack/interface/syevd.tcc>

// LAPACK counts columns first: a row-major matrix is its transpose there. Where that is the same (a symmetric matrix)
// or turns one factorization into another of use (LQ for QR, U and V of an SVD changing places), matrices go in as they
// are.
namespace gradtape::inline v0::detail {
namespace {

template <class F>
void with_type_of(const Array& a, F f) {
  with_floating("LAPACK", a.dtype(), f);
}

int rows_of(const Array& a) { return static_cast<int>(a.shape()[-2]); }
int cols_of(const Array& a) { return static_cast<int>(a.shape()[-1]); }

/// Room for n numbers: an array, so that it comes from the pool and its alignment, on which bits may depend, is always
/// the same.
template <class T>
Array scratch(std::int64_t n) {
  return Array::make(dtype_of<T>, {n});
}

/// The length of a workspace that LAPACK asked for, a number that may have been rounded.
template <class T>
int length(T wanted) {
  return static_cast<int>(std::nextafter(wanted, std::numeric_limits<T>::infinity()));
}

/// How many matrices, or with `inner` = 1 vectors, an array holds.
std::int64_t batch_of(const Array& a, int inner = 2) {
  std::int64_t n = 1;
  for (int axis = 0; axis < a.rank() - inner; ++axis) n *= a.shape()[axis];
  return n;
}

/// Matrix (or vector) number i; its own axes are packed, the leading ones may be stretched.
template <class T>
T* nth(const Array& a, std::int64_t i, int inner = 2) {
  std::int64_t offset = 0;
  for (int axis = a.rank() - inner - 1; axis >= 0; --axis) {
    offset += i % a.shape()[axis] * a.strides()[static_cast<std::size_t>(axis)];
    i /= a.shape()[axis];
  }
  return a.data<T>() + offset;
}

/// "the matrix", or "matrix 3 of the batch", or "matrix [1, 0] of the batch".
std::string which(const Array& a, std::int64_t i) {
  if (a.rank() == 2) return "the matrix";
  if (a.rank() == 3) return fmt::format("matrix {} of the batch", i);
  Shape batch;
  for (int axis = 0; axis < a.rank() - 2; ++axis) batch.push_back(a.shape()[axis]);
  return fmt::format("matrix {} of the batch", index_string(batch, i));
}

void require_finite(std::string_view op, const Array& packed) {
  with_type_of(packed, [&]<class T>(std::type_identity<T>) {
    const std::int64_t size = packed.shape()[-2] * packed.shape()[-1];
    for (std::int64_t i = 0; i < packed.numel(); ++i)
      if (!std::isfinite(packed.data<T>()[i]))
        throw ValueError(fmt::format("{}: {} has an element that is {}; all must be finite", op,
                                     which(packed, i / size), packed.data<T>()[i]));
  });
}

void require_converged(std::string_view op, const Array& a, std::int64_t matrix, int info) {
  if (info != 0)
    throw ValueError(fmt::format("{}: {} did not converge; scale it, or compute in f64", op, which(a, matrix)));
}

/// Throws where LAPACK's own count of the workspace would overflow.
void require_countable(std::string_view op, const Array& a, std::int64_t workspace) {
  if (workspace > INT_MAX)
    throw ShapeError(fmt::format("{}: {} has matrices larger than LAPACK can count", op, to_string(a.shape())));
}

/// A transposed copy of every matrix.
void copy_transposed(const Array& to, const Array& from) {
  copy_elements(transposed(to, to.rank() - 2, to.rank() - 1), from);
}

/// x := a⁻¹·x (or x·a⁻¹) for a triangular a in rows `step` apart, or, `flip`, its transpose; x (m,n) in rows.
template <class T>
void solve_triangle(Triangle triangle, bool flip, int m, int n, const T* a, int step, T* x) {
  const auto side = triangle.left ? CblasLeft : CblasRight;
  const auto part = triangle.upper ? CblasUpper : CblasLower;
  const auto transposition = flip ? CblasTrans : CblasNoTrans;
  const auto diagonal = triangle.unit ? CblasUnit : CblasNonUnit;
  if constexpr (std::is_same_v<T, float>)
    cblas_strsm(CblasRowMajor, side, part, transposition, diagonal, m, n, 1, a, step, x, n);
  else
    cblas_dtrsm(CblasRowMajor, side, part, transposition, diagonal, m, n, 1, a, step, x, n);
}

constexpr Triangle l_of_factors{.upper = true, .left = true, .unit = true},
    u_of_factors{.upper = false, .left = true, .unit = false};

}  // namespace

void lu(const Array& factors, const Array& pivots, const Array& a) {
  copy_transposed(factors, a);
  if (a.numel() == 0) return;
  const int n = cols_of(a);
  std::vector<int> swaps(static_cast<std::size_t>(n));
  const OneThread alone;
  with_type_of(a, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < batch_of(a); ++i) {
      cxxlapack::getrf<int>(n, n, nth<T>(factors, i), n, swaps.data());
      std::ranges::transform(swaps, nth<std::int64_t>(pivots, i, 1),
                             [](int from_one) { return std::int64_t{from_one} - 1; });
    }
  });
}

void lu_solve(const Array& x, const Array& factors, const Array& pivots, const Array& b, bool transposed) {
  copy_elements(x, b);
  if (x.numel() == 0) return;
  const int n = rows_of(x), k = cols_of(x);
  const OneThread alone;
  with_type_of(x, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < batch_of(x); ++i) {
      T* rows = nth<T>(x, i);
      const T* f = nth<T>(factors, i);
      const std::int64_t* swaps = nth<std::int64_t>(pivots, i, 1);
      const auto swap = [&](std::int64_t row) {
        if (swaps[row] != row) std::swap_ranges(rows + row * k, rows + (row + 1) * k, rows + swaps[row] * k);
      };
      if (transposed) {
        solve_triangle(u_of_factors, false, n, k, f, n, rows);
        solve_triangle(l_of_factors, false, n, k, f, n, rows);
        for (std::int64_t row = n; row-- > 0;) swap(row);
      } else {
        for (std::int64_t row = 0; row < n; ++row) swap(row);
        solve_triangle(l_of_factors, true, n, k, f, n, rows);
        solve_triangle(u_of_factors, true, n, k, f, n, rows);
      }
    }
  });
}

void require_pivots(std::string_view op, const Array& a, std::string_view wrong, double relative) {
  const std::int64_t n = std::min(a.shape()[-1], a.shape()[-2]),
                     step = a.strides()[static_cast<std::size_t>(a.rank() - 2)] +
                            a.strides()[static_cast<std::size_t>(a.rank() - 1)];
  if (n == 0) return;
  with_type_of(a, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < batch_of(a); ++i) {
      const T* diagonal = nth<T>(a, i);
      T largest = 0;
      for (std::int64_t k = 0; k < n; ++k) largest = std::max(largest, std::abs(diagonal[k * step]));
      for (std::int64_t k = 0; k < n; ++k)
        if (const T pivot = diagonal[k * step]; std::abs(pivot) <= static_cast<T>(relative) * largest)
          throw ValueError(fmt::format("{}: {} is {}: pivot {} is {:.6g}; pinv takes such a matrix", op, which(a, i),
                                       wrong, k, pivot));
    }
  });
}

void triangular_solve(const Array& x, const Array& a, const Array& b, Triangle triangle) {
  copy_elements(x, b);
  if (x.numel() == 0) return;
  const int n = cols_of(a);
  const auto [row_step, col_step] = std::pair(a.strides()[static_cast<std::size_t>(a.rank() - 2)],
                                              a.strides()[static_cast<std::size_t>(a.rank() - 1)]);
  const bool by_rows = n == 1 || (col_step == 1 && row_step >= n), by_columns = row_step == 1 && col_step >= n;
  if (!by_rows && !by_columns) return triangular_solve(x, packed(a), b, triangle);
  const std::int64_t step = std::max<std::int64_t>(n, by_rows ? row_step : col_step);
  if (step > INT_MAX) return triangular_solve(x, packed(a), b, triangle);
  triangle.upper = triangle.upper == by_rows;  // the transpose of a lower one is upper
  const OneThread alone;
  with_type_of(x, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < batch_of(x); ++i)
      solve_triangle(triangle, !by_rows, rows_of(x), cols_of(x), nth<T>(a, i), static_cast<int>(step), nth<T>(x, i));
  });
}

void cholesky(std::string_view op, const Array& l, const Array& a) {
  copy_elements(l, a);
  if (a.numel() == 0) return;
  const int n = cols_of(a);
  const OneThread alone;
  with_type_of(a, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < batch_of(a); ++i) {
      T* m = nth<T>(l, i);
      int at = cxxlapack::potrf<int>('U', n, m, n);
      for (int k = 0; at == 0 && k < n; ++k)
        if (std::isnan(m[k * (n + 1)])) at = k + 1;  // OpenBLAS lets NaN pass
      if (at != 0)
        throw ValueError(
            fmt::format("{}: {} is not positive definite: pivot {} is {:.6g}; all eigenvalues must be positive: add to "
                        "its diagonal",
                        op, which(a, i), at - 1, m[(at - 1) * (n + 1)]));
      for (int row = 0; row < n; ++row) std::fill(m + row * n + row + 1, m + (row + 1) * n, T{0});
    }
  });
}

void qr(const Array& q, const Array& r, const Array& a) {
  copy_elements(q, a);
  if (a.numel() == 0) return;
  const int m = rows_of(a), n = cols_of(a);
  const OneThread alone;
  with_type_of(a, [&]<class T>(std::type_identity<T>) {
    T size_of_r = 0, size_of_q = 0;
    cxxlapack::gelqf<int>(n, m, nullptr, n, nullptr, &size_of_r, -1);
    cxxlapack::orglq<int>(n, m, n, nullptr, n, nullptr, &size_of_q, -1);
    const int size = length(std::max(size_of_r, size_of_q));
    const Array tau = scratch<T>(n), work = scratch<T>(size);
    for (std::int64_t i = 0; i < batch_of(a); ++i) {
      T *to = nth<T>(q, i), *triangle = nth<T>(r, i);
      cxxlapack::gelqf<int>(n, m, to, n, tau.data<T>(), work.data<T>(), size);
      for (int row = 0; row < n; ++row) {
        std::fill_n(triangle + row * n, row, T{0});
        std::copy(to + row * n + row, to + (row + 1) * n, triangle + row * n + row);
      }
      cxxlapack::orglq<int>(n, m, n, to, n, tau.data<T>(), work.data<T>(), size);
    }
  });
}

void eigh(std::string_view op, const Array& values, const Array& vectors, const Array& a) {
  const Array rows = Array::make(a.dtype(), a.shape());  // an eigenvector a row
  copy_elements(rows, a);
  require_finite(op, rows);
  if (a.numel() == 0) return;
  const int n = cols_of(a);
  require_countable(op, a, 1 + 6 * std::int64_t{n} + 2 * std::int64_t{n} * n);
  const OneThread alone;
  with_type_of(a, [&]<class T>(std::type_identity<T>) {
    T wanted = 0;
    int whole_size = 0;
    cxxlapack::syevd<int>('V', 'U', n, nullptr, n, nullptr, &wanted, -1, &whole_size, -1);
    const int size = length(wanted);
    const Array work = scratch<T>(size);
    std::vector<int> whole(static_cast<std::size_t>(whole_size));
    for (std::int64_t i = 0; i < batch_of(a); ++i) {
      const int info = cxxlapack::syevd<int>('V', 'U', n, nth<T>(rows, i), n, nth<T>(values, i, 1), work.data<T>(),
                                             size, whole.data(), whole_size);
      require_converged(op, a, i, info);
    }
  });
  copy_transposed(vectors, rows);
}

void svd(std::string_view op, const Array& u, const Array& s, const Array& vt, const Array& a) {
  const Array used = Array::make(a.dtype(), a.shape());  // gesdd overwrites it
  copy_elements(used, a);
  require_finite(op, used);
  if (a.numel() == 0) return;
  const int m = rows_of(a), n = cols_of(a), k = std::min(m, n);
  require_countable(op, a, 5 * std::int64_t{k} * k + 100 * std::int64_t{std::max(m, n)});
  const OneThread alone;
  with_type_of(a, [&]<class T>(std::type_identity<T>) {
    T wanted = 0;
    std::vector<int> whole(8 * static_cast<std::size_t>(k));
    cxxlapack::gesdd<int>('S', n, m, nullptr, n, nullptr, nullptr, n, nullptr, k, &wanted, -1, whole.data());
    const int size = length(wanted);
    const Array work = scratch<T>(size);
    for (std::int64_t i = 0; i < batch_of(a); ++i) {
      const int info = cxxlapack::gesdd<int>('S', n, m, nth<T>(used, i), n, nth<T>(s, i, 1), nth<T>(vt, i), n,
                                             nth<T>(u, i), k, work.data<T>(), size, whole.data());
      require_converged(op, a, i, info);
    }
  });
}

}  // namespace gradtape::inline v0::detail
