#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

// Diagonals and triangles of matrices. Diagonal k of a matrix holds the elements (i, i + k): 0 is the main one, those
// above it are positive.

/// Options of `eye`.
struct EyeOptions {
  std::optional<std::int64_t> columns = {};  ///< as many as rows unless told
  std::optional<Dtype> dtype = {};           ///< of the result; default_dtype() unless told
};

/// The identity (rows, columns): 1 on the diagonal and 0 elsewhere. Throws ValueError for a negative size.
Tensor eye(std::int64_t rows, const EyeOptions& options = {});

/// Options of `tri`.
struct TriOptions {
  std::optional<std::int64_t> columns = {};  ///< as many as rows unless told
  std::int64_t diagonal = 0;                 ///< the last with ones
  std::optional<Dtype> dtype = {};           ///< of the result; default_dtype() unless told
};

/// A matrix (rows, columns) of ones at and below a diagonal and zeros above. Throws ValueError for a negative size.
Tensor tri(std::int64_t rows, const TriOptions& options = {});

/// Options of `tril` and `triu`.
struct TriangleOptions {
  std::int64_t diagonal = 0;  ///< the last that is kept
};

/// The lower triangle of each matrix in x (…, m, n): what lies above the diagonal is 0, whatever it was. f32, f64 or
/// i64. Throws ShapeError below rank 2.
Tensor tril(const Tensor& x, const TriangleOptions& options = {});

/// The upper triangle of each matrix in x (…, m, n): what lies below the diagonal is 0, whatever it was. f32, f64 or
/// i64. Throws ShapeError below rank 2.
Tensor triu(const Tensor& x, const TriangleOptions& options = {});

/// Options of `diagonal`.
struct DiagonalOptions {
  std::int64_t offset = 0;  ///< which diagonal
  int axis1 = 0;            ///< the rows of the matrices; negative counts from the end
  int axis2 = 1;            ///< their columns
};

/// A diagonal of each matrix in x, a view: the two axes are dropped, their diagonal comes last. Empty where the offset
/// lies outside of the matrix. Any dtype. Throws ShapeError below rank 2, or for a bad or repeated axis.
Tensor diagonal(const Tensor& x, const DiagonalOptions& options = {});

/// Options of `diag`.
struct DiagOptions {
  std::int64_t offset = 0;  ///< which diagonal
};

/// Of a vector (n), the matrix that holds it on a diagonal: square, of n + |offset| rows. Of a matrix, its diagonal, a
/// view. Any dtype. Throws ShapeError for another rank.
Tensor diag(const Tensor& x, const DiagOptions& options = {});

}  // namespace gradtape::inline v0
