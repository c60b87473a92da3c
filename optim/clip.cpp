#include <gradtape/core/error.hpp>
#include <gradtape/optim/clip.hpp>
#include <gradtape/optim/optimizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {
namespace {

/// Calls f(g, n), of float or double, for each gradient.
void for_each_gradient(const char* caller, const std::vector<Tensor>& parameters, auto f) {
  for (const Tensor& w : parameters) {
    const Array& gradient = w.leaf(caller).grad.array;
    if (!gradient) continue;
    const Array g = packed(gradient);
    with_floating(caller, g.dtype(), [&]<class T>(std::type_identity<T>) { f(g.data<T>(), g.numel()); });
  }
}

/// The same to change them in place.
void change_each_gradient(const char* caller, const std::vector<Tensor>& parameters, auto f) {
  for (const Tensor& w : parameters) {
    detail::Value& gradient = w.leaf(caller).grad;
    if (!gradient.array) continue;
    gradient.node = {};
    make_writable(gradient.array);
    with_floating(caller, gradient.array.dtype(),
                  [&]<class T>(std::type_identity<T>) { f(gradient.array.data<T>(), gradient.array.numel()); });
  }
}

/// The sum of f over the elements, in double, in eight sums side by side so that it runs on SIMD lanes.
template <class T>
double sum_of(const T* g, std::int64_t n, auto f) {
  constexpr std::int64_t lanes = 8;
  std::array<double, lanes> sums{};
  const std::int64_t whole = n - n % lanes;
  for (std::int64_t i = 0; i < whole; i += lanes)
    for (std::int64_t k = 0; k < lanes; ++k) sums[static_cast<std::size_t>(k)] += f(static_cast<double>(g[i + k]));
  for (std::int64_t i = whole; i < n; ++i) sums[static_cast<std::size_t>(i - whole)] += f(static_cast<double>(g[i]));
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

double norm_of(const std::vector<Tensor>& parameters, double p) {
  double total = 0;
  for_each_gradient("clip_grad_norm", parameters, [&](const auto* g, std::int64_t n) {
    if (std::isinf(p))
      for (std::int64_t i = 0; i < n; ++i) {
        const double x = std::abs(static_cast<double>(g[i]));
        if (x > total || std::isnan(x)) total = x;  // nothing is larger than NaN, so it stays
      }
    else if (p == 2)
      total += sum_of(g, n, [](double x) { return x * x; });
    else
      total += sum_of(g, n, [p](double x) { return std::pow(std::abs(x), p); });
  });
  return std::isinf(p) ? total : p == 2 ? std::sqrt(total) : std::pow(total, 1 / p);
}

}  // namespace

double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm, const ClipOptions& options) {
  if (!(max_norm >= 0))
    throw ValueError(fmt::format("clip_grad_norm: max_norm is {}; it must not be negative", max_norm));
  if (!(options.norm_type > 0))
    throw ValueError(fmt::format("clip_grad_norm: norm_type is {}; it must be positive", options.norm_type));
  const double norm = norm_of(parameters, options.norm_type);
  if (options.error_if_nonfinite && !std::isfinite(norm))
    throw ValueError(
        fmt::format("clip_grad_norm: the norm of the gradients is {}; skip this step, or lower the rate", norm));
  const double scale = max_norm / (norm + 1e-6);
  if (scale >= 1) return norm;
  change_each_gradient("clip_grad_norm", parameters, [scale]<class T>(T* g, std::int64_t n) {
    const T factor = static_cast<T>(scale);
    for (std::int64_t i = 0; i < n; ++i) g[i] *= factor;
  });
  return norm;
}

void clip_grad_value(const std::vector<Tensor>& parameters, double clip_value) {
  if (!(clip_value >= 0))
    throw ValueError(fmt::format("clip_grad_value: clip_value is {}; it must not be negative", clip_value));
  change_each_gradient("clip_grad_value", parameters, [clip_value]<class T>(T* g, std::int64_t n) {
    const T limit = static_cast<T>(clip_value);
    for (std::int64_t i = 0; i < n; ++i) g[i] = g[i] > limit ? limit : g[i] < -limit ? -limit : g[i];
  });
}

}  // namespace gradtape::inline v0::optim
