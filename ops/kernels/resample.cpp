#include <gradtape/ops/kernels/resample.hpp>

#include <type_traits>

namespace gradtape::inline v0::detail {
namespace {

/// Calls `f(place, weight)` for everything that a tap sums up.
template <class F>
void for_each_term(const Tap& tap, F f) {
  f(tap.begin, tap.first);
  for (std::int64_t k = 1; k < tap.count; ++k) f(tap.begin + k, tap.rest);
}

}  // namespace

void resample(const Array& out, const Array& x, const Taps& taps) {
  if (out.numel() == 0) return;
  const Array from = packed(x);
  const Array sums = Array::make(f64, {taps.width});
  double* const sum = sums.data<double>();
  with_floating("resample", x.dtype(), [&]<class T>(std::type_identity<T>) {
    T* to = out.data<T>();
    const T* const end = from.data<T>() + from.numel();
    for (const T* image = from.data<T>(); image != end; image += taps.height * taps.width)
      for (const Tap& tap : taps.rows) {
        fill(sums, 0);
        for_each_term(tap, [&](std::int64_t row, double weight) {
          for (std::int64_t j = 0; j < taps.width; ++j)
            sum[j] += weight * static_cast<double>(image[row * taps.width + j]);
        });
        for (const Tap& col : taps.cols) {
          double total = 0;
          for_each_term(col, [&](std::int64_t j, double weight) { total += weight * sum[j]; });
          *to++ = static_cast<T>(total);
        }
      }
  });
}

void add_resampled(const Array& out, const Array& g, const Taps& taps) {
  if (g.numel() == 0) return;
  const Array from = packed(g);
  const Array sums = Array::make(f64, {taps.width});
  double* const sum = sums.data<double>();
  with_floating("resample", g.dtype(), [&]<class T>(std::type_identity<T>) {
    const T* in = from.data<T>();
    T* const end = out.data<T>() + out.numel();
    for (T* image = out.data<T>(); image != end; image += taps.height * taps.width)
      for (const Tap& tap : taps.rows) {
        fill(sums, 0);
        for (const Tap& col : taps.cols) {
          const auto value = static_cast<double>(*in++);
          for_each_term(col, [&](std::int64_t j, double weight) { sum[j] += weight * value; });
        }
        for_each_term(tap, [&](std::int64_t row, double weight) {
          for (std::int64_t j = 0; j < taps.width; ++j) image[row * taps.width + j] += static_cast<T>(weight * sum[j]);
        });
      }
  });
}

}  // namespace gradtape::inline v0::detail
