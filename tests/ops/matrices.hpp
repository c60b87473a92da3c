#pragma once

/// \file
/// What the tests of linear algebra share: matrices on which its functions are smooth, and references by plain loops.

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <ops/rows.hpp>

namespace cases {

/// One matrix, of one element, of none, batches, batches of none.
inline std::vector<gt::Shape> squares() {
  return {{3, 3}, {1, 1}, {0, 0}, {5, 5}, {2, 3, 3}, {2, 1, 2, 2}, {0, 3, 3}, {2, 0, 0}};
}
/// The same for all sorts of matrices: tall, wide, square, without rows, without columns.
inline std::vector<gt::Shape> rectangles() {
  return {{5, 3},       {3, 5}, {4, 4}, {1, 1}, {1, 3},    {3, 1},   {2, 4, 3},
          {2, 1, 2, 3}, {0, 0}, {3, 0}, {0, 3}, {2, 3, 0}, {0, 3, 2}};
}

/// 1 on the diagonal of an m x n matrix, times 1, 1 + step, 1 + 2·step, …
inline gt::Tensor spread_diagonal(const gt::Shape& shape, double step) {
  const auto n = static_cast<double>(shape[-1]);
  const auto rows = gt::reshape(gt::arange(shape[-2], {.dtype = gt::f64}), {-1, 1}),
             columns = gt::arange(n, {.dtype = gt::f64});
  return gt::where(rows == columns, 1 + step * columns, 0 * columns);
}

/// Far from singular: random numbers, and more on the diagonal.
inline gt::Tensor regular(const gt::Shape& shape) {
  return between(-1, 1)(shape) + static_cast<double>(shape[-1]) * spread_diagonal(shape, 0);
}
/// A·Aᵀ + I.
inline gt::Tensor positive_definite(const gt::Shape& shape) {
  const gt::Tensor x = between(-1, 1)(shape);
  return gt::matmul(x, gt::transpose(x)) + spread_diagonal(shape, 0);
}
/// With eigenvalues and singular values well apart: random numbers, and ever more along the diagonal.
inline gt::Tensor spread(const gt::Shape& shape) { return between(-0.5, 0.5)(shape) + spread_diagonal(shape, 2); }

/// A matrix in double, row by row, for plain loops.
struct Grid {
  std::size_t rows, cols;
  std::vector<double> x;

  explicit Grid(const gt::Tensor& t)
      : Grid(static_cast<std::size_t>(t.shape()[-2]), static_cast<std::size_t>(t.shape()[-1]), doubles(t)) {}
  Grid(std::size_t m, std::size_t n, std::vector<double> values = {}) : rows(m), cols(n), x(std::move(values)) {
    x.resize(m * n);
  }
  double& operator()(std::size_t i, std::size_t j) { return x[i * cols + j]; }
  double operator()(std::size_t i, std::size_t j) const { return x[i * cols + j]; }
  gt::Tensor tensor() const { return gt::tensor(std::span(x), {rows, cols}); }
};

inline Grid product(const Grid& a, const Grid& b) {
  Grid out(a.rows, b.cols);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < b.cols; ++j)
      for (std::size_t k = 0; k < a.cols; ++k) out(i, j) += a(i, k) * b(k, j);
  return out;
}

inline Grid flipped(const Grid& a) {
  Grid out(a.cols, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.cols; ++j) out(j, i) = a(i, j);
  return out;
}

/// a⁻¹·b by elimination, and the determinant of a.
inline std::pair<Grid, double> eliminate(Grid a, Grid b) {
  double det = 1;
  for (std::size_t k = 0; k < a.rows; ++k) {
    std::size_t best = k;
    for (std::size_t i = k; i < a.rows; ++i)
      if (std::abs(a(i, k)) > std::abs(a(best, k))) best = i;
    if (best != k) det = -det;
    for (std::size_t j = 0; j < a.cols; ++j) std::swap(a(k, j), a(best, j));
    for (std::size_t j = 0; j < b.cols; ++j) std::swap(b(k, j), b(best, j));
    det *= a(k, k);
    for (std::size_t i = 0; i < a.rows; ++i) {
      if (i == k) continue;
      const double factor = a(i, k) / a(k, k);
      for (std::size_t j = k; j < a.cols; ++j) a(i, j) -= factor * a(k, j);
      for (std::size_t j = 0; j < b.cols; ++j) b(i, j) -= factor * b(k, j);
    }
  }
  for (std::size_t i = 0; i < b.rows; ++i)
    for (std::size_t j = 0; j < b.cols; ++j) b(i, j) /= a(i, i);
  return {b, det};
}

/// Matrix i of a batch with one batch axis.
inline gt::Tensor nth(const gt::Tensor& x, std::int64_t i) { return x[i]; }

}  // namespace cases
