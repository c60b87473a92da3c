#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/kernels/statistics.hpp>

#include <cmath>

namespace gradtape::inline v0::detail {
namespace {

/// Σ f(x) over n elements, in several sums side by side.
template <class T, class F>
double sum_of(const T* x, std::int64_t n, F f) {
  constexpr std::int64_t width = 16;
  double part[width] = {}, total = 0;
  std::int64_t i = 0;
  for (; i + width <= n; i += width)
    for (std::int64_t k = 0; k < width; ++k) part[k] += f(static_cast<double>(x[i + k]));
  for (; i < n; ++i) total += f(static_cast<double>(x[i]));
  for (const double sum : part) total += sum;
  return total;
}

/// out = f(row, n) for every row.
template <class F>
void for_each_row(const Array& out, const Array& x, F f) {
  const std::int64_t rows = x.shape()[0], n = x.shape()[1];
  with_floating("statistics", x.dtype(), [&]<class T>(std::type_identity<T>) {
    parallel_for(rows, rows_a_part(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) out.data<T>()[r] = static_cast<T>(f(x.data<T>() + r * n, n));
    });
  });
}

}  // namespace

void variance(const Array& out, const Array& x, double divisor) {
  for_each_row(out, x, [divisor](const auto* row, std::int64_t n) {
    const double mean = sum_of(row, n, [](double v) { return v; }) / static_cast<double>(n);
    return sum_of(row, n, [mean](double v) { return (v - mean) * (v - mean); }) / divisor;
  });
}

void norm(const Array& out, const Array& x, double p) {
  for_each_row(out, x, [p](const auto* row, std::int64_t n) {
    if (p == 2) return std::sqrt(sum_of(row, n, [](double v) { return v * v; }));
    return std::pow(sum_of(row, n, [p](double v) { return std::pow(std::abs(v), p); }), 1 / p);
  });
}

}  // namespace gradtape::inline v0::detail
