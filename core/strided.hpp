#pragma once

#include <gradtape/core/array.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

/// Loops over arrays of any strides: stretched, backwards and overlapping ones included.
namespace gradtape::inline v0::detail {

/// Calls `row(n, at)` for what elements [begin, begin + count) of `shape`, which exist, have of each row along its last
/// axis, in row-major order: n of them, the first at `at[k]` under `strides[k]`. A scalar is a row of one element.
template <std::size_t N, class F>
void for_each_row(const Shape& shape, const std::array<Strides, N>& strides, std::int64_t begin, std::int64_t count,
                  F row) {
  if (count == 0) return;
  const int last = shape.rank() - 1, second = last - 1;
  const std::int64_t length = last < 0 ? 1 : shape[last];
  std::int64_t skipped = 0;  // of the first row
  std::array<std::int64_t, max_rank> index{};
  std::array<std::int64_t, N> at{};
  const auto move = [&](int axis, std::int64_t steps) {
    for (std::size_t k = 0; k < N; ++k) at[k] += strides[k][static_cast<std::size_t>(axis)] * steps;
  };
  if (begin > 0) {  // divisions take as long as a small row
    move(last, skipped = begin % length);
    std::int64_t rows = begin / length;
    for (int axis = second; axis >= 0; rows /= shape[axis--])
      move(axis, index[static_cast<std::size_t>(axis)] = rows % shape[axis]);
  }
  while (true) {
    std::int64_t rows = last < 1 ? 1 : shape[second] - index[static_cast<std::size_t>(second)];
    while (true) {  // along the axis before the last, where rows may be short
      const std::int64_t n = std::min(count, length - skipped);
      row(n, at);
      count -= n;
      if (count == 0) return;
      if (skipped > 0) move(last, -std::exchange(skipped, 0));
      if (--rows == 0) break;
      move(second, 1);
    }
    const auto start_over = [&](int axis) {
      move(axis, 1 - shape[axis]);
      index[static_cast<std::size_t>(axis)] = 0;
    };
    start_over(second);
    int axis = second - 1;
    for (; ++index[static_cast<std::size_t>(axis)] == shape[axis]; --axis) start_over(axis);
    move(axis, 1);
  }
}

/// The same for all elements.
template <std::size_t N, class F>
void for_each_row(const Shape& shape, const std::array<Strides, N>& strides, F row) {
  for_each_row<N>(shape, strides, 0, shape.numel(), row);
}

/// Calls `f(To&, From)` for every element of `to` and its counterpart in `from`, of one shape, in row-major order.
template <class To, class From, class F>
void for_each_pair(const Array& to, const Array& from, F f) {
  To* const out = to.data<To>();
  const From* const in = from.data<From>();
  if (to.packed() && from.packed()) {
    for (std::int64_t i = 0; i < to.numel(); ++i) f(out[i], in[i]);
    return;
  }
  const auto last = static_cast<std::size_t>(std::max(to.rank() - 1, 0));
  const std::int64_t so = to.strides()[last], si = from.strides()[last];
  for_each_row<2>(to.shape(), {to.strides(), from.strides()}, [&](std::int64_t n, const auto& at) {
    if (so == 1 && si == 1)
      for (std::int64_t k = 0; k < n; ++k) f(out[at[0] + k], in[at[1] + k]);
    else if (so == 1 && si == 0)
      for (std::int64_t k = 0; k < n; ++k) f(out[at[0] + k], in[at[1]]);
    else
      for (std::int64_t k = 0; k < n; ++k) f(out[at[0] + k * so], in[at[1] + k * si]);
  });
}

}  // namespace gradtape::inline v0::detail
