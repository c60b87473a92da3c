#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

/// Functions of SIMD registers where xsimd's own would not do: here an element's bits never depend on its neighbours, and
/// special values follow IEEE 754.
namespace gradtape::detail::lanes {

/// x · y; integers wrap around. xsimd multiplies 64-bit ones as signed numbers, in which the overflow of what stands behind the
/// last element would be undefined.
template <class B>
B mul(const B& x, const B& y) {
  if constexpr (std::is_same_v<typename B::value_type, std::int64_t>) {
    using Unsigned = xsimd::batch<std::uint64_t, typename B::arch_type>;
    alignas(64) std::int64_t product[B::size];
    (Unsigned(xsimd::bitwise_cast<Unsigned>(x)) * Unsigned(xsimd::bitwise_cast<Unsigned>(y))).store_aligned(reinterpret_cast<std::uint64_t*>(product));
    return B::load_aligned(product);
  } else {
    return x * y;
  }
}

template <class B>
struct Elements {
  alignas(64) typename B::value_type at[B::size];
  explicit Elements(const B& x) { x.store_aligned(at); }
};

/// Sine and cosine for |x| <= mediumpi. xsimd's own choose one reduction for a whole register; here every element goes the same
/// way to [-π/4, π/4], where xsimd reduces no further.
template <class B>
std::pair<B, B> medium_sincos(const B& x) {
  namespace c = xsimd::constants;
  const B quarter = c::pio4<B>();
  B n = xsimd::nearbyint(x * c::twoopi<B>());
  // Cody and Waite: π/2 in three short parts and a rest; n times a part is exact, the e are what rounding took away.
  const B t = x - n * c::pio2_1<B>();
  const B w1 = n * c::pio2_2<B>(), r1 = t - w1, e1 = (t - r1) - w1;
  const B w2 = n * c::pio2_3<B>(), r2 = r1 - w2, e2 = (r1 - r2) - w2;
  B r = r2 + ((e1 + e2) - n * c::pio2_3t<B>());
  // Where rounding x·2/π picked the wrong quarter: one more turn.
  const B turn = xsimd::select(r > quarter, B(1), xsimd::select(r < -quarter, B(-1), B(0)));
  r = (r - turn * c::pio2<B>()) - turn * c::pio_2lo<B>();
  n += turn;
  // Their polynomials alone: xsimd::sincos also brings a scalar reduction that all instruction sets would share by name.
  r = xsimd::max(xsimd::min(r, quarter), -quarter);
  const B s = xsimd::kernel::detail::sin_eval(r * r, r), k = xsimd::kernel::detail::cos_eval(r * r);
  const B quadrant = n - B(4) * xsimd::floor(n * B(0.25));
  const auto odd = quadrant == B(1) || quadrant == B(3);
  const B sine = xsimd::select(odd, k, s), cosine = xsimd::select(odd, s, k);
  return {xsimd::select(quadrant >= B(2), -sine, sine), xsimd::select(quadrant == B(1) || quadrant == B(2), -cosine, cosine)};
}

/// `medium(|x|)` where |x| <= mediumpi (201 in f32, 823550 in f64), the C library's `beyond` for the other elements.
template <class B, class Medium, class Beyond>
B by_size(const B& x, Medium medium, Beyond beyond) {
  const B a = xsimd::abs(x);
  const auto small = a <= xsimd::constants::mediumpi<B>();
  const B y = medium(xsimd::select(small, a, B(0)));
  if (xsimd::all(small)) return y;
  Elements<B> from(x), to(y);
  for (std::size_t i = 0; i < B::size; ++i)
    if (!(std::abs(from.at[i]) <= xsimd::constants::mediumpi<typename B::value_type>())) to.at[i] = beyond(from.at[i]);
  return B::load_aligned(to.at);
}

template <class B>
B sin(const B& x) {
  const auto medium = [&](const B& a) { return medium_sincos(a).first ^ xsimd::bitofsign(x); };
  return by_size(x, medium, [](auto v) { return std::sin(v); });
}

template <class B>
B cos(const B& x) {
  return by_size(x, [](const B& a) { return medium_sincos(a).second; }, [](auto v) { return std::cos(v); });
}

/// xsimd's gives inf for the last third of a unit before overflow, so what lies there is computed one lower.
template <class B>
B exp(const B& x) {
  using T = typename B::value_type;
  const B y = xsimd::exp(x);
  const auto high = x > B(std::is_same_v<T, double> ? T(709) : T(88));
  if (!xsimd::any(high)) return y;
  return xsimd::select(high, xsimd::exp(x - B(1)) * B(T(2.718281828459045235)), y);
}

/// xsimd 8.1 is wrong for subnormal doubles, so they are scaled by 2⁵⁴ first.
template <class B>
B log(const B& x) {
  using T = typename B::value_type;
  if constexpr (std::is_same_v<T, double>) {
    const auto tiny = x < B(std::numeric_limits<T>::min());
    const B y = xsimd::log(xsimd::select(tiny, x * B(0x1p54), x));
    return y - xsimd::select(tiny, B(54 * 0.693147180559945309417), B(0));
  } else {
    return xsimd::log(x);
  }
}

/// The C library's: exp(b·log(a)) in working precision loses a digit or two, and 0⁰, 1^∞ and their like need care.
template <class B>
B pow(const B& a, const B& b) {
  Elements<B> base(a), exponent(b);
  for (std::size_t i = 0; i < B::size; ++i) base.at[i] = std::pow(base.at[i], exponent.at[i]);
  return B::load_aligned(base.at);
}

}  // namespace gradtape::detail::lanes
