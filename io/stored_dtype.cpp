#include <gradtape/io/stored_dtype.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <utility>

namespace gradtape::inline v0::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little endian, and are read as they are");

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of mantissa.
struct Half {
  std::uint16_t bits;
  explicit operator float() const {
    const std::uint32_t sign = (bits & 0x8000U) << 16, exponent = bits >> 10 & 31U, mantissa = bits & 1023U;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000U | mantissa << 13);
    if (exponent > 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
};

/// The upper half of a float.
struct Brain {
  std::uint16_t bits;
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

template <class To, class From>
bool fits(From x) {
  if constexpr (std::same_as<To, bool>)
    return x <= 1;
  else if constexpr (std::integral<From>)
    return std::in_range<To>(x);
  else
    return true;
}

template <class From, class To>
std::int64_t convert(const std::byte* from, std::int64_t n, std::byte* to) {
  for (std::int64_t i = 0; i < n; ++i) {
    From x;
    std::memcpy(&x, from + i * static_cast<std::int64_t>(sizeof(From)), sizeof(From));
    if (!fits<To>(x)) return i;
    reinterpret_cast<To*>(to)[i] = static_cast<To>(x);
  }
  return n;
}

template <class From, class To>
constexpr StoredDtype converted(std::string_view name) {
  return {name, sizeof(From), dtype_of<To>, convert<From, To>};
}

constexpr StoredDtype known[] = {
    {"F32", 4, f32, nullptr},
    {"F64", 8, f64, nullptr},
    {"I64", 8, i64, nullptr},
    converted<std::uint8_t, bool>("BOOL"),
    converted<Half, float>("F16"),
    converted<Brain, float>("BF16"),
    converted<std::int8_t, std::int64_t>("I8"),
    converted<std::int16_t, std::int64_t>("I16"),
    converted<std::int32_t, std::int64_t>("I32"),
    converted<std::uint8_t, std::int64_t>("U8"),
    converted<std::uint16_t, std::int64_t>("U16"),
    converted<std::uint32_t, std::int64_t>("U32"),
    converted<std::uint64_t, std::int64_t>("U64"),
};

}  // namespace

const StoredDtype* find_stored_dtype(std::string_view name) {
  const auto* at = std::ranges::find(known, name, &StoredDtype::name);
  return at == std::end(known) ? nullptr : at;
}

const StoredDtype& stored_dtype(Dtype dtype) { return known[static_cast<std::size_t>(dtype)]; }

}  // namespace gradtape::inline v0::detail
