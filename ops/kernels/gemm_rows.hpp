#pragma once

#include <gradtape/ops/kernels/gemm_tile.hpp>
#include <gradtape/ops/kernels/lane_core.hpp>
#include <gradtape/ops/kernels/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

/// Products of few rows, above all vector · matrix: as fast as b streams by, which is read once and where it stands.
/// For one source file alone, and unnamed, as gemm_tile.hpp.
namespace gradtape::inline v0::detail {
namespace {

/// out (n) = or += Σ a[p] · row p of b over N rows.
template <int N, class T>
void combine_rows(T* out, const T* a, std::int64_t a_step, const T* b, std::int64_t b_step, std::int64_t n, bool add) {
  using Batch = xsimd::batch<T>;
  Batch factor[N];
  unrolled<N>([&](auto p) { factor[p] = Batch(a[p * a_step]); });
  const auto at = [&](std::int64_t j, Batch sum) {
    unrolled<N>([&](auto p) { sum = lanes::fma(factor[p], Batch::load_unaligned(b + p * b_step + j), sum); });
    return sum;
  };
  std::int64_t j = 0;
  for (; j + lane<T> <= n; j += lane<T>)
    at(j, add ? Batch::load_unaligned(out + j) : Batch(T{0})).store_unaligned(out + j);
  if (j == n) return;
  const lanes::First<Batch> rest(n - j);
  rest.store(out + j, at(j, add ? rest.load(out + j) : Batch(T{0})));
}

/// Where the rows of b have consecutive elements: eight of them at once, in strips for which `out` stays in the nearest
/// cache.
template <class T>
void add_rows(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, bool add) {
  constexpr int together = 8;
  constexpr auto strip = static_cast<std::int64_t>(4096 / sizeof(T));
  for (std::int64_t j = 0; j < b.cols; j += strip) {
    const std::int64_t n = std::min(strip, b.cols - j);
    for (std::int64_t p = 0; p < a.cols;) {
      const bool many = p + together <= a.cols;
      for (std::int64_t i = 0; i < a.rows; ++i)
        (many ? combine_rows<together, T>
              : combine_rows<1, T>)(out + i * out_step + j, a.data + i * a.row_step + p * a.col_step, a.col_step,
                                    b.data + p * b.row_step + j, b.row_step, n, add || p > 0);
      p += many ? together : 1;
    }
  }
}

constexpr int dots = 4;

/// out (n, at most `dots`) = or += a · columns of b; a (k) and the columns have consecutive elements. An element's sum
/// has the same order whatever n is. (Not inlined, for there it would run out of registers.)
template <class T>
[[gnu::noinline]] void dot_columns(T* out, const T* a, const T* b, std::int64_t b_step, std::int64_t n, std::int64_t k,
                                   bool add) {
  using Batch = xsimd::batch<T>;
  Batch sum[dots];
  const T* column[dots];
  unrolled<dots>([&](auto j) {
    sum[j] = Batch(T{0});
    column[j] = b + std::min<std::int64_t>(j, n - 1) * b_step;
  });
  const auto add_products = [&](std::int64_t p, auto load) {
    const Batch left = load(a + p);
    unrolled<dots>([&](auto j) { sum[j] = lanes::fma(left, load(column[j] + p), sum[j]); });
  };
  std::int64_t p = 0;
  for (; p + lane<T> <= k; p += lane<T>) add_products(p, [](const T* x) { return Batch::load_unaligned(x); });
  if (p < k)  // what stands behind the last element is nobody's, and may be NaN
    add_products(p, [rest = lanes::First<Batch>(k - p)](const T* x) { return rest.load(x); });
  alignas(64) T part[dots][Batch::size], total[dots];
  unrolled<dots>([&](auto j) { sum[j].store_aligned(part[j]); });
  for (std::int64_t j = 0; j < dots; j += side<T>) {
    Quad<T> square[Quad<T>::size];
    unrolled<side<T>>([&](auto i) {
      square[i] = Quad<T>::load_aligned(part[j + i]);
      unrolled<lane<T> / side<T> - 1>(
          [&](auto q) { square[i] += Quad<T>::load_aligned(part[j + i] + (q + 1) * side<T>); });
    });
    transpose_square<T>(square);
    unrolled<side<T> - 1>([&](auto i) { square[0] += square[i + 1]; });
    square[0].store_aligned(total + j);
  }
  for (std::int64_t j = 0; j < n; ++j) out[j] = add ? out[j] + total[j] : total[j];
}

/// Where the columns of b have consecutive elements, and the rows of a.
template <class T>
void add_dots(T* out, std::int64_t out_step, const Matrix<T>& a, const Matrix<T>& b, bool add) {
  for (std::int64_t j = 0; j < b.cols; j += dots)
    for (std::int64_t i = 0; i < a.rows; ++i)
      dot_columns(out + i * out_step + j, a.data + i * a.row_step, b.data + j * b.col_step, b.col_step,
                  std::min<std::int64_t>(dots, b.cols - j), a.cols, add);
}

}  // namespace
}  // namespace gradtape::inline v0::detail
