#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

/// Functions of SIMD registers. Unlike some of xsimd's own, an element's bits never depend on its neighbours, and
/// special values follow IEEE 754 and C99 Annex F. What they are made of stands here.
namespace gradtape::inline v0::detail::lanes {

template <class B>
inline constexpr bool is_double = std::is_same_v<typename B::value_type, double>;

/// `v`, rounded to the type of an element, in every element.
template <class B>
B number(double v) {
  return B(static_cast<typename B::value_type>(v));
}

/// The one of two numbers that belongs to the precision.
template <class B>
B number(double in_f32, double in_f64) {
  return number<B>(is_double<B> ? in_f64 : in_f32);
}

template <class B>
B infinity() {
  return B(std::numeric_limits<typename B::value_type>::infinity());
}
template <class B>
B quiet_nan() {
  return B(std::numeric_limits<typename B::value_type>::quiet_NaN());
}

/// Whether fma rounds once.
template <class Arch>
inline constexpr bool has_fma = std::is_base_of_v<xsimd::avx512f, Arch>;
template <class Arch>
inline constexpr bool has_fma<xsimd::fma3<Arch>> = true;

/// x · y + z, rounded once where the processor can do that. xsimd 8.1 does not know the instruction of AVX-512.
template <class B>
B fma(const B& x, const B& y, const B& z) {
#ifdef __AVX512F__
  if constexpr (std::is_base_of_v<xsimd::avx512f, typename B::arch_type>) {
    if constexpr (is_double<B>)
      return _mm512_fmadd_pd(x, y, z);
    else
      return _mm512_fmadd_ps(x, y, z);
  }
#endif
  return xsimd::fma(x, y, z);
}

/// x where the mask is set, else y. xsimd 8.1's own does not compile for integers on AVX-512 without optimisation.
template <class T, class Arch>
xsimd::batch<T, Arch> select(const xsimd::batch_bool<T, Arch>& mask, const xsimd::batch<T, Arch>& x,
                             const xsimd::batch<T, Arch>& y) {
#ifdef __AVX512F__
  if constexpr (std::is_base_of_v<xsimd::avx512f, Arch> && std::is_integral_v<T> && sizeof(T) == 8)
    return _mm512_mask_blend_epi64(mask.data, static_cast<__m512i>(y), static_cast<__m512i>(x));
  else
#endif
    return xsimd::select(mask, x, y);
}

/// Where the mask is not set. xsimd 8.1's own ! compares with zero, on AVX as integers of each half.
template <class T, class Arch>
xsimd::batch_bool<T, Arch> inverse(const xsimd::batch_bool<T, Arch>& mask) {
  return ~mask;
}

/// -x, of zeros too: xsimd 8.1 subtracts from zero on AVX-512. Its own is found by an unqualified call, so say
/// `lanes::`.
template <class B>
B neg(const B& x) {
  if constexpr (std::is_floating_point_v<typename B::value_type>)
    return x ^ number<B>(-0.0);
  else
    return -x;
}

/// z - x · y, rounded like fma.
template <class B>
B fnma(const B& x, const B& y, const B& z) {
#ifdef __AVX512F__
  if constexpr (std::is_base_of_v<xsimd::avx512f, typename B::arch_type>) {
    if constexpr (is_double<B>)
      return _mm512_fnmadd_pd(x, y, z);
    else
      return _mm512_fnmadd_ps(x, y, z);
  }
#endif
  return xsimd::fnma(x, y, z);
}

/// A number as the sum of two, the second at most half an ulp of the first.
template <class B>
struct Pair {
  B high, low;
};

/// x · y without an error. Of numbers so large that splitting them overflows, the lower part is NaN without fma.
template <class B>
Pair<B> exact_product(const B& x, const B& y) {
  if constexpr (has_fma<typename B::arch_type>) {
    const B p = lanes::fma(x, y, number<B>(-0.0));  // an ordinary product could be fused into what follows
    return {p, lanes::fma(x, y, lanes::neg(p))};
  } else {  // Veltkamp and Dekker
    const B split = number<B>(4097, 134217729), p = x * y, xs = x * split, ys = y * split;
    const B xh = xs - (xs - x), xl = x - xh, yh = ys - (ys - y), yl = y - yh;
    return {p, ((xh * yh - p) + xh * yl + xl * yh) + xl * yl};
  }
}

/// z - x · y without an error, for a product so close to z that a number of this precision can be the difference.
template <class B>
B exact_rest(const B& x, const B& y, const B& z) {
  if constexpr (has_fma<typename B::arch_type>) {
    return lanes::fnma(x, y, z);
  } else {
    const Pair<B> p = exact_product(x, y);
    return (z - p.high) - p.low;
  }
}

/// x + y without an error, whichever is larger (Knuth).
template <class B>
Pair<B> exact_sum(const B& x, const B& y) {
  const B s = x + y, of_y = s - x;
  return {s, (x - (s - of_y)) + (y - of_y)};
}

/// y · x^k and the polynomial of degree k - 1 with these coefficients, k even, in steps of two: half as many wait for
/// each other.
template <class B, class... C>
B polynomial_from(const B& y, const B& x, const B& square, double a, double b, C... lower) {
  const B sum = lanes::fma(y, square, lanes::fma(number<B>(a), x, number<B>(b)));
  if constexpr (sizeof...(lower) == 0)
    return sum;
  else
    return polynomial_from(sum, x, square, lower...);
}

/// The polynomial with these coefficients, the highest power's first.
template <class B, class... C>
B polynomial(const B& x, double a, double b, C... lower) {
  if constexpr (sizeof...(lower) % 2 == 1)
    return polynomial_from(number<B>(a), x, x * x, b, lower...);
  else if constexpr (sizeof...(lower) == 0)
    return lanes::fma(number<B>(a), x, number<B>(b));
  else
    return polynomial_from(lanes::fma(number<B>(a), x, number<B>(b)), x, x * x, lower...);
}

/// The bits of a register of float or double, as unsigned integers.
template <class B>
using Bits = xsimd::batch<std::conditional_t<is_double<B>, std::uint64_t, std::uint32_t>, typename B::arch_type>;

template <class B>
Bits<B> bits(const B& x) {
  return xsimd::bitwise_cast<Bits<B>>(x);
}
template <class B>
B from_bits(const Bits<B>& x) {
  return xsimd::bitwise_cast<B>(x);
}

template <class B>
inline constexpr int mantissa_bits = is_double<B> ? 52 : 23;
template <class B>
inline constexpr int exponent_bias = is_double<B> ? 1023 : 127;

/// Added to a number below 2²² (2⁵¹), this leaves the nearest whole number, as an integer, in the low bits of the sum.
template <class B>
inline constexpr double whole_in_low_bits = is_double<B> ? 0x1.8p52 : 0x1.8p23;

/// |y| with the sign of x.
template <class B>
B with_sign(const B& y, const B& x) {
  return y | xsimd::bitofsign(x);
}

/// The first elements of a register, between none and all, in memory that ends behind them.
template <class B>
class First {
 public:
  using T = typename B::value_type;
#if defined(__AVX512F__)
  static constexpr bool masked = std::is_floating_point_v<T> && sizeof(B) == 64;
#elif defined(__AVX__)
  static constexpr bool masked = std::is_floating_point_v<T> && sizeof(B) == 32;
#else
  static constexpr bool masked = false;  // it goes through memory
#endif
  explicit First(std::int64_t n) : n_(n) {
#if defined(__AVX512F__)
    if constexpr (masked) mask_ = static_cast<Mask>((1u << n) - 1);
#elif defined(__AVX__)
    if constexpr (masked && is_double<B>)
      mask_ = _mm256_castpd_si256(
          _mm256_cmp_pd(_mm256_setr_pd(0, 1, 2, 3), _mm256_set1_pd(static_cast<double>(n)), _CMP_LT_OQ));
    if constexpr (masked && !is_double<B>)
      mask_ = _mm256_castps_si256(
          _mm256_cmp_ps(_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_ps(static_cast<float>(n)), _CMP_LT_OQ));
#endif
  }

  /// Zeros behind them.
  B load(const T* from) const {
#if defined(__AVX512F__)
    if constexpr (masked && is_double<B>) return _mm512_maskz_loadu_pd(mask_, from);
    if constexpr (masked && !is_double<B>) return _mm512_maskz_loadu_ps(mask_, from);
#elif defined(__AVX__)
    if constexpr (masked && is_double<B>) return _mm256_maskload_pd(from, mask_);
    if constexpr (masked && !is_double<B>) return _mm256_maskload_ps(from, mask_);
#endif
    alignas(64) T all[B::size] = {};
    for (std::int64_t i = 0; i < n_; ++i) all[i] = from[i];
    return B::load_aligned(all);
  }

#ifdef __AVX__
  /// With `behind` behind them.
  B load(const T* from, T behind) const
    requires masked
  {
#ifdef __AVX512F__
    if constexpr (is_double<B>)
      return _mm512_mask_loadu_pd(B(behind), mask_, from);
    else
      return _mm512_mask_loadu_ps(B(behind), mask_, from);
#else
    if constexpr (is_double<B>)
      return _mm256_blendv_pd(B(behind), load(from), _mm256_castsi256_pd(mask_));
    else
      return _mm256_blendv_ps(B(behind), load(from), _mm256_castsi256_ps(mask_));
#endif
  }
#endif

  void store(T* to, const B& x) const {
#if defined(__AVX512F__)
    if constexpr (masked && is_double<B>) return _mm512_mask_storeu_pd(to, mask_, x);
    if constexpr (masked && !is_double<B>) return _mm512_mask_storeu_ps(to, mask_, x);
#elif defined(__AVX__)
    if constexpr (masked && is_double<B>) return _mm256_maskstore_pd(to, mask_, x);
    if constexpr (masked && !is_double<B>) return _mm256_maskstore_ps(to, mask_, x);
#endif
    alignas(64) T all[B::size];
    x.store_aligned(all);
    for (std::int64_t i = 0; i < n_; ++i) to[i] = all[i];
  }

 private:
#if defined(__AVX512F__)
  using Mask = std::conditional_t<is_double<B>, __mmask8, __mmask16>;
  Mask mask_ = 0;
#elif defined(__AVX__)
  __m256i mask_ = {};
#endif
  std::int64_t n_;
};

/// A register in memory, for what has to go element by element.
template <class B>
struct Elements {
  alignas(64) typename B::value_type at[B::size];
  explicit Elements(const B& x) { x.store_aligned(at); }
};

/// `f`, a function of numbers, of each element.
template <class F, class B, class... X>
B by_element(F f, const B& x, const X&... more) {
  Elements<B> y(x);
  const auto all = [&](const auto&... e) {
    for (std::size_t i = 0; i < B::size; ++i) y.at[i] = f(y.at[i], e.at[i]...);
  };
  all(Elements<X>(more)...);
  return B::load_aligned(y.at);
}

/// Its elements in two registers of double, the first ones first. By instructions, for g++ 12 makes each of them from
/// smaller ones.
template <class A>
std::array<xsimd::batch<double, A>, 2> widen(const xsimd::batch<float, A>& x) {
#ifdef __AVX512F__
  if constexpr (sizeof(x) == 64)
    return {_mm512_cvtps_pd(_mm512_castps512_ps256(x)),
            _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1)))};
#endif
#ifdef __AVX__
  if constexpr (sizeof(x) == 32)
    return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
#endif
#ifdef __SSE2__
  if constexpr (sizeof(x) == 16) return {_mm_cvtps_pd(x), _mm_cvtps_pd(_mm_movehl_ps(x, x))};
#else
  using Wide = typename xsimd::batch<double, A>::register_type;
  return {Wide(__builtin_convertvector(__builtin_shufflevector(x.data, x.data, 0, 1), Wide)),
          Wide(__builtin_convertvector(__builtin_shufflevector(x.data, x.data, 2, 3), Wide))};
#endif
}

/// The elements of two registers, converted.
template <class A, std::size_t... i>
xsimd::batch<float, A> narrow(const xsimd::batch<double, A>& x, const xsimd::batch<double, A>& y,
                              std::index_sequence<i...>) {
  using Narrow = typename xsimd::batch<float, A>::register_type;
  return Narrow(__builtin_convertvector(__builtin_shufflevector(x.data, y.data, i...), Narrow));
}

/// `f`, a function of registers of double, of registers of float.
template <class F, class A, class... X>
xsimd::batch<float, A> in_double(F f, const xsimd::batch<float, A>& x, const X&... more) {
  const auto half = [&](std::size_t i) { return f(widen(x)[i], widen(more)[i]...); };
  return narrow(half(0), half(1), std::make_index_sequence<xsimd::batch<float, A>::size>());
}

}  // namespace gradtape::inline v0::detail::lanes
