#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/kernels/lane_exp.hpp>
#include <gradtape/ops/kernels/softmax.hpp>
#include <gradtape/ops/kernels/softmax_row.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

/// sum(exp(x - shift)), in one pass without an array.
template <class T>
T sum_exp(const T* x, std::int64_t n, T shift) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  Batch sum(T{0});
  std::int64_t i = 0;
  for (; i + lane <= n; i += lane) sum += lanes::exp(Batch::load_unaligned(x + i) - Batch(shift));
  if (i < n) {
    alignas(64) T rest[Batch::size];
    std::fill_n(rest, Batch::size, -std::numeric_limits<T>::infinity());
    std::copy(x + i, x + n, rest);
    sum += lanes::exp(Batch::load_aligned(rest) - Batch(shift));
  }
  return xsimd::hadd(sum);
}

template <class F>
void for_each_row(const Array& out, F row) {
  const std::int64_t n = out.rank() == 0 ? 1 : out.shape()[-1];
  if (out.numel() == 0) return;
  const auto rows = out.numel() / n;
  with_floating("softmax", out.dtype(), [&]<class T>(std::type_identity<T> type) {
    parallel_for(rows, rows_a_part(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) row(type, r, r * n, n);
    });
  });
}

}  // namespace

void softmax(const Array& out, const Array& x) {
  for_each_row(out, [&]<class T>(std::type_identity<T>, std::int64_t, std::int64_t at, std::int64_t n) {
    T* y = out.data<T>() + at;
    const T* row = x.data<T>() + at;
    scale_row(y, n, T{1} / exp_row(y, row, n, max_of(row, n)));
  });
}

void log_softmax(const Array& out, const Array& x) {
  for_each_row(out, [&]<class T>(std::type_identity<T>, std::int64_t, std::int64_t at, std::int64_t n) {
    using Batch = xsimd::batch<T>;
    const T* row = x.data<T>() + at;
    const T top = max_of(row, n), log_sum = std::log(sum_exp(row, n, top));
    // In this order: top + log_sum would lose the small one's digits.
    map_row(out.data<T>() + at, row, n, T{0}, [&](Batch v) { return (v - Batch(top)) - Batch(log_sum); });
  });
}

void logsumexp(const Array& out, const Array& x) {
  if (x.numel() == 0) return fill(out, -std::numeric_limits<double>::infinity());
  for_each_row(x, [&]<class T>(std::type_identity<T>, std::int64_t r, std::int64_t at, std::int64_t n) {
    constexpr std::int64_t block = 512;
    const T* row = x.data<T>() + at;
    const T top = max_of(row, n);
    double total = 0;  // over the blocks, so that long sums stay exact
    for (std::int64_t i = 0; i < n; i += block)
      total += static_cast<double>(sum_exp(row + i, std::min(block, n - i), top));
    out.data<T>()[r] = static_cast<T>(static_cast<double>(top) + std::log(total));
  });
}

void softmax_vjp(const Array& out, const Array& g, const Array& y) {
  for_each_row(out, [&]<class T>(std::type_identity<T>, std::int64_t, std::int64_t at, std::int64_t n) {
    softmax_row_vjp(out.data<T>() + at, g.data<T>() + at, y.data<T>() + at, n, T{1});
  });
}

void log_softmax_vjp(const Array& out, const Array& g, const Array& y) {
  for_each_row(out, [&]<class T>(std::type_identity<T>, std::int64_t, std::int64_t at, std::int64_t n) {
    const T* gr = g.data<T>() + at;
    T* to = out.data<T>() + at;
    T total = 0;
    for (std::int64_t i = 0; i < n; ++i) total += gr[i];
    exp_row(to, y.data<T>() + at, n, T{0});
    for (std::int64_t i = 0; i < n; ++i) to[i] = gr[i] - to[i] * total;
  });
}

void cross_entropy(const Array& out, const Array& x, const Array& labels) {
  const Array losses = Array::make(f64, labels.shape());
  double* const loss = losses.data<double>();
  for_each_row(x, [&]<class T>(std::type_identity<T>, std::int64_t r, std::int64_t at, std::int64_t n) {
    const T* row = x.data<T>() + at;
    const T top = max_of(row, n);
    loss[r] = static_cast<double>((top - row[labels.data<std::int64_t>()[r]]) + std::log(sum_exp(row, n, top)));
  });
  fill(out, std::accumulate(loss, loss + labels.numel(), 0.0) / static_cast<double>(labels.numel()));
}

void cross_entropy_vjp(const Array& out, const Array& g, const Array& x, const Array& labels) {
  for_each_row(out, [&]<class T>(std::type_identity<T>, std::int64_t r, std::int64_t at, std::int64_t n) {
    T* to = out.data<T>() + at;
    const T* row = x.data<T>() + at;
    const T scale = *g.data<T>() / static_cast<T>(labels.numel());
    scale_row(to, n, scale / exp_row(to, row, n, max_of(row, n)));
    to[labels.data<std::int64_t>()[r]] -= scale;
  });
}

}  // namespace gradtape::inline v0::detail
