#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::inline v0::detail {

// Reduce the axes in `mask` of `x`, which may be strided, into the packed `out`; f32, f64, i64 (which wraps around).
void reduce_sum(const Array& out, const Array& x, unsigned mask);
void reduce_prod(const Array& out, const Array& x, unsigned mask);
void reduce_max(const Array& out, const Array& x, unsigned mask);
void reduce_min(const Array& out, const Array& x, unsigned mask);

/// The rows of a matrix of floats, which may be strided, added up into the packed `out`.
void sum_rows(const Array& out, const Array& x);

// Index of the first largest or smallest element of each row of the packed matrix `x`, or of its first NaN.
void argmax(const Array& out, const Array& x);
void argmin(const Array& out, const Array& x);

/// How many elements of each row of the packed matrix `x`, of any dtype, are not 0.
void count_nonzero(const Array& out, const Array& x);

}  // namespace gradtape::inline v0::detail
