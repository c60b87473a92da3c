#pragma once

#include <gradtape/core/array.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

/// Loops over arrays of any strides: stretched, backwards and overlapping ones included.
namespace gradtape::inline v0::detail {

/// Calls `row(n, at)` for every run of n elements along the last axis of `shape`, in row-major order; at[k] is where it
/// starts under `strides[k]`. A scalar is one run of one element.
template <std::size_t N, class F>
void for_each_row(const Shape& shape, const std::array<Strides, N>& strides, F row) {
  if (shape.numel() == 0) return;
  const int last = shape.rank() - 1;
  const std::int64_t n = last < 0 ? 1 : shape[last];
  std::array<std::int64_t, max_rank> index{};
  std::array<std::int64_t, N> at{};
  while (true) {
    row(n, at);
    int axis = last - 1;
    for (; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      const bool more = ++index[a] < shape[axis];
      for (std::size_t k = 0; k < N; ++k) at[k] += strides[k][a] * (more ? 1 : 1 - shape[axis]);
      if (more) break;
      index[a] = 0;
    }
    if (axis < 0) return;
  }
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
