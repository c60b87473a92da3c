#pragma once

#include <gradtape/core/tensor.hpp>

#include <string_view>
#include <vector>

namespace gradtape::inline v0 {

// Products made of matmul; f32 or f64, all operands alike.

/// a[i] · b[j]: vectors (n), (m) -> (n, m). Throws ShapeError unless both are vectors.
Tensor outer(const Tensor& a, const Tensor& b);

/// Σ a[i] · b[i]: vectors (n), (n) -> scalar. Throws ShapeError unless both are vectors of one length.
Tensor dot(const Tensor& a, const Tensor& b);

/// Options of `tensordot`.
struct TensordotOptions {
  IntegerList axes_a = {-1};  ///< axes of a, negative ones from the end,
  IntegerList axes_b = {0};   ///< and those of b that they are summed against, in the same order
};

/// Sum of products over pairs of axes; the other axes of a, then those of b remain. Throws ShapeError unless each pair
/// has one size.
Tensor tensordot(const Tensor& a, const Tensor& b, const TensordotOptions& options = {});

/// Einstein's summation, `einsum("bij,bjk->bik", {a, b})`: a letter for each axis; letters that the result does not
/// have are summed over, a letter twice in one operand is its diagonal, and `...` stands for any axes, which broadcast.
/// Without `->` the result has the letters that stand once, in order of the alphabet. Any number of operands: the pair
/// that makes the smallest product is multiplied first, by matmul. Throws ShapeError that quotes the expression.
Tensor einsum(std::string_view expression, const std::vector<Tensor>& operands);

}  // namespace gradtape::inline v0
