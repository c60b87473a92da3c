#pragma once

#include <gradtape/core/strided.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace gradtape::inline v0::detail {

/// Calls `f(&x[…, index[i…], …], &y[i…], 1)` for every i of the index, in row-major order, where the index takes the
/// place of the one along `axis`; any strides. Elements in a row that are picked alike come in one call, with their
/// number.
template <class T, class F>
void for_each_indexed(const Array& x, const Array& index, const Array& y, int axis, F f) {
  Strides other = x.strides();  // without the axis
  const std::int64_t step = std::exchange(other[static_cast<std::size_t>(axis)], 0);
  const auto last = static_cast<std::size_t>(index.rank() - 1);
  const std::int64_t sx = other[last], si = index.strides()[last], sy = y.strides()[last];
  for_each_row<3>(index.shape(), {other, index.strides(), y.strides()}, [&](std::int64_t n, const auto& at) {
    T* const from = x.data<T>() + at[0];
    T* const to = y.data<T>() + at[2];
    const std::int64_t* const i = index.data<std::int64_t>() + at[1];
    if (si == 0 && sx == 1 && sy == 1)
      f(from + *i * step, to, n);
    else
      for (std::int64_t k = 0; k < n; ++k) f(from + i[k * si] * step + k * sx, to + k * sy, std::int64_t{1});
  });
}

}  // namespace gradtape::inline v0::detail
