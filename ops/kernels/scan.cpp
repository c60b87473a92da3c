#include <gradtape/ops/kernels/rows.hpp>
#include <gradtape/ops/kernels/scan.hpp>

#include <algorithm>

namespace gradtape::inline v0::detail {
namespace {

/// Calls `step(state, at)` for every element along the axis in turn, with the state of its line, which starts as
/// `start`.
template <class T, class State, class F>
void scan_lines(const Around& axis, bool reverse, State start, F step) {
  constexpr std::int64_t strip = 512;
  const auto row = [&](std::int64_t o, std::int64_t k) { return o * axis.n + (reverse ? axis.n - 1 - k : k); };
  for (std::int64_t o = 0; o < axis.outer; ++o) {
    if (axis.inner == 1) {
      State state = start;
      for (std::int64_t k = 0; k < axis.n; ++k) step.template operator()<T>(state, row(o, k));
      continue;
    }
    State states[strip];
    for (std::int64_t from = 0; from < axis.inner; from += strip) {  // lines side by side, as they stand in memory
      const std::int64_t width = std::min(strip, axis.inner - from);
      std::fill_n(states, width, start);
      for (std::int64_t k = 0; k < axis.n; ++k)
        for (std::int64_t i = 0; i < width; ++i)
          step.template operator()<T>(states[i], row(o, k) * axis.inner + from + i);
    }
  }
}

/// The state of f32 is a double, so that long sums stay exact; integers are unsigned, so that they may wrap around.
template <class F>
void scan(const Array& out, int axis, bool reverse, double start, F step) {
  if (out.numel() == 0) return;
  const Around lines(out.shape(), axis);
  switch (out.dtype()) {
    case Dtype::f32:
      return scan_lines<float>(lines, reverse, start, step);
    case Dtype::f64:
      return scan_lines<double>(lines, reverse, start, step);
    default:
      return scan_lines<std::uint64_t>(lines, reverse, static_cast<std::uint64_t>(start), step);
  }
}

}  // namespace

void cumsum(const Array& out, const Array& x, int axis, bool reverse) {
  scan(out, axis, reverse, 0, [&]<class T>(auto& sum, std::int64_t at) {
    sum += x.data<T>()[at];
    out.data<T>()[at] = static_cast<T>(sum);
  });
}

void exclusive_cumprod(const Array& out, const Array& x, int axis, bool reverse) {
  scan(out, axis, reverse, 1, [&]<class T>(auto& product, std::int64_t at) {
    out.data<T>()[at] = static_cast<T>(product);
    product *= x.data<T>()[at];
  });
}

void recurrence(const Array& out, const Array& x, const Array& b, int axis, bool reverse) {
  scan(out, axis, reverse, 0, [&]<class T>(auto& state, std::int64_t at) {
    out.data<T>()[at] = static_cast<T>(state);
    state = b.data<T>()[at] + x.data<T>()[at] * state;
  });
}

}  // namespace gradtape::inline v0::detail
