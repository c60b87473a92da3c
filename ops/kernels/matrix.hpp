#pragma once

#include <gradtape/core/array.hpp>

#include <cstddef>
#include <cstdint>

namespace gradtape::inline v0::detail {

/// A matrix somewhere in memory, any strides.
template <class T>
struct Matrix {
  const T* data;
  std::int64_t rows, cols;
  std::int64_t row_step, col_step;
};

template <class T>
Matrix<T> transposed(const Matrix<T>& x) {
  return {x.data, x.cols, x.rows, x.col_step, x.row_step};
}

/// Where matrix `index` of a batch starts; leading axes counted as one, the last fastest.
inline std::int64_t start_of(const Array& x, std::int64_t index) {
  std::int64_t offset = 0;
  for (int axis = x.rank() - 2; axis-- > 0;) {
    offset += index % x.shape()[axis] * x.strides()[static_cast<std::size_t>(axis)];
    index /= x.shape()[axis];
  }
  return offset;
}

/// The first matrix of a batch: its last two axes. Along an axis of one element any step will do, and this one makes it
/// contiguous.
template <class T>
Matrix<T> matrix_of(const Array& x) {
  const auto row = static_cast<std::size_t>(x.rank()) - 2, col = row + 1;
  const std::int64_t rows = x.shape().begin()[row], cols = x.shape().begin()[col];
  return {x.data<T>(), rows, cols, rows == 1 ? 1 : x.strides()[row], cols == 1 ? 1 : x.strides()[col]};
}

/// Matrix `index` of a batch.
template <class T>
Matrix<T> matrix_at(const Array& x, std::int64_t index) {
  Matrix<T> matrix = matrix_of<T>(x);
  matrix.data += start_of(x, index);
  return matrix;
}

}  // namespace gradtape::inline v0::detail
