#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <xsimd/xsimd.hpp>

/// Packed elements to one number. Unnamed, so that every copy of a source file, for another instruction set, keeps its
/// own.
namespace gradtape::inline v0::detail {
namespace {

struct Sum {
  template <class X>
  static X combine(const X& a, const X& b) {
    return a + b;
  }
  template <class T>
  static constexpr T start = T{0};
};

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

template <class T>
constexpr auto lane = static_cast<std::int64_t>(xsimd::batch<T>::size);

/// A register's elements to one number, halves with each other: few operations wait for others, and none for a branch.
template <class R, class B, class T = typename B::value_type>
Wide<T> fold(const B& x) {
  constexpr std::size_t half = B::size / 2;
  if constexpr (std::is_same_v<T, float>) {
    const auto [lower, upper] = lanes::widen(x);
    return fold<R>(R::combine(lower, upper));
  } else {
    const lanes::Elements<B> e(x);
    if constexpr (half == 1) {
      return R::combine(B(e.at[0]), B(e.at[1])).get(0);
    } else {
      using Half = xsimd::make_sized_batch_t<T, half>;
      return fold<R>(R::combine(Half::load_aligned(e.at), Half::load_aligned(e.at + half)));
    }
  }
}

constexpr std::int64_t summed_in_lanes = 512;  // elements

/// So many packed elements to one number at most, in lanes.
template <class R, class T>
Wide<T> reduce_block(const T* x, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  constexpr T start = R::template start<T>;
  const auto at = [x](std::int64_t i) { return Batch::load_unaligned(x + i); };
  if constexpr (lanes::First<Batch>::masked)
    if (n <= lane<T>) return fold<R>(lanes::First<Batch>(n).load(x, start));
  Batch part[4] = {Batch(start), Batch(start), Batch(start), Batch(start)};
  std::int64_t i = 0;
  for (; i + 4 * lane<T> <= n; i += 4 * lane<T>)
    for (std::int64_t k = 0; k < 4; ++k) part[k] = R::combine(part[k], at(i + k * lane<T>));
  for (; i + lane<T> <= n; i += lane<T>) part[0] = R::combine(part[0], at(i));
  const auto folded = [&part] {
    return fold<R>(R::combine(R::combine(part[0], part[1]), R::combine(part[2], part[3])));
  };
  if constexpr (lanes::First<Batch>::masked) {
    if (i < n) part[1] = R::combine(part[1], lanes::First<Batch>(n - i).load(x + i, start));
    return folded();
  } else {
    Wide<T> total = folded();
    for (; i < n; ++i) total = R::combine(total, static_cast<Wide<T>>(x[i]));
    return total;
  }
}

/// Packed elements to one number: in lanes within a block, and across lanes and blocks in Wide, so that long sums stay
/// exact.
template <class R, class T>
Wide<T> reduce_piece(const T* x, std::int64_t n) {
  if (n <= summed_in_lanes) return reduce_block<R>(x, n);
  Wide<T> total = static_cast<Wide<T>>(R::template start<T>);
  for (std::int64_t at = 0; at < n; at += summed_in_lanes)
    total = R::combine(total, reduce_block<R>(x + at, std::min(summed_in_lanes, n - at)));
  return total;
}

}  // namespace
}  // namespace gradtape::inline v0::detail
