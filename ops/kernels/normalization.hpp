#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::inline v0::detail {

/// How rows are normalised: x̂ = (x - m) · r, r = 1 / √(mean((x - m)²) + eps), m the row's mean if `centered`, else 0.
struct RowNorm {
  std::int64_t n;  ///< elements of a row
  bool centered;
  double eps;
};

// Packed arrays of one dtype, f32 or f64.

/// out = x̂, row by row.
void normalize(const Array& out, const Array& x, const RowNorm& norm);
/// out = x̂ · weight + bias, weight and bias of one row.
void normalize_affine(const Array& out, const Array& x, const Array& weight, const Array& bias, const RowNorm& norm);
/// The gradient of x from that of x̂: r · (g - mean(g) - x̂ · mean(g · x̂)), without mean(g) unless centered.
void normalize_vjp(const Array& out, const Array& g, const Array& x, const RowNorm& norm);
/// The gradient of the weight: Σ g · x̂ over the rows, each column in groups of 64.
void normalize_weight_vjp(const Array& out, const Array& g, const Array& x, const RowNorm& norm);

}  // namespace gradtape::inline v0::detail
