#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/kernels/pooling.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace gradtape::inline v0::detail {
namespace {

/// Elements begin, begin + step, … below end of an axis, which one window sees.
struct Seen {
  std::int64_t begin, end, step;
};

Seen seen_by(const Windows& w, std::size_t axis, std::int64_t i) {
  return {w.first_seen(axis, i), std::min(w.at(axis, i, w.size[axis] - 1) + 1, w.image[axis]), w.dilation[axis]};
}

template <class T>
std::int64_t largest_of(const T* image, std::int64_t width, const Seen& rows, const Seen& cols) {
  std::int64_t best = rows.begin * width + cols.begin;
  T most = image[best];
  for (std::int64_t i = rows.begin; i < rows.end; i += rows.step)
    for (std::int64_t j = cols.begin; j < cols.end; j += cols.step) {
      const T value = image[i * width + j];
      const bool better = (value > most) | ((value != value) & (most == most));
      most = better ? value : most;
      best = better ? i * width + j : best;
    }
  return best;
}

}  // namespace

void find_largest(const Array& out, const Array& x, const Windows& windows) {
  if (out.numel() == 0) return;
  const Array from = packed(x);
  const std::int64_t width = windows.image[1], plane = windows.image[0] * width;
  with_floating("max_pool", x.dtype(), [&]<class T>(std::type_identity<T>) {
    const std::int64_t results = windows.count[0] * windows.count[1];
    parallel_for(from.numel() / plane, rows_a_part(plane), [&](std::int64_t begin, std::int64_t end) {
      auto* to = out.data<std::int64_t>() + begin * results;
      for (std::int64_t image = begin; image < end; ++image)
        for (std::int64_t row = 0; row < windows.count[0]; ++row) {
          const Seen rows = seen_by(windows, 0, row);
          for (std::int64_t col = 0; col < windows.count[1]; ++col)
            *to++ = largest_of(from.data<T>() + image * plane, width, rows, seen_by(windows, 1, col));
        }
    });
  });
}

}  // namespace gradtape::inline v0::detail
