#pragma once

#include <gradtape/ops/kernels/lane_exp.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <xsimd/xsimd.hpp>

/// What a softmax does to one row of packed elements. For a source file's own use, and unnamed, as gemm_tile.hpp.
namespace gradtape::inline v0::detail {
namespace {

/// Applies `f` to the lanes of a row, `n` elements; the last lane is padded with `fill` and its rest thrown away.
template <class T, class F>
void map_row(T* out, const T* x, std::int64_t n, T fill, F f) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  std::int64_t i = 0;
  for (; i + lane <= n; i += lane) f(Batch::load_unaligned(x + i)).store_unaligned(out + i);
  if (i == n) return;
  alignas(64) T rest[Batch::size];
  std::fill_n(rest, Batch::size, fill);
  std::copy(x + i, x + n, rest);
  f(Batch::load_aligned(rest)).store_aligned(rest);
  std::copy(rest, rest + (n - i), out + i);
}

template <class T>
T max_of(const T* x, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  T best = -std::numeric_limits<T>::infinity();
  std::int64_t i = 0;
  if (n >= lane) {
    Batch top(best);
    for (; i + lane <= n; i += lane) top = xsimd::max(top, Batch::load_unaligned(x + i));
    alignas(64) T tops[Batch::size];
    top.store_aligned(tops);
    for (const T v : tops) best = std::max(best, v);
  }
  for (; i < n; ++i) best = std::max(best, x[i]);
  return std::isfinite(best) ? best : T{0};  // all -inf or a +inf: let NaN come out by itself
}

/// out = exp(x - shift); returns the sum.
template <class T>
T exp_row(T* out, const T* x, std::int64_t n, T shift) {
  using Batch = xsimd::batch<T>;
  Batch sum(T{0});
  map_row(out, x, n, -std::numeric_limits<T>::infinity(), [&](Batch v) {
    const Batch e = lanes::exp(v - Batch(shift));
    sum += e;
    return e;
  });
  return xsimd::hadd(sum);
}

/// out = y * (g - Σ g * y) * scale: the gradient of x from that of y = softmax(x); out may be g.
template <class T>
void softmax_row_vjp(T* out, const T* g, const T* y, std::int64_t n, T scale) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  Batch sum(T{0});
  std::int64_t i = 0;
  for (; i + lane <= n; i += lane) sum += Batch::load_unaligned(g + i) * Batch::load_unaligned(y + i);
  T dot = xsimd::hadd(sum);
  for (; i < n; ++i) dot += g[i] * y[i];
  for (i = 0; i < n; ++i) out[i] = y[i] * (g[i] - dot) * scale;
}

template <class T>
void scale_row(T* out, std::int64_t n, T factor) {
  using Batch = xsimd::batch<T>;
  map_row(out, out, n, T{0}, [&](Batch v) { return v * Batch(factor); });
}

}  // namespace
}  // namespace gradtape::inline v0::detail
