#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

/// Copies of transposed matrices: element by element, each would read or write a line of the cache of its own.
namespace gradtape::inline v0::detail {
namespace {

using Words = std::uint32_t __attribute__((vector_size(16)));
using DoubleWords = std::uint64_t __attribute__((vector_size(16)));

/// In squares of `half` by `half` elements of x above y, exchanges the upper right one with the lower left one.
template <std::size_t half, class V, std::size_t... k>
void exchange(V& x, V& y, std::index_sequence<k...>) {
  constexpr std::size_t n = sizeof...(k);
  const V upper = __builtin_shufflevector(x, y, ((k & half) == 0 ? k : n + k - half)...);
  y = __builtin_shufflevector(x, y, ((k & half) == 0 ? k + half : n + k)...);
  x = upper;
}

/// Transposes the square whose rows are in registers (Eklundh, "A fast computer method for matrix transposing", 1972).
template <std::size_t half, class V, std::size_t n>
void transpose(V (&rows)[n]) {
  for (std::size_t i = 0; i < n; ++i)
    if ((i & half) == 0) exchange<half>(rows[i], rows[i + half], std::make_index_sequence<n>());
  if constexpr (half > 1) transpose<half / 2>(rows);
}

/// to[i * to_step + j] = from[i + j * from_step] for i < rows and j < cols, of elements as large as those of V. As many
/// rows are written at a time as columns are in a line of the cache.
template <class V, class T>
void copy_transposed(T* to, std::int64_t to_step, const T* from, std::int64_t from_step, std::int64_t rows,
                     std::int64_t cols) {
  constexpr std::int64_t n = sizeof(V) / sizeof(T), strip = 64 / sizeof(T);
  const auto one_by_one = [=](std::int64_t i_begin, std::int64_t i_end, std::int64_t j_begin, std::int64_t j_end) {
    for (std::int64_t i = i_begin; i < i_end; ++i)
      for (std::int64_t j = j_begin; j < j_end; ++j) to[i * to_step + j] = from[i + j * from_step];
  };
  const std::int64_t whole = cols / n * n;
  for (std::int64_t begin = 0; begin < rows; begin += strip) {
    const std::int64_t end = std::min(begin + strip, rows), whole_end = begin + (end - begin) / n * n;
    for (std::int64_t j = 0; j < whole; j += n) {
      if (j + strip < whole)  // rows so far apart are not foreseen by the processor
        for (std::int64_t k = 0; k < n; ++k) __builtin_prefetch(from + begin + (j + k + strip) * from_step);
      for (std::int64_t i = begin; i < whole_end; i += n) {
        V square[n];
        for (std::int64_t k = 0; k < n; ++k) std::memcpy(&square[k], from + i + (j + k) * from_step, sizeof(V));
        transpose<n / 2>(square);
        for (std::int64_t k = 0; k < n; ++k) std::memcpy(to + (i + k) * to_step + j, &square[k], sizeof(V));
      }
      one_by_one(whole_end, end, j, j + n);
    }
    one_by_one(begin, end, whole, cols);
  }
}

}  // namespace
}  // namespace gradtape::inline v0::detail
