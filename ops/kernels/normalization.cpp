#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/kernels/normalization.hpp>

#include <algorithm>
#include <cmath>

#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

/// Σ at(i) over a row of n elements, `at` giving the lanes from i on: in T over a block, in double over the blocks.
template <class T, class F>
double sum_row(std::int64_t n, F at) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  double total = 0;
  for (std::int64_t first = 0; first < n; first += 64 * lane) {
    const std::int64_t end = std::min(n, first + 64 * lane);
    Batch sum(T{0});
    std::int64_t i = first;
    for (; i + lane <= end; i += lane) sum += at(i);
    total += static_cast<double>(xsimd::hadd(sum));
    if (i == end) continue;
    alignas(64) T rest[Batch::size];
    at(i).store_aligned(rest);
    for (std::int64_t k = 0; k < end - i; ++k) total += static_cast<double>(rest[k]);
  }
  return total;
}

/// out[i] = at(i) likewise.
template <class T, class F>
void store_row(T* out, std::int64_t n, F at) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  std::int64_t i = 0;
  for (; i + lane <= n; i += lane) at(i).store_unaligned(out + i);
  if (i == n) return;
  alignas(64) T rest[Batch::size];
  at(i).store_aligned(rest);
  std::copy_n(rest, n - i, out + i);
}

template <class T>
xsimd::batch<T> load(const T* x) {
  return xsimd::batch<T>::load_unaligned(x);
}

/// The lanes of x̂ of one row.
template <class T>
struct Row {
  const T* x;
  T mean = 0, rest = 0, r;  // the mean is mean + rest: where it is large, T rounds it by much of a deviation

  Row(const T* row, const RowNorm& norm) : x(row) {
    const auto average = [&](auto at) { return sum_row<T>(norm.n, at) / static_cast<double>(norm.n); };
    if (norm.centered) {
      mean = static_cast<T>(average([&](std::int64_t i) { return load(x + i); }));
      rest = static_cast<T>(average([&](std::int64_t i) { return load(x + i) - mean; }));
    }
    const double square = average([&](std::int64_t i) {
      const auto d = centered(i);
      return d * d;
    });
    r = static_cast<T>(1 / std::sqrt(square + norm.eps));
  }
  auto operator()(std::int64_t i) const { return centered(i) * r; }

 private:
  auto centered(std::int64_t i) const { return (load(x + i) - mean) - rest; }
};

/// Calls `f(row, number of its first element)` for every row of x.
template <class F>
void for_each_row(const Array& x, const RowNorm& norm, F f) {
  if (x.numel() == 0) return;
  with_floating("layer_norm", x.dtype(), [&]<class T>(std::type_identity<T>) {
    parallel_for(x.numel() / norm.n, rows_a_part(norm.n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin * norm.n; at < end * norm.n; at += norm.n) f(Row<T>(x.data<T>() + at, norm), at);
    });
  });
}

}  // namespace

void normalize(const Array& out, const Array& x, const RowNorm& norm) {
  for_each_row(x, norm,
               [&]<class T>(const Row<T>& row, std::int64_t at) { store_row(out.data<T>() + at, norm.n, row); });
}

void normalize_affine(const Array& out, const Array& x, const Array& weight, const Array& bias, const RowNorm& norm) {
  for_each_row(x, norm, [&]<class T>(const Row<T>& row, std::int64_t at) {
    const T *w = weight.data<T>(), *b = bias.data<T>();
    store_row(out.data<T>() + at, norm.n, [&](std::int64_t i) { return row(i) * load(w + i) + load(b + i); });
  });
}

void normalize_vjp(const Array& out, const Array& g, const Array& x, const RowNorm& norm) {
  const auto n = static_cast<double>(norm.n);
  for_each_row(x, norm, [&]<class T>(const Row<T>& row, std::int64_t at) {
    const T* gr = g.data<T>() + at;
    const auto mean = [&](auto f) { return static_cast<T>(sum_row<T>(norm.n, f) / n); };
    const T mean_g = norm.centered ? mean([&](std::int64_t i) { return load(gr + i); }) : T{0},
            mean_gx = mean([&](std::int64_t i) { return load(gr + i) * row(i); });
    store_row(out.data<T>() + at, norm.n,
              [&](std::int64_t i) { return (load(gr + i) - mean_g - row(i) * mean_gx) * row.r; });
  });
}

void normalize_weight_vjp(const Array& out, const Array& g, const Array& x, const RowNorm& norm) {
  constexpr std::int64_t group = 64;
  fill(out, 0);
  if (x.numel() == 0) return;
  const std::int64_t n = norm.n, rows = x.numel() / n;
  const std::int64_t part = divide_up(rows_a_part(n), group) * group, parts = divide_up(rows, part);
  constexpr std::int64_t unit = 64 / size_of(f32);
  const std::int64_t step = divide_up(n, unit) * unit;            // so that a row's last lanes are no other part's
  const Array sums = Array::make(out.dtype(), {parts, 2, step});  // of a part's groups, and of the rows of one
  fill(sums, 0);
  with_floating("layer_norm", x.dtype(), [&]<class T>(std::type_identity<T>) {
    const auto add = [n](T* to, const T* from) {
      store_row(to, n, [&](std::int64_t i) { return load(to + i) + load(from + i); });
    };
    parallel_for(rows, part, [&](std::int64_t begin, std::int64_t end) {
      T *const total = sums.data<T>() + 2 * (begin / part) * step, *const of_group = total + step;
      for (std::int64_t r = begin; r < end; ++r) {
        const Row<T> row(x.data<T>() + r * n, norm);
        const T* const gr = g.data<T>() + r * n;
        store_row(of_group, n, [&](std::int64_t i) { return load(of_group + i) + load(gr + i) * row(i); });
        if ((r + 1) % group != 0 && r + 1 != rows) continue;
        add(total, of_group);
        std::fill_n(of_group, n, T{0});
      }
    });
    for (std::int64_t p = 0; p < parts; ++p) add(out.data<T>(), sums.data<T>() + 2 * p * step);
  });
}

}  // namespace gradtape::inline v0::detail
