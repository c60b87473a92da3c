#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/kernels/lane_core.hpp>
#include <gradtape/ops/kernels/reduce.hpp>
#include <gradtape/ops/kernels/reduce_piece.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>

#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

struct Prod {
  template <class X>
  static X combine(const X& a, const X& b) {
    return a * b;
  }
  template <class T>
  static constexpr T start = T{1};
};

/// a if it is better or NaN, else b, which may be NaN too. xsimd 8.1's own != is false for NaN on AVX, and its ! slow.
template <class X, class Better>
[[gnu::always_inline]] inline X better_of(const X& a, const X& b, Better better) {
  if constexpr (std::is_arithmetic_v<X>) {
    return better(a, b) || a != a ? a : b;
  } else {
    const X best = lanes::select(better(a, b), a, b);
    if constexpr (std::is_integral_v<typename X::value_type>)
      return best;
    else
      return lanes::select(a == a, best, a);
  }
}

struct Max {
  template <class X>
  [[gnu::always_inline]] static X combine(const X& a, const X& b) {
    return better_of(a, b, [](const X& x, const X& y) { return x > y; });
  }
  template <class T>
  static constexpr T start =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
};

struct Min {
  template <class X>
  [[gnu::always_inline]] static X combine(const X& a, const X& b) {
    return better_of(a, b, [](const X& x, const X& y) { return x < y; });
  }
  template <class T>
  static constexpr T start =
      std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
};

/// One packed row to one number, in an order that depends on its length alone.
template <class R, class T>
T reduce_row(const T* x, std::int64_t n) {
  constexpr std::int64_t piece = 1 << 16;
  if (n <= piece) return static_cast<T>(reduce_piece<R>(x, n));
  const std::int64_t count = divide_up(n, piece);
  static_assert(sizeof(Wide<T>) == size_of(f64));
  const Array pieces = Array::make(f64, {count});
  auto* const part = pieces.data<Wide<T>>();
  parallel_for(n, piece, [&](std::int64_t begin, std::int64_t end) {
    part[begin / piece] = reduce_piece<R>(x + begin, end - begin);
  });
  return static_cast<T>(std::accumulate(part + 1, part + count, part[0],
                                        [](Wide<T> a, Wide<T> b) { return R::template combine<Wide<T>>(a, b); }));
}

/// `part = combine(part, row)` over n elements for `rows` rows, `step` apart, in full lanes.
template <class R, std::int64_t rows, class T>
void combine_rows(T* part, const T* from, std::int64_t step, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  for (std::int64_t j = 0; j < n; j += lane<T>) {
    Batch total = Batch::load_aligned(part + j);
    for (std::int64_t r = 0; r < rows; ++r) total = R::combine(total, Batch::load_unaligned(from + r * step + j));
    total.store_aligned(part + j);
  }
}

/// `to = combine(to, part)`, in lanes as far as `to` goes.
template <class R, class T>
void combine_part(T* to, const T* part, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  std::int64_t j = 0;
  for (; j + lane<T> <= n; j += lane<T>)
    R::combine(Batch::load_unaligned(to + j), Batch::load_aligned(part + j)).store_unaligned(to + j);
  for (; j < n; ++j) to[j] = R::combine(to[j], part[j]);
}

/// (n, inner) -> (inner), of so few elements that their sums need no other place than registers.
template <class R, class T>
void reduce_few(T* out, const T* x, std::int64_t n, std::int64_t inner) {
  using Batch = xsimd::batch<T>;
  for (std::int64_t j = 0; j < inner; j += lane<T>) {
    Batch total(R::template start<T>);
    for (std::int64_t r = 0; r < n; ++r) total = R::combine(total, Batch::load_unaligned(x + r * inner + j));
    lanes::First<Batch>(std::min(lane<T>, inner - j)).store(out + j, total);
  }
}

/// (outer, n, inner) -> (outer, inner). Columns are added up in groups of rows: rounding grows with the root of n.
template <class R, class T>
void reduce_middle(T* out, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  constexpr std::int64_t group = 64, at_once = 8, strip = 128;
  if (inner == 1) {
    return parallel_for(outer, rows_a_part(n), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) out[o] = reduce_row<R>(x + o * n, n);
    });
  }
  constexpr std::int64_t few = 4096;
  if (outer == 1 && n <= group && n * inner <= few) return reduce_few<R>(out, x, n, inner);
  const std::int64_t strips = divide_up(inner, strip);  // of columns, for several threads
  const auto reduce_strip = [=](std::int64_t o, std::int64_t from) {
    const std::int64_t width = std::min(strip, inner - from);
    T* const to = out + o * inner + from;
    alignas(64) T part[strip];
    std::fill_n(to, width, R::template start<T>);
    for (std::int64_t row = 0; row < n; row += group) {
      const std::int64_t end = std::min(n, row + group);
      const auto at = [&](std::int64_t r) { return x + (o * n + r) * inner + from; };
      std::int64_t r = row;
      std::fill_n(part, divide_up(width, lane<T>) * lane<T>, R::template start<T>);
      for (; r + at_once <= end; r += at_once) combine_rows<R, at_once>(part, at(r), inner, width);
      for (; r < end; ++r) combine_rows<R, 1>(part, at(r), inner, width);
      combine_part<R>(to, part, width);
    }
  };
  if (outer * strips == 1) return reduce_strip(0, 0);
  parallel_for(outer * strips, rows_a_part(n * std::min(strip, inner)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) reduce_strip(i / strips, i % strips * strip);
  });
}

template <class R, class T>
void reduce_of(const Array& out, const Array& strided, unsigned mask) {
  if (strided.numel() == 0) {
    std::fill_n(out.data<T>(), out.numel(), R::template start<T>);
    return;
  }
  const Shape& shape = strided.shape();
  Array from = packed(strided);
  std::int64_t inner = 1;
  for (int axis = shape.rank(); axis-- > 0;) {  // one run of reduced axes after the other, the last first
    if (!(mask >> axis & 1)) {
      inner *= shape[axis];
      continue;
    }
    std::int64_t n = shape[axis], outer = 1;
    while (axis > 0 && mask >> (axis - 1) & 1) n *= shape[--axis];
    for (int before = 0; before < axis; ++before) outer *= shape[before];
    const bool last = (mask & ((1u << axis) - 1)) == 0;
    const Array to = last ? out : Array::make(from.dtype(), {outer * inner});
    reduce_middle<R>(to.data<T>(), from.data<T>(), outer, n, inner);
    from = to;
  }
  if (!same(from, out) && from.data() != out.data())
    copy_elements(out, reshaped(from, out.shape()));  // nothing was reduced
}

/// Integers are of type Integer: unsigned ones wrap around where signed ones must not overflow.
template <class R, class Integer>
void reduce(const Array& out, const Array& x, unsigned mask) {
  switch (x.dtype()) {
    case Dtype::f32:
      return reduce_of<R, float>(out, x, mask);
    case Dtype::f64:
      return reduce_of<R, double>(out, x, mask);
    default:
      return reduce_of<R, Integer>(out, x, mask);
  }
}

/// Calls `row(r, x of the row, n)` for every row of a matrix, for its element type.
template <class F>
void for_each_row(const Array& x, F row) {
  const std::int64_t rows = x.shape()[0], n = x.shape()[1];
  with_type(x.dtype(), [&]<class T>(std::type_identity<T>) {
    parallel_for(rows, rows_a_part(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) row(r, x.data<T>() + r * n, n);
    });
  });
}

template <class R>
void arg(const Array& out, const Array& x) {
  for_each_row(x, [&]<class T>(std::int64_t r, const T* row, std::int64_t n) {
    if constexpr (!std::is_same_v<T, bool>) {  // boolean arrives as i64
      const T best = reduce_row<R>(row, n);
      const T* first = std::find_if(row, row + n, [best](T v) { return v == best || v != v; });
      out.data<std::int64_t>()[r] = first - row;
    }
  });
}

}  // namespace

void sum_rows(const Array& out, const Array& x) {
  with_floating("sum_rows", x.dtype(), [&]<class T>(std::type_identity<T>) {
    const Array copy = x.packed() ? Array() : packed_copy(x);
    reduce_middle<Sum>(out.data<T>(), (copy ? copy : x).data<T>(), 1, x.shape()[0], x.shape()[1]);
  });
}
void reduce_sum(const Array& out, const Array& x, unsigned mask) { reduce<Sum, std::uint64_t>(out, x, mask); }
void reduce_prod(const Array& out, const Array& x, unsigned mask) { reduce<Prod, std::uint64_t>(out, x, mask); }
void reduce_max(const Array& out, const Array& x, unsigned mask) { reduce<Max, std::int64_t>(out, x, mask); }
void reduce_min(const Array& out, const Array& x, unsigned mask) { reduce<Min, std::int64_t>(out, x, mask); }

void argmax(const Array& out, const Array& x) { arg<Max>(out, x); }
void argmin(const Array& out, const Array& x) { arg<Min>(out, x); }

void count_nonzero(const Array& out, const Array& x) {
  for_each_row(x, [&]<class T>(std::int64_t r, const T* row, std::int64_t n) {
    out.data<std::int64_t>()[r] = std::count_if(row, row + n, [](T v) { return v != T{0}; });
  });
}

}  // namespace gradtape::inline v0::detail
