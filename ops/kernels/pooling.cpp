#include <gradtape/core/parallel.hpp>
#include <gradtape/core/pool_vector.hpp>
#include <gradtape/ops/kernels/pooling.hpp>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <type_traits>

namespace gradtape::inline v0::detail {
namespace {

/// An element of the windows of a row: those from `begin` to before `end` have it in the image, the first that there
/// could be at `offset`.
struct Column {
  std::int64_t begin, end, offset;
};

/// Those that some window has in the image.
PoolVector<Column> columns_of(const Windows& w) {
  PoolVector<Column> out;
  const std::int64_t stride = w.stride[1];
  for (std::int64_t k = 0; k < w.size[1]; ++k) {
    const std::int64_t offset = w.at(1, 0, k), begin = offset < 0 ? divide_up(-offset, stride) : 0;
    if (offset >= w.image[1]) break;
    const std::int64_t end = std::min(w.count[1], divide_up(w.image[1] - offset, stride));
    if (begin < end) out.push_back({begin, end, offset});
  }
  return out;
}

/// From the row of an image that windows begin in to each of their elements.
PoolVector<std::int64_t> steps_of(const Windows& w, const PoolVector<Column>& columns) {
  PoolVector<std::int64_t> out;
  for (std::int64_t i = 0; i < w.size[0]; ++i)
    for (const Column& column : columns) out.push_back(i * w.dilation[0] * w.image[1] + column.offset);
  return out;
}

/// Room for a row of windows: the largest element of each so far, which of a window's it is, and those that come next.
template <class T, class Index>
struct Row {
  explicit Row(std::int64_t n)
      : most(static_cast<std::size_t>(n)), next(static_cast<std::size_t>(n)), which(static_cast<std::size_t>(n)) {}
  PoolVector<T> most, next;
  PoolVector<Index> which;
};

/// Where in `image` the largest element of each window of a row is: all windows take in one element after the other, in
/// row-major order, of which the first of several wins, and the first NaN over all.
template <class T, class Index>
void largest_of_row(std::int64_t* out, Row<T, Index>& x, const T* image, const Windows& w, std::int64_t row,
                    const PoolVector<Column>& columns, const PoolVector<std::int64_t>& steps) {
  std::ranges::fill(x.which, Index{-1});
  std::ranges::fill(x.most, T{0});
  const std::int64_t end = w.image[0], stride = w.stride[1], first = w.at(0, row, 0);
  T* const most = x.most.data();
  T* const next = x.next.data();
  Index* const which = x.which.data();
  Index k = 0;
  for (std::int64_t p = 0; p < w.size[0]; ++p) {
    const std::int64_t i = first + p * w.dilation[0];
    for (const Column& column : columns) {
      const Index here = k++;
      if (i < 0 || i >= end) continue;
      const T* from = image + i * w.image[1] + column.offset;
      for (std::int64_t col = column.begin; col < column.end; ++col) next[col] = from[col * stride];
      for (std::int64_t col = column.begin; col < column.end; ++col) {  // apart, and without a branch: in lanes
        const bool better = (which[col] < 0) | ((most[col] == most[col]) & !(next[col] <= most[col]));
        most[col] = better ? next[col] : most[col];
        which[col] = better ? here : which[col];
      }
    }
  }
  for (std::int64_t col = 0; col < w.count[1]; ++col)
    out[col] = first * w.image[1] + col * stride + steps[static_cast<std::size_t>(which[col])];
}

}  // namespace

void find_largest(const Array& out, const Array& x, const Windows& windows) {
  if (out.numel() == 0) return;
  const Array from = packed(x);
  const std::int64_t plane = windows.image[0] * windows.image[1];
  const PoolVector<Column> columns = columns_of(windows);
  const PoolVector<std::int64_t> steps = steps_of(windows, columns);
  with_floating("max_pool", x.dtype(), [&]<class T>(std::type_identity<T>) {
    const auto find = [&]<class Index>(Index) {
      parallel_for(from.numel() / plane, rows_a_part(plane), [&](std::int64_t begin, std::int64_t end) {
        Row<T, Index> room(windows.count[1]);
        auto* to = out.data<std::int64_t>() + begin * windows.count[0] * windows.count[1];
        for (std::int64_t image = begin; image < end; ++image)
          for (std::int64_t row = 0; row < windows.count[0]; ++row, to += windows.count[1])
            largest_of_row(to, room, from.data<T>() + image * plane, windows, row, columns, steps);
      });
    };
    // An index as wide as T keeps to the lanes of T.
    if (sizeof(T) == 4 && steps.size() <= INT_MAX)
      find(std::int32_t{});
    else
      find(std::int64_t{});
  });
}

}  // namespace gradtape::inline v0::detail
