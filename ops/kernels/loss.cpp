#include <gradtape/core/error.hpp>
#include <gradtape/ops/kernels/loss.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {

void sum_square_difference(const Array& out, const Array& a, const Array& b, double scale) {
  with_floating("mse_loss", a.dtype(), [&]<class T>(std::type_identity<T>) {
    using Batch = xsimd::batch<T>;
    constexpr auto lane = static_cast<std::int64_t>(Batch::size);
    constexpr std::int64_t block = 512;
    const T *x = a.data<T>(), *y = b.data<T>();
    const std::int64_t n = a.numel();
    double total = 0;
    for (std::int64_t from = 0; from < n; from += block) {
      const std::int64_t end = std::min(n, from + block);
      Batch sum(T{0});
      std::int64_t i = from;
      for (; i + lane <= end; i += lane) {
        const Batch d = Batch::load_unaligned(x + i) - Batch::load_unaligned(y + i);
        sum += d * d;
      }
      total += static_cast<double>(xsimd::hadd(sum));
      for (; i < end; ++i) total += static_cast<double>(x[i] - y[i]) * static_cast<double>(x[i] - y[i]);
    }
    fill(out, scale * total);
  });
}

bool require_classes(std::string_view op, const Array& labels, std::int64_t classes,
                     std::optional<std::int64_t> ignored) {
  const Array all = packed(labels);
  bool ignores = false;
  for (std::int64_t i = 0; i < all.numel(); ++i) {
    const std::int64_t label = all.data<std::int64_t>()[i];
    if (label >= 0 && label < classes && label != ignored) continue;
    if (label != ignored)
      throw ValueError(
          fmt::format("{}: label {} at index {} is no class; expected 0 to {}", op, label, i, classes - 1));
    ignores = true;
  }
  return ignores;
}

}  // namespace gradtape::inline v0::detail
