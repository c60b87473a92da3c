#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace gradtape::inline v0 {

/// Element type of an array, known at run time. f32 and f64 differentiate; i64 and boolean index, label and mask.
enum class Dtype : std::uint8_t { f32, f64, i64, boolean };

inline constexpr Dtype f32 = Dtype::f32;
inline constexpr Dtype f64 = Dtype::f64;
inline constexpr Dtype i64 = Dtype::i64;
inline constexpr Dtype boolean = Dtype::boolean;

/// The C++ types that have a dtype: float, double, std::int64_t, bool.
template <class T>
concept Element =
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> || std::same_as<T, bool>;

/// A C++ number as it stands in an expression with tensors.
template <class T>
concept Number = std::is_arithmetic_v<T>;

/// The dtype of a C++ element type.
template <Element T>
inline constexpr Dtype dtype_of = std::same_as<T, float>    ? Dtype::f32
                                  : std::same_as<T, double> ? Dtype::f64
                                  : std::same_as<T, bool>   ? Dtype::boolean
                                                            : Dtype::i64;

/// Bytes of one element.
constexpr std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return sizeof(float);
    case Dtype::f64:
      return sizeof(double);
    case Dtype::i64:
      return sizeof(std::int64_t);
    case Dtype::boolean:
      return sizeof(bool);
  }
  return 0;
}

/// "f32", "f64", "i64" or "boolean".
constexpr std::string_view to_string(Dtype dtype) {
  constexpr std::string_view names[] = {"f32", "f64", "i64", "boolean"};
  return names[static_cast<std::size_t>(dtype)];
}

constexpr bool is_floating(Dtype dtype) { return dtype == Dtype::f32 || dtype == Dtype::f64; }

/// A number as another type, defined for every value: towards zero from floating to integer, where what lies beyond the
/// range becomes the nearest end of it and NaN 0; boolean says whether a number is not 0.
template <Number T, Number F>
constexpr T number_cast(F x) {
  if constexpr (std::same_as<T, bool>) {
    return x != F{0};
  } else if constexpr (std::integral<T> && std::floating_point<F>) {
    using Limits = std::numeric_limits<T>;
    constexpr F low = static_cast<F>(Limits::min()), past_high = static_cast<F>(Limits::max() / 2 + 1) * 2;
    const T inside = static_cast<T>(x >= low && x < past_high ? x : F{0});
    return x >= past_high ? Limits::max() : x < low ? Limits::min() : inside;
  } else {
    return static_cast<T>(x);
  }
}

/// Calls `f(std::type_identity<T>{})` with the C++ type of `dtype`.
template <class F>
decltype(auto) with_type(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::f64:
      return f(std::type_identity<double>{});
    case Dtype::i64:
      return f(std::type_identity<std::int64_t>{});
    case Dtype::boolean:
      return f(std::type_identity<bool>{});
    default:
      return f(std::type_identity<float>{});
  }
}

namespace detail {
[[noreturn]] void throw_not_floating(std::string_view op, Dtype dtype);
}

/// The same for f32 and f64 alone; throws DtypeError that names `op` for another dtype.
template <class F>
decltype(auto) with_floating(std::string_view op, Dtype dtype, F&& f) {
  if (dtype == Dtype::f32) return f(std::type_identity<float>{});
  if (dtype == Dtype::f64) return f(std::type_identity<double>{});
  detail::throw_not_floating(op, dtype);
}

}  // namespace gradtape::inline v0
