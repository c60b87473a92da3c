#include <gradtape/core/parallel.hpp>
#include <gradtape/core/pool_vector.hpp>
#include <gradtape/ops/kernels/pooling.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

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

/// Every other element of two registers.
template <class A, std::size_t... i>
xsimd::batch<float, A> every_other(const xsimd::batch<float, A>& x, const xsimd::batch<float, A>& y,
                                   std::index_sequence<i...>) {
  return typename xsimd::batch<float, A>::register_type(__builtin_shufflevector(x.data, y.data, 2 * i...));
}

/// Finds the largest elements of the windows over one image after the other. Windows of a row are side by side in the
/// lanes of a register; those that reach into the padding at its ends are taken one by one.
template <class T>
class Largest {
  using Batch = xsimd::batch<T>;
  static constexpr auto lanes = static_cast<std::int64_t>(Batch::size);

 public:
  explicit Largest(const Windows& w)
      : w_(w), rows_(runs_along(w, 0)), columns_(runs_along(w, 1)), begin_(0), end_(w.count[1]) {
    for (const Run& row : rows_)
      for (const Run& column : columns_) offsets_.push_back(row.offset * w.image[1] + column.offset);
    for (const Run& column : columns_) begin_ = std::max(begin_, column.begin), end_ = std::min(end_, column.end);
    for (std::int64_t k = 0; k < lanes; ++k) steps_[k] = k * w.stride[1];
    const bool exact = offsets_.empty() || (-most_exact < offsets_.front() && offsets_.back() < most_exact);
    if (!exact || begin_ > end_) begin_ = end_ = w.count[1];
  }

  /// The windows of one image. Up to before `end`, what follows `out` is written after it.
  void operator()(T* out, std::int64_t* place, const T* image, const T* end) const {
    std::size_t first = rows_.size(), last = rows_.size();  // the rows of elements that windows have in the image
    for (std::int64_t i = 0; i < w_.count[0]; ++i, out += w_.count[1], place += w_.count[1]) {
      while (first > 0 && rows_[first - 1].begin <= i) --first;
      while (last > 0 && rows_[last - 1].end <= i) --last;
      const std::span<const std::int64_t> offsets(offsets_.data() + first * columns_.size(),
                                                  (last - first) * columns_.size());
      const T* const row = image + i * w_.stride[0] * w_.image[1];
      const auto write = [&](T* to, std::int64_t* to_place, std::int64_t j, std::int64_t n) {
        side_by_side(to, to_place, row + j * w_.stride[1], row + j * w_.stride[1] - image, offsets, n);
      };
      for (std::int64_t j = 0; j < begin_; ++j) one(out, place, image, row, j, offsets);
      for (std::int64_t j = begin_; j < end_; j += lanes) {
        const std::int64_t n = std::min(lanes, end_ - j);
        if (out + j + lanes <= end) {
          write(out + j, place + j, j, n);
        } else {
          T values[lanes];
          std::int64_t places[lanes];
          write(values, places, j, n);
          std::copy_n(values, n, out + j);
          std::copy_n(places, n, place + j);
        }
      }
      for (std::int64_t j = end_; j < w_.count[1]; ++j) one(out, place, image, row, j, offsets);
    }
  }

 private:
  static constexpr std::int64_t most_exact = std::int64_t{1} << std::numeric_limits<T>::digits;  // in a lane

  /// Window j of a row, some of whose columns are not in the image.
  void one(T* out, std::int64_t* place, const T* image, const T* row, std::int64_t j,
           std::span<const std::int64_t> offsets) const {
    const T* best = nullptr;
    for (std::size_t k = 0; k < offsets.size(); ++k) {
      const Run& column = columns_[k % columns_.size()];
      if (j < column.begin || column.end <= j) continue;
      const T* const next = row + j * w_.stride[1] + offsets[k];
      if (!best || (*best == *best && !(*next <= *best))) best = next;
    }
    place[j] = best - image;
    out[j] = *best;
  }

  /// `n` windows, the first with its place at `x`, which is `start` in the image; what is written behind them is of no
  /// use.
  void side_by_side(T* out, std::int64_t* place, const T* x, std::int64_t start, std::span<const std::int64_t> offsets,
                    std::int64_t n) const {
    Batch most = load(x + offsets[0], n), where(static_cast<T>(offsets[0]));
    for (const std::int64_t offset : offsets.subspan(1)) {
      const Batch next = load(x + offset, n);
      const auto better = (most == most) & ~(next <= most);  // a NaN is, and nothing is better
      where = xsimd::select(better, Batch(static_cast<T>(offset)), where);
      most = xsimd::select(better, next, most);
    }
    most.store_unaligned(out);
    using Whole = xsimd::as_integer_t<T>;
    alignas(64) Whole whole[lanes];
    xsimd::to_int(where).store_aligned(whole);
    alignas(64) std::int64_t places[lanes];  // which steps_ cannot be part of, for all the compiler knows
    for (std::int64_t k = 0; k < lanes; ++k) places[k] = start + steps_[k] + whole[k];
    std::copy_n(places, lanes, place);
  }

  /// The elements of `n` windows beside each other.
  Batch load(const T* from, std::int64_t n) const {
    const std::int64_t stride = w_.stride[1];
    if (stride == 1) return Batch::load_unaligned(from);
    if constexpr (sizeof(T) == 4)
      if (stride == 2) {
        const Batch x = Batch::load_unaligned(from);
        return every_other(x, n > lanes / 2 ? Batch::load_unaligned(from + lanes) : x,
                           std::make_index_sequence<Batch::size>());
      }
    alignas(64) T room[lanes] = {};
    for (std::int64_t k = 0; k < n; ++k) room[k] = from[k * stride];
    return Batch::load_aligned(room);
  }

  const Windows& w_;
  PoolVector<Run> rows_, columns_;
  PoolVector<std::int64_t> offsets_;  // of the elements of a window from its place, in row-major order
  std::int64_t begin_, end_;          // the windows of a row that have all columns in the image
  std::int64_t steps_[lanes];         // from a window to those that are beside it
};

}  // namespace

void find_largest(const Array& out, const Array& place, const Array& x, const Windows& windows) {
  if (out.numel() == 0) return;
  const Array from = packed(x);
  const std::int64_t plane = windows.image[0] * windows.image[1], each = windows.count[0] * windows.count[1];
  with_floating("max_pool", x.dtype(), [&]<class T>(std::type_identity<T>) {
    const Largest<T> largest(windows);
    parallel_for(from.numel() / plane, rows_a_part(plane), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t image = begin; image < end; ++image)
        largest(out.data<T>() + image * each, place.data<std::int64_t>() + image * each, from.data<T>() + image * plane,
                out.data<T>() + end * each);
    });
  });
}

}  // namespace gradtape::inline v0::detail
