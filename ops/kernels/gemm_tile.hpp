#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>
#include <gradtape/ops/kernels/matrix.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

/// The two inner parts of a blocked product (Goto and van de Geijn, "Anatomy of high-performance matrix
/// multiplication", 2008; the names are BLIS's): a tile of the output that is computed in registers, and the packing of
/// its right operand. For one source file alone, and unnamed, so that a copy compiled for another instruction set keeps
/// its own.
namespace gradtape::inline v0::detail {
namespace {

template <class T>
constexpr auto lane = static_cast<std::int64_t>(xsimd::batch<T>::size);

// The sums of a tile fill 12 of 16 registers, or 24 of 32; the others hold a row of b and an element of a.
constexpr int tile_rows = sizeof(xsimd::batch<float>) == 64 ? 12 : 6;
constexpr int tile_lanes = 2;
template <class T>
constexpr std::int64_t tile_cols = tile_lanes * lane<T>;

/// Calls `f(std::integral_constant<int, I>{})` for I = 0 … N-1: unrolled, so that what it indexes stays in registers.
template <int N, class F>
void unrolled(F f) {
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (f(std::integral_constant<int, I>{}), ...);
  }(std::make_integer_sequence<int, N>{});
}

/// out (R × cols) = a (R × k) · b (k × cols) + plus, cols at most L registers. A row of b has consecutive elements, and
/// whole registers of it can be read. `plus` is nothing, or of out's size, and may be out.
template <class T>
struct TileProduct {
  T* out;
  std::int64_t out_step, cols;
  const T* a;
  std::int64_t a_row_step, a_col_step;
  const T* b;
  std::int64_t b_row_step, k;
  const T* plus;
  std::int64_t plus_step;
};

/// Every element is one chain of multiply-adds over k, wherever it stands.
template <class T, int R, int L>
void tile(const TileProduct<T>& p) {
  using Batch = xsimd::batch<T>;
  Batch sum[R][L];
  const auto each = [](auto f) { unrolled<R>([&](auto r) { unrolled<L>([&](auto l) { f(r, l); }); }); };
  each([&](auto r, auto l) { sum[r][l] = Batch(T{0}); });
  const T *a = p.a, *b = p.b;
  T* const out = p.out;  // a store might change p, for all the compiler knows
  const std::int64_t out_step = p.out_step, a_row_step = p.a_row_step, a_col_step = p.a_col_step,
                     b_row_step = p.b_row_step;
  for (std::int64_t k = p.k; k > 0; --k, a += a_col_step, b += b_row_step) {
    Batch right[L];
    unrolled<L>([&](auto l) { right[l] = Batch::load_unaligned(b + l * lane<T>); });
    unrolled<R>([&](auto r) {
      const Batch left(a[r * a_row_step]);
      unrolled<L>([&](auto l) { sum[r][l] = lanes::fma(left, right[l], sum[r][l]); });
    });
  }
  const T* const plus = p.plus;
  const std::int64_t plus_step = p.plus_step;
  const auto finish = [&](auto load, auto store) {
    if (plus) each([&](auto r, auto l) { sum[r][l] += load(plus + r * plus_step + l * lane<T>, l); });
    each([&](auto r, auto l) { store(out + r * out_step + l * lane<T>, sum[r][l], l); });
  };
  if (p.cols == L * lane<T>) {
    finish([](const T* from, auto) { return Batch::load_unaligned(from); },
           [](T* to, const Batch& x, auto) { x.store_unaligned(to); });
  } else {
    const lanes::First<Batch> last(p.cols - (L - 1) * lane<T>);
    finish([&](const T* from, auto l) { return l + 1 < L ? Batch::load_unaligned(from) : last.load(from); },
           [&](T* to, const Batch& x, auto l) { l + 1 < L ? x.store_unaligned(to) : last.store(to, x); });
  }
}

template <class T>
using Tile = void (*)(const TileProduct<T>&);

/// The tile for `rows` rows of so many columns.
template <class T>
Tile<T> tile_for(std::int64_t rows, std::int64_t cols) {
  constexpr auto with = []<int L, int... R>(std::integral_constant<int, L>, std::integer_sequence<int, R...>) {
    return std::array<Tile<T>, sizeof...(R)>{tile<T, R + 1, L>...};
  };
  static constexpr auto narrow = with(std::integral_constant<int, 1>{}, std::make_integer_sequence<int, tile_rows>{});
  static constexpr auto wide =
      with(std::integral_constant<int, tile_lanes>{}, std::make_integer_sequence<int, tile_rows>{});
  return (cols <= lane<T> ? narrow : wide)[static_cast<std::size_t>(rows - 1)];
}

/// Registers of 16 bytes, of which so many as one holds make a square.
template <class T>
using Quad = xsimd::make_sized_batch_t<T, 16 / sizeof(T)>;
template <class T>
constexpr auto side = static_cast<std::int64_t>(Quad<T>::size);

template <class T>
void transpose_square(Quad<T> (&x)[Quad<T>::size]) {
  if constexpr (side<T> == 4) {
    const Quad<T> even_low = xsimd::zip_lo(x[0], x[2]), even_high = xsimd::zip_hi(x[0], x[2]);
    const Quad<T> odd_low = xsimd::zip_lo(x[1], x[3]), odd_high = xsimd::zip_hi(x[1], x[3]);
    x[0] = xsimd::zip_lo(even_low, odd_low), x[1] = xsimd::zip_hi(even_low, odd_low);
    x[2] = xsimd::zip_lo(even_high, odd_high), x[3] = xsimd::zip_hi(even_high, odd_high);
  } else {
    const Quad<T> first = x[0];
    x[0] = xsimd::zip_lo(first, x[1]), x[1] = xsimd::zip_hi(first, x[1]);
  }
}

/// The first N panels of b, whose rows have consecutive elements. Rows are far apart, so they are asked for early.
template <class T, int N>
void copy_panels(T* to, std::int64_t panel_step, const Matrix<T>& b) {
  using Batch = xsimd::batch<T>;
  constexpr std::int64_t ahead = 8;
  const T* row = b.data;
  for (std::int64_t p = 0; p < b.rows; ++p, row += b.row_step, to += tile_cols<T>)
    unrolled<N>([&](auto panel) {
      const T* from = row + panel * tile_cols<T>;
      __builtin_prefetch(from + ahead * b.row_step);
      unrolled<tile_lanes>([&](auto l) {
        Batch::load_unaligned(from + l * lane<T>).store_aligned(to + panel * panel_step + l * lane<T>);
      });
    });
}

/// Rows of a panel: columns of b, which have consecutive elements, as many as make whole squares. Returns how many.
template <class T>
std::int64_t pack_columns(T* to, const T* b, std::int64_t rows, std::int64_t cols, std::int64_t col_step) {
  constexpr std::int64_t width = tile_cols<T>;
  std::int64_t done = 0;
  for (; done + side<T> <= cols; done += side<T>) {
    const T* from = b + done * col_step;
    std::int64_t p = 0;
    for (; p + side<T> <= rows; p += side<T>) {
      Quad<T> square[Quad<T>::size];
      unrolled<side<T>>([&](auto i) { square[i] = Quad<T>::load_unaligned(from + i * col_step + p); });
      transpose_square<T>(square);
      unrolled<side<T>>([&](auto i) { square[i].store_aligned(to + (p + i) * width + done); });
    }
    for (; p < rows; ++p)
      for (std::int64_t i = 0; i < side<T>; ++i) to[p * width + done + i] = from[i * col_step + p];
  }
  return done;
}

/// One panel of any strides and at most tile_cols columns; what is missing is zero. (Not inlined, or its caller would
/// keep too much from the registers, and small products, which pack little, pay for it.)
template <class T>
[[gnu::noinline]] void pack_panel(T* to, const Matrix<T>& b) {
  constexpr std::int64_t width = tile_cols<T>;
  constexpr std::int64_t together = 64;  // rows, so that what is written stays in the nearest cache
  std::int64_t done = 0;                 // columns
  if (b.row_step == 1 && b.rows >= side<T>)
    for (std::int64_t p = 0; p < b.rows; p += together)
      done = pack_columns(to + p * width, b.data + p, std::min(together, b.rows - p), b.cols, b.col_step);
  if (done == width) return;
  for (std::int64_t p = 0; p < b.rows; ++p) {
    T* row = to + p * width;
    for (std::int64_t j = done; j < b.cols; ++j) row[j] = b.data[p * b.row_step + j * b.col_step];
    std::fill(row + b.cols, row + width, T{0});
  }
}

/// Columns of b, tile_cols at a time, each panel row after row.
template <class T>
struct Panels {
  const T* data;
  std::int64_t step, row_step, rows, cols;
};

/// b as it stands; its rows must have consecutive elements.
template <class T>
Panels<T> panels_in_place(const Matrix<T>& b) {
  return {b.data, tile_cols<T>, b.row_step, b.rows, b.cols};
}

template <class T>
Panels<T> packed_panels(T* to, const Matrix<T>& b) {
  constexpr int together = 4;  // panels, so that whole cache lines stream by
  const std::int64_t step = b.rows * tile_cols<T>;
  const auto from = [&](std::int64_t j) {
    return Matrix<T>{b.data + j * b.col_step, b.rows, std::min(tile_cols<T>, b.cols - j), b.row_step, b.col_step};
  };
  std::int64_t j = 0;
  if (b.col_step == 1) {
    for (; j + together * tile_cols<T> <= b.cols; j += together * tile_cols<T>)
      copy_panels<T, together>(to + j * b.rows, step, from(j));
    for (; j + tile_cols<T> <= b.cols; j += tile_cols<T>) copy_panels<T, 1>(to + j * b.rows, step, from(j));
  }
  for (; j < b.cols; j += tile_cols<T>) pack_panel(to + j * b.rows, from(j));
  return {to, step, tile_cols<T>, b.rows, b.cols};
}

}  // namespace
}  // namespace gradtape::inline v0::detail
