#include <gradtape/ops/kernels/rows.hpp>
#include <gradtape/ops/kernels/sort.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

namespace gradtape::inline v0::detail {
namespace {

constexpr std::int64_t nan_key = std::numeric_limits<std::int64_t>::max();

/// An integer that grows with the value, so that one comparison serves every dtype; that of NaN is the largest.
template <class T>
std::int64_t key_of(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return nan_key;
    const auto bits = std::bit_cast<std::int64_t>(static_cast<double>(value) + 0.0);  // so that -0 is 0
    return bits >= 0 ? bits : bits ^ nan_key;
  } else {
    return std::int64_t{value};
  }
}

struct Entry {
  std::int64_t key, index;

  friend bool operator<(const Entry& a, const Entry& b) {
    return a.key < b.key || (a.key == b.key && a.index < b.index);
  }
};

using Entries = std::vector<Entry>;

/// For every line along the axis: calls `order(entries)`, then writes the indices of as many of them as `out` has.
template <class F>
void order_lines(const Array& out, const Array& x, int axis, bool descending, F order) {
  if (out.numel() == 0) return;
  const Around from(x.shape(), axis);
  const std::int64_t length = out.shape()[axis];
  Entries entries(static_cast<std::size_t>(from.n));
  for (std::int64_t o = 0; o < from.outer; ++o)
    for (std::int64_t i = 0; i < from.inner; ++i) {
      with_type(x.dtype(), [&]<class T>(std::type_identity<T>) {
        const T* line = x.data<T>() + o * from.n * from.inner + i;
        for (std::int64_t k = 0; k < from.n; ++k) {
          const std::int64_t key = key_of(line[k * from.inner]);
          entries[static_cast<std::size_t>(k)] = {descending ? ~key : key, k};
        }
      });
      const Entry* first = order(entries);
      std::int64_t* line = out.data<std::int64_t>() + o * length * from.inner + i;
      for (std::int64_t k = 0; k < length; ++k) line[k * from.inner] = first[k].index;
    }
}

}  // namespace

void sorted_indices(const Array& out, const Array& x, int axis, bool descending, bool sorted) {
  const std::int64_t length = out.shape()[axis];
  order_lines(out, x, axis, descending, [&](Entries& entries) {
    const auto begin = entries.begin(), end = begin + length;
    if (length * 64 <= x.shape()[axis]) {
      std::partial_sort(begin, end, entries.end());
    } else {
      if (end != entries.end()) std::nth_element(begin, end, entries.end());
      if (sorted) std::sort(begin, end);
    }
    return entries.data();
  });
}

void median_index(const Array& out, const Array& x, int axis) {
  order_lines(out, x, axis, false, [&](Entries& entries) {
    const auto nan = [&](const Entry& e) { return is_floating(x.dtype()) && e.key == nan_key; };
    auto at = std::find_if(entries.begin(), entries.end(), nan);
    if (at == entries.end()) {
      at = entries.begin() + (x.shape()[axis] - 1) / 2;
      std::nth_element(entries.begin(), at, entries.end());
    }
    return &*at;
  });
}

}  // namespace gradtape::inline v0::detail
