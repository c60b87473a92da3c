#include <gradtape/ops/kernels/reduce.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include <xsimd/xsimd.hpp>

namespace gradtape::detail {
namespace {

struct Sum {
  template <class X>
  static X combine(const X& a, const X& b) {
    return a + b;
  }
  template <class T>
  static constexpr T start = T{0};
};

struct Max {
  static auto combine(const auto& a, const auto& b) {
    if constexpr (requires { a.get(0); })
      return xsimd::select(!(a == a) || a > b, a, b);  // NaN wins on either side; xsimd 8.1's != is false for it on AVX
    else
      return a != a || a > b ? a : b;
  }
  template <class T>
  static constexpr T start = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
};

constexpr std::int64_t block = 512;

/// One packed row to one number: in lanes within a block, and over the blocks in Wide, so that long sums stay exact. The
/// order depends on the length alone.
template <class R, class T>
T reduce_row(const T* x, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  Wide total = static_cast<Wide>(R::template start<T>);
  for (std::int64_t at = 0; at < n; at += block) {
    const std::int64_t end = std::min(n, at + block);
    Batch part[4] = {Batch(R::template start<T>), Batch(R::template start<T>), Batch(R::template start<T>), Batch(R::template start<T>)};
    std::int64_t i = at;
    for (; i + 4 * lane <= end; i += 4 * lane)
      for (std::int64_t k = 0; k < 4; ++k) part[k] = R::combine(part[k], Batch::load_unaligned(x + i + k * lane));
    for (; i + lane <= end; i += lane) part[0] = R::combine(part[0], Batch::load_unaligned(x + i));
    const Batch all = R::combine(R::combine(part[0], part[1]), R::combine(part[2], part[3]));
    alignas(64) T lanes[Batch::size];
    all.store_aligned(lanes);
    for (const T lane_value : lanes) total = R::combine(total, static_cast<Wide>(lane_value));
    for (; i < end; ++i) total = R::combine(total, static_cast<Wide>(x[i]));
  }
  return static_cast<T>(total);
}

/// `to = combine(to, from)` over n elements; both may be read and written one lane past the end only in scratch.
template <class R, class T>
void combine_rows(T* to, const T* from, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  constexpr auto lane = static_cast<std::int64_t>(Batch::size);
  std::int64_t j = 0;
  for (; j + lane <= n; j += lane) R::combine(Batch::load_unaligned(to + j), Batch::load_unaligned(from + j)).store_unaligned(to + j);
  for (; j < n; ++j) to[j] = R::combine(to[j], from[j]);
}

/// (outer, n, inner) -> (outer, inner). Columns are added up in groups of rows, so that rounding grows with the root of n.
template <class R, class T>
void reduce_middle(T* out, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  constexpr std::int64_t group = 64;
  if (inner == 1) {
    for (std::int64_t o = 0; o < outer; ++o) out[o] = reduce_row<R>(x + o * n, n);
    return;
  }
  alignas(64) T part[block];
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t from = 0; from < inner; from += block) {  // a strip of columns stays in the first-level cache
      const std::int64_t width = std::min(block, inner - from);
      T* to = out + o * inner + from;
      std::fill_n(to, width, R::template start<T>);
      for (std::int64_t row = 0; row < n; row += group) {
        std::fill_n(part, width, R::template start<T>);
        for (std::int64_t r = row; r < std::min(n, row + group); ++r) combine_rows<R>(part, x + (o * n + r) * inner + from, width);
        combine_rows<R>(to, part, width);
      }
    }
}

template <class R, class T>
void reduce_of(const Array& out, const Array& strided, unsigned mask) {
  const Array x = packed(strided);
  // Neighbouring axes of one kind are one axis; then one reduced axis after the other, the last first.
  struct Group {
    std::int64_t size;
    bool reduced;
  };
  std::array<Group, max_rank> groups{};
  std::size_t n_groups = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool reduced = mask >> axis & 1;
    if (n_groups > 0 && groups[n_groups - 1].reduced == reduced)
      groups[n_groups - 1].size *= x.shape()[axis];
    else
      groups[n_groups++] = {x.shape()[axis], reduced};
  }
  Array from = x;
  std::int64_t inner = 1;
  for (std::size_t g = n_groups; g-- > 0;) {
    if (!groups[g].reduced) {
      inner *= groups[g].size;
      continue;
    }
    std::int64_t outer = 1;
    bool last = true;
    for (std::size_t k = 0; k < g; ++k) outer *= groups[k].size, last &= !groups[k].reduced;
    const Array to = last ? out : Array::make(x.dtype(), {outer * inner});
    reduce_middle<R>(to.data<T>(), from.data<T>(), outer, groups[g].size, inner);
    from = to;
  }
  if (!same(from, out) && from.data() != out.data()) copy_elements(out, reshaped(from, out.shape()));  // nothing was reduced
}

template <class R>
void reduce(const Array& out, const Array& x, unsigned mask) {
  switch (x.dtype()) {
    case Dtype::f32: return reduce_of<R, float>(out, x, mask);
    case Dtype::f64: return reduce_of<R, double>(out, x, mask);
    default: return reduce_of<R, std::int64_t>(out, x, mask);
  }
}

}  // namespace

void reduce_sum(const Array& out, const Array& x, unsigned mask) { reduce<Sum>(out, x, mask); }
void reduce_max(const Array& out, const Array& x, unsigned mask) { reduce<Max>(out, x, mask); }

void argmax(const Array& out, const Array& x, int axis) {
  std::int64_t outer = 1, inner = 1;
  for (int a = 0; a < axis; ++a) outer *= x.shape()[a];
  for (int a = axis + 1; a < x.rank(); ++a) inner *= x.shape()[a];
  const std::int64_t n = x.shape()[axis];
  with_type(x.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t i = 0; i < inner; ++i) {
        const T* row = x.data<T>() + o * n * inner + i;
        std::int64_t best = 0;
        for (std::int64_t k = 1; k < n; ++k) {
          const T a = row[k * inner], b = row[best * inner];
          if (a > b || (a != a && b == b)) best = k;
        }
        out.data<std::int64_t>()[o * inner + i] = best;
      }
  });
}

}  // namespace gradtape::detail
