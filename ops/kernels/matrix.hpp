#pragma once

#include <cstdint>

namespace gradtape::detail {

/// A matrix somewhere in memory, any strides.
template <class T>
struct Matrix {
  const T* data;
  std::int64_t rows, cols;
  std::int64_t row_step, col_step;
};

}  // namespace gradtape::detail
