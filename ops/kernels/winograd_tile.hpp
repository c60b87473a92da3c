#pragma once

#include <array>
#include <cstddef>
#include <utility>

/// The transforms of Winograd's convolution, written for anything that adds and multiplies; A, B and G are those of
/// kernels/winograd.cpp. For one source file alone, and unnamed, as gemm_tile.hpp.
namespace gradtape::inline v0::detail {
namespace {

template <class V, std::size_t n>
using Square = std::array<std::array<V, n>, n>;

/// Bᵀ d
constexpr auto image_to_tile = []<class V>(const std::array<V, 4>& d) {
  return std::array{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]};
};
/// G g
constexpr auto weight_to_tile = []<class V>(const std::array<V, 3>& g) {
  const V even = V(0.5f) * (g[0] + g[2]), odd = V(0.5f) * g[1];
  return std::array{g[0], even + odd, even - odd, g[2]};
};
/// Gᵀ m
constexpr auto tile_to_weight = []<class V>(const std::array<V, 4>& m) {
  const V even = V(0.5f) * (m[1] + m[2]), odd = V(0.5f) * (m[1] - m[2]);
  return std::array{m[0] + even, odd, even + m[3]};
};
/// A y
constexpr auto result_to_tile = []<class V>(const std::array<V, 2>& y) {
  return std::array{y[0], y[0] + y[1], y[0] - y[1], -y[1]};
};
/// Aᵀ m
constexpr auto tile_to_result = []<class V>(const std::array<V, 4>& m) {
  return std::array{m[0] + m[1] + m[2], m[1] - m[2] - m[3]};
};

/// What f makes of each column of x, as rows.
template <class F, class V, std::size_t cols, std::size_t rows>
auto of_columns(F f, const std::array<std::array<V, cols>, rows>& x) {
  return [&]<std::size_t... i, std::size_t... j>(std::index_sequence<i...>, std::index_sequence<j...>) {
    const auto column = [&](std::size_t at) { return std::array{x[i][at]...}; };
    return std::array{f(column(j))...};
  }(std::make_index_sequence<rows>(), std::make_index_sequence<cols>());
}

/// x transformed along one axis and the other.
template <class F, class V, std::size_t n>
auto along_both(F f, const Square<V, n>& x) {
  return of_columns(f, of_columns(f, x));
}

/// The square whose element (i, j) is f(i, j).
template <std::size_t n, class F>
auto square(F f) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    const auto row = [&](std::size_t at) { return std::array{f(at, i)...}; };
    return std::array{row(i)...};
  }(std::make_index_sequence<n>());
}

/// Calls f(i, j, element (i, j)) for each.
template <class F, class V, std::size_t n>
void for_each(const Square<V, n>& x, F f) {
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    (f(k / n, k % n, x[k / n][k % n]), ...);
  }(std::make_index_sequence<n * n>());
}

}  // namespace
}  // namespace gradtape::inline v0::detail
