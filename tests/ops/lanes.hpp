#pragma once

/// \file
/// What the tests of the functions of SIMD registers share: points, references in long double, comparison to the bit.

#include <gradtape/ops/kernels/lane_core.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

namespace lane_test {

template <class T>
using Batch = xsimd::batch<T, xsimd::default_arch>;

template <class T>
inline constexpr T inf = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T nan = std::numeric_limits<T>::quiet_NaN();

template <class T>
auto bits_of(T x) {
  return std::bit_cast<std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>>(x);
}

/// A register whose element `i` is `x(i)`.
template <class T, class F>
Batch<T> filled(F x) {
  alignas(64) T at[Batch<T>::size];
  for (std::size_t i = 0; i < Batch<T>::size; ++i) at[i] = x(i);
  return Batch<T>::load_aligned(at);
}

/// `f` over registers filled from vectors of equal length.
template <class T, class F, class... X>
std::vector<T> apply(F f, const X&... x) {
  std::vector<T> out(std::min({x.size()...}));
  for (std::size_t start = 0; start < out.size(); start += Batch<T>::size) {
    const auto from = [&](const std::vector<T>& v) {
      return filled<T>([&](std::size_t i) { return v[std::min(start + i, v.size() - 1)]; });
    };
    alignas(64) T at[Batch<T>::size];
    f(from(x)...).store_aligned(at);
    for (std::size_t i = 0; i < Batch<T>::size && start + i < out.size(); ++i) out[start + i] = at[i];
  }
  return out;
}

/// Units in the last place (those of T at `expected`) between `actual` and `expected`; infinite where one of them is
/// not a number or has overflowed and the other has not, but for the last unit before overflow.
template <class T>
double ulps(T actual, long double expected) {
  const T rounded = static_cast<T>(expected), largest = std::numeric_limits<T>::max();
  if (actual == rounded || (std::isnan(actual) && std::isnan(rounded))) return 0;
  if (std::isnan(actual) || std::isnan(rounded)) return inf<double>;
  const auto finite = [&](T x) { return static_cast<long double>(std::clamp(x, -largest, largest)); };
  const T at = std::clamp(std::abs(rounded), std::numeric_limits<T>::min(), largest);
  const auto unit = static_cast<long double>(at) - static_cast<long double>(std::nextafter(at, T{0}));
  const long double distance = std::isinf(rounded) ? finite(actual) - finite(rounded) : finite(actual) - expected;
  return static_cast<double>(std::abs(distance) / unit) + (std::isinf(actual) != std::isinf(rounded));
}

/// `n` random numbers in [low, high), evenly spread.
template <class T>
std::vector<T> even(double low, double high, std::size_t n = 20000) {
  std::mt19937_64 random(17);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(low + (high - low) * 0x1p-64 * static_cast<double>(random()));
  return x;
}

/// `n` random numbers of both signs whose logarithms are evenly spread between those of `low` and `high`.
template <class T>
std::vector<T> spread(double low, double high, std::size_t n = 20000) {
  std::vector<T> x = even<T>(std::log2(low), std::log2(high), n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>((i % 2 ? -1 : 1) * std::exp2(static_cast<double>(x[i])));
  return x;
}

/// `n` random patterns of bits: numbers of every exponent, subnormals, infinities and NaN.
template <class T>
std::vector<T> patterns(std::size_t n = 20000) {
  std::mt19937_64 random(23);
  std::vector<T> x(n);
  for (T& v : x) v = std::bit_cast<T>(static_cast<decltype(bits_of(v))>(random() >> (64 - 8 * sizeof(T))));
  return x;
}

/// Numbers at which something special happens in one function or another, in both signs.
template <class T>
std::vector<T> special() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x{T{0},
                   Limits::denorm_min(),
                   Limits::min() / 2,
                   Limits::min(),
                   Limits::epsilon(),
                   T(1e-10),
                   T(0.25),
                   T(0.3),
                   T(0.5),
                   T(1),
                   std::nextafter(T(1), T(0)),
                   std::nextafter(T(1), T(2)),
                   T(1.5),
                   T(2),
                   T(2.5),
                   T(3),
                   T(9),
                   T(10),
                   T(20),
                   T(28),
                   T(88),
                   T(89),
                   T(104),
                   T(177),
                   T(710),
                   T(746),
                   T(1500),
                   T(1e6),
                   T(0x1p28),
                   T(0x1p52),
                   T(0x1p53),
                   T(1e30),
                   Limits::max(),
                   inf<T>,
                   nan<T>};
  for (std::size_t i = x.size(); i-- > 0;) x.push_back(-x[i]);
  return x;
}

template <class T>
bool same(T a, T b) {
  return bits_of(a) == bits_of(b) || (std::isnan(a) && std::isnan(b));
}

/// An element's result is the same to the bit in each position and beside any neighbours.
template <class T, class F>
void check_neighbours(const std::string& name, F f, const std::vector<T>& points) {
  const std::vector<T> others = special<T>();
  std::size_t differ = 0;
  for (const T x : points) {
    const T alone = f(Batch<T>(x)).get(0);
    for (std::size_t k = 0; k < Batch<T>::size; ++k)
      for (std::size_t shift = 0; shift < others.size(); shift += 7) {
        const auto crowd = [&](std::size_t i) { return i == k ? x : others[(shift + i) % others.size()]; };
        differ += !same(f(filled<T>(crowd)).get(k), alone);
      }
  }
  CAPTURE(name);
  CHECK(differ == 0);
}

/// The largest distance of `f` from `exact` over `x`, in ulps.
template <class T, class F, class Exact>
double worst(F f, Exact exact, const std::vector<T>& x) {
  const std::vector<T> y = apply<T>(f, x);
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    most = std::max(most, ulps<T>(y[i], exact(static_cast<long double>(x[i]))));
  return most;
}

/// Checks `f` at `ranges`, at random patterns of bits and at special values against `exact`, its zeros and infinities
/// to the bit, and that neighbours do not matter.
template <class T, class F, class Exact>
void check(const std::string& name, F f, Exact exact, double bound, std::vector<std::vector<T>> ranges) {
  ranges.push_back(patterns<T>());
  ranges.push_back(special<T>());
  CAPTURE(name);
  CAPTURE(sizeof(T));
  double most = 0;
  for (const auto& x : ranges) most = std::max(most, worst<T>(f, exact, x));
  CHECK(most <= bound);
  const std::vector<T> x = special<T>(), y = apply<T>(f, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T expected = static_cast<T>(exact(static_cast<long double>(x[i])));
    if (std::isfinite(expected) && expected != 0) continue;
    CAPTURE(x[i]);
    CAPTURE(y[i]);
    CHECK(same(y[i], expected));
  }
  std::vector<T> points(ranges.front().begin(), ranges.front().begin() + 40);
  points.insert(points.end(), x.begin(), x.end());
  check_neighbours<T>(name, f, points);
}

/// The same for a function of two numbers: at random pairs of `x` and `y`, and at every pair of special values.
template <class T, class F, class Exact>
void check(const std::string& name, F f, Exact exact, double bound, const std::vector<std::vector<T>>& x,
           const std::vector<std::vector<T>>& y) {
  CAPTURE(name);
  CAPTURE(sizeof(T));
  const auto wide = [](T v) { return static_cast<long double>(v); };
  double most = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const std::vector<T> z = apply<T>(f, x[k], y[k]);
    for (std::size_t i = 0; i < z.size(); ++i)
      most = std::max(most, ulps<T>(z[i], exact(wide(x[k][i]), wide(y[k][i]))));
  }
  const std::vector<T> points = special<T>();
  for (const T a : points) {
    const std::vector<T> z = apply<T>(f, std::vector<T>(points.size(), a), points);
    for (std::size_t i = 0; i < z.size(); ++i) {
      const auto expected = static_cast<T>(exact(wide(a), wide(points[i])));
      most = std::max(most, ulps<T>(z[i], exact(wide(a), wide(points[i]))));
      if (std::isfinite(expected) && expected != 0) continue;
      CAPTURE(a);
      CAPTURE(points[i]);
      CAPTURE(z[i]);
      CHECK(same(z[i], expected));
    }
    check_neighbours<T>(name, [&](const Batch<T>& v) { return f(Batch<T>(a), v); }, {a, T(0.7), inf<T>, nan<T>});
    check_neighbours<T>(name, [&](const Batch<T>& v) { return f(v, Batch<T>(a)); }, {a, T(0.7), inf<T>, nan<T>});
  }
  CHECK(most <= bound);
}

}  // namespace lane_test
