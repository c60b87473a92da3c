#include "compare.hpp"

#include <cmath>

#include <fmt/format.h>

namespace suite {
namespace {

bool close(double actual, double expected) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  return std::abs(actual - expected) <= 1e-7 + 1e-3 * std::abs(expected);
}

template <class T>
bool alike(T actual, T expected) {
  if constexpr (std::is_floating_point_v<T>)
    return close(actual, expected);
  else
    return actual == expected;
}

}  // namespace

std::string difference(const gt::Tensor& actual, const gt::Tensor& expected) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape())
    return fmt::format("{} {}, expected {} {}", gt::to_string(actual.dtype()), gt::to_string(actual.shape()),
                       gt::to_string(expected.dtype()), gt::to_string(expected.shape()));
  return gt::with_type(actual.dtype(), [&]<class T>(std::type_identity<T>) -> std::string {
    const std::vector<T> a = actual.to_vector<T>(), e = expected.to_vector<T>();
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!alike<T>(a[i], e[i])) return fmt::format("element {} is {}, expected {}", i, a[i], e[i]);
    return {};
  });
}

}  // namespace suite
