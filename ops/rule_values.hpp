#pragma once

#include <gradtape/core/dtype.hpp>
#include <gradtape/core/tensor.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

/// What an elementwise rule is written in. Its text is read on SIMD lanes; on Tensors, while a sweep is being recorded;
/// on probes, whose types say at compile time which values a gradient reads; and on dual numbers, which carry a
/// derivative along.
namespace gradtape::inline v0::rule {

/// A lane, a mask, a probe or a dual number.
template <class T>
concept Value = requires { typename T::rule_value; };

/// What may stand beside a Value. A Tensor does where some value was not saved: a probe takes its place.
template <class T>
concept Argument = Value<T> || Number<T> || std::same_as<T, Tensor>;

// Lanes and dual numbers are copied register by register: what is copied as a whole, GCC writes to memory each time.

/// One SIMD register of T. The instruction set is part of the type, so that one source can be compiled for several.
template <class T, class Arch>
struct Lane {
  using rule_value = T;
  static constexpr std::size_t size = xsimd::batch<T, Arch>::size;
  xsimd::batch<T, Arch> v;

  Lane() = default;
  Lane(xsimd::batch<T, Arch> b) : v(b.data) {}
  Lane(const Lane& l) : v(l.v.data) {}
  Lane& operator=(const Lane& l) { return v.data = l.v.data, *this; }
};

/// The outcome of a comparison of lanes.
template <class T, class Arch>
struct Mask {
  using rule_value = T;
  xsimd::batch_bool<T, Arch> v;
};

/// Stands for a value of which only the origin matters: bit i of Reads, that value i of the rule went into it; Fresh,
/// that nothing has been done to it yet.
template <std::uint64_t Reads, bool Fresh = false>
struct Probe {
  using rule_value = void;
  static constexpr std::uint64_t reads = Reads;
};

/// A value and its derivative along some direction: each operation applies its own rule to the derivatives. Where
/// derivatives are taken of derivatives, the outer ones have a higher level, and leave those of a lower one alone.
template <class Primal, class Tangent, int Level = 1>
struct Dual {
  using rule_value = void;
  Primal primal;
  Tangent tangent;

  Dual() = default;
  Dual(Primal p, Tangent t) : primal(p), tangent(t) {}
  Dual(const Dual& d) : primal(d.primal), tangent(d.tangent) {}
  Dual& operator=(const Dual& d) { return primal = d.primal, tangent = d.tangent, *this; }
};

/// Marks an input that has no gradient, such as an index or a condition.
struct NoGradient {};

/// What the rule of an op with several inputs returns: one gradient each.
template <class... G>
struct Gradients {
  std::tuple<G...> all;
};
template <class... G>
Gradients<G...> grads(G... g) {
  return {{std::move(g)...}};
}

namespace detail {

template <class X>
inline constexpr std::uint64_t reads_of = 0;
template <std::uint64_t Reads, bool Fresh>
inline constexpr std::uint64_t reads_of<Probe<Reads, Fresh>> = Reads;

template <class X>
inline constexpr bool is_probe = false;
template <std::uint64_t Reads, bool Fresh>
inline constexpr bool is_probe<Probe<Reads, Fresh>> = true;

template <class X>
inline constexpr int level_of = 0;
template <class P, class T, int Level>
inline constexpr int level_of<Dual<P, T, Level>> = Level;
template <class... X>
inline constexpr int highest_level = std::max({0, level_of<X>...});

template <class X>
inline constexpr bool is_mask = false;
template <class T, class Arch>
inline constexpr bool is_mask<Mask<T, Arch>> = true;

template <int Level, class X>
auto primal(X x) {
  if constexpr (level_of<X> == Level)
    return x.primal;
  else
    return x;
}
template <int Level, class X>
auto tangent(X x) {
  if constexpr (level_of<X> == Level)
    return x.tangent;
  else
    return 0;
}

template <class T, class Arch>
Lane<T, Arch> wrap(xsimd::batch<T, Arch> v) {
  return {v};
}
template <class T, class Arch>
Mask<T, Arch> wrap(xsimd::batch_bool<T, Arch> v) {
  return {v};
}

/// The T and Arch among the arguments of a lane function; numbers take that T, so literals keep the dtype.
template <class... X>
struct Register;
template <class T, class Arch, class... X>
struct Register<Lane<T, Arch>, X...> {
  using type = xsimd::batch<T, Arch>;
};
template <class T, class Arch, class... X>
struct Register<Mask<T, Arch>, X...> {
  using type = xsimd::batch<T, Arch>;
};
template <class First, class... X>
struct Register<First, X...> : Register<X...> {};

template <class R, Argument X>
auto unwrap(X x) {
  if constexpr (Number<X>)
    return R(number_cast<typename R::value_type>(x));
  else
    return x.v;
}

}  // namespace detail
}  // namespace gradtape::inline v0::rule
