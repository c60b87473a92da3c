#include <gradtape/core/parallel.hpp>
#include <gradtape/core/pool_vector.hpp>
#include <gradtape/ops/kernels/pooling.hpp>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <type_traits>

namespace gradtape::inline v0::detail {
namespace {

/// An element of windows along one axis: those from `begin` to before `end` have it in the image, window 0 at `offset`,
/// or would.
struct Run {
  std::int64_t begin, end, offset;
};

/// Those that some window has in the image.
PoolVector<Run> runs_along(const Windows& w, std::size_t axis) {
  PoolVector<Run> out;
  const std::int64_t stride = w.stride[axis];
  for (std::int64_t k = 0; k < w.size[axis]; ++k) {
    const std::int64_t offset = w.at(axis, 0, k), begin = offset < 0 ? divide_up(-offset, stride) : 0;
    if (offset >= w.image[axis]) break;
    const std::int64_t end = std::min(w.count[axis], divide_up(w.image[axis] - offset, stride));
    if (begin < end) out.push_back({begin, end, offset});
  }
  return out;
}

/// Finds the largest element of the windows over one image after the other. All windows of some rows take in one
/// element after the other, in row-major order, of which the first of several wins, and the first NaN over all: loops
/// over many windows and without a branch, which run in lanes.
template <class T, class Index>
class Largest {
 public:
  explicit Largest(const Windows& w)
      : w_(w),
        rows_(runs_along(w, 0)),
        columns_(runs_along(w, 1)),
        together_(std::clamp<std::int64_t>(many / w.count[1], 1, w.count[0])) {
    for (const Run& row : rows_)
      for (const Run& column : columns_) steps_.push_back(row.offset * w.image[1] + column.offset);
    for (std::int64_t i = 0; i < together_; ++i)
      for (std::int64_t j = 0; j < w.count[1]; ++j) begins_.push_back(i * w.stride[0] * w.image[1] + j * w.stride[1]);
    const std::size_t room = begins_.size();
    most_.resize(room), next_.resize(room), which_.resize(room);
  }

  void operator()(std::int64_t* out, const T* image) {
    for (std::int64_t row = 0; row < w_.count[0]; row += together_)
      find(out + row * w_.count[1], image, row, std::min(row + together_, w_.count[0]));
  }

 private:
  static constexpr std::int64_t many = 1024;  // windows, of which what is known stays in the first-level cache

  void find(std::int64_t* out, const T* image, std::int64_t first, std::int64_t last) {
    const std::int64_t width = w_.count[1], stride = w_.stride[1];
    std::ranges::fill(most_, T{0});
    std::ranges::fill(which_, Index{-1});
    Index k = 0;
    for (const Run& row : rows_)
      for (const Run& column : columns_) {
        const Index here = k++;
        const std::int64_t begin = std::max(first, row.begin), end = std::min(last, row.end);
        for (std::int64_t i = begin; i < end; ++i) {
          const T* from = image + (i * w_.stride[0] + row.offset) * w_.image[1] + column.offset;
          T* to = next_.data() + (i - first) * width;
          if (stride == 2)  // so that the compiler picks every other element in lanes
            for (std::int64_t j = column.begin; j < column.end; ++j) to[j] = from[j * 2];
          else
            for (std::int64_t j = column.begin; j < column.end; ++j) to[j] = from[j * stride];
        }
        if (column.begin == 0 && column.end == width)
          take((begin - first) * width, (end - first) * width, here);
        else
          for (std::int64_t i = begin - first; i < end - first; ++i)
            take(i * width + column.begin, i * width + column.end, here);
      }
    const std::int64_t start = first * w_.stride[0] * w_.image[1], n = (last - first) * width;
    const std::int64_t *const begins = begins_.data(), *const steps = steps_.data();
    const Index* const which = which_.data();
    for (std::int64_t i = 0; i < n; ++i) out[i] = start + begins[i] + steps[which[i]];
  }

  void take(std::int64_t begin, std::int64_t end, Index here) {
    T* const most = most_.data();
    const T* const next = next_.data();
    Index* const which = which_.data();
    for (std::int64_t i = begin; i < end; ++i) {
      const bool better = (which[i] < 0) | ((most[i] == most[i]) & !(next[i] <= most[i]));
      most[i] = better ? next[i] : most[i];
      which[i] = better ? here : which[i];
    }
  }

  const Windows& w_;
  PoolVector<Run> rows_, columns_;
  std::int64_t together_;
  PoolVector<std::int64_t> begins_, steps_;  // where windows begin, and from there to each of their elements
  PoolVector<T> most_, next_;                // of each window: the largest so far, and what comes next
  PoolVector<Index> which_;                  // which element of the window the largest is
};

}  // namespace

void find_largest(const Array& out, const Array& x, const Windows& windows) {
  if (out.numel() == 0) return;
  const Array from = packed(x);
  const std::int64_t plane = windows.image[0] * windows.image[1];
  const std::int64_t windows_each = windows.count[0] * windows.count[1];
  with_floating("max_pool", x.dtype(), [&]<class T>(std::type_identity<T>) {
    const auto find = [&]<class Index>(Index) {
      parallel_for(from.numel() / plane, rows_a_part(plane), [&](std::int64_t begin, std::int64_t end) {
        Largest<T, Index> largest(windows);
        for (std::int64_t image = begin; image < end; ++image)
          largest(out.data<std::int64_t>() + image * windows_each, from.data<T>() + image * plane);
      });
    };
    // An index as wide as T keeps to the lanes of T.
    if (sizeof(T) == 4 && windows.size[0] * windows.size[1] <= INT_MAX)
      find(std::int32_t{});
    else
      find(std::int64_t{});
  });
}

}  // namespace gradtape::inline v0::detail
