#pragma once

#include <gradtape/core/dtype.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/kernels/lane_math.hpp>

#include <xsimd/xsimd.hpp>

#include <concepts>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

/// What an elementwise rule is written in. Its text is read three ways: on SIMD lanes, on Tensors while a sweep is being
/// recorded, and on probes, whose types say at compile time which values a gradient reads. Everything a rule may call
/// stands here once, for lanes and probes; the Tensor functions of the same names stand in gradtape, and argument-dependent
/// lookup picks.
namespace gradtape::rule {

/// A lane or a probe.
template <class T>
concept Value = requires { typename T::rule_value; };

/// What may stand beside a Value. A Tensor does where some value was not saved: a probe takes its place.
template <class T>
concept Argument = Value<T> || Number<T> || std::same_as<T, Tensor>;

/// One SIMD register of T. The instruction set is part of the type, so that one source can be compiled for several.
template <class T, class Arch>
struct Lane {
  using rule_value = T;
  static constexpr std::size_t size = xsimd::batch<T, Arch>::size;
  xsimd::batch<T, Arch> v;
};

/// The outcome of a comparison of lanes.
template <class T, class Arch>
struct Mask {
  using rule_value = T;
  xsimd::batch_bool<T, Arch> v;
};

/// Stands for a value of which only the origin matters: bit i of Reads, that value i of the rule went into it; Fresh, that
/// nothing has been done to it yet.
template <std::uint64_t Reads, bool Fresh = false>
struct Probe {
  using rule_value = void;
  static constexpr std::uint64_t reads = Reads;
};

namespace detail {

template <class X>
inline constexpr std::uint64_t reads_of = 0;
template <std::uint64_t Reads, bool Fresh>
inline constexpr std::uint64_t reads_of<Probe<Reads, Fresh>> = Reads;

template <class X>
inline constexpr bool is_probe = false;
template <std::uint64_t Reads, bool Fresh>
inline constexpr bool is_probe<Probe<Reads, Fresh>> = true;

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
    return R(static_cast<typename R::value_type>(x));
  else
    return x.v;
}

/// Applies a function of SIMD registers to lanes, masks and numbers, or unites what probes have read.
template <class F, Argument... X>
auto lift(F f, X... x) {
  if constexpr ((is_probe<X> || ...))
    return Probe<(reads_of<X> | ...)>{};
  else
    return wrap(f(unwrap<typename Register<X...>::type>(x)...));
}

template <class A, class B>
concept Pair = Argument<A> && Argument<B> && (Value<A> || Value<B>);

}  // namespace detail

using detail::lift;
using detail::Pair;

template <Value A> auto operator-(A a) { return lift([](auto x) { return -x; }, a); }
template <Value A> auto operator!(A a) { return lift([](auto x) { return !x; }, a); }

template <class A, class B> requires Pair<A, B> auto operator+(A a, B b) { return lift([](auto x, auto y) { return x + y; }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator-(A a, B b) { return lift([](auto x, auto y) { return x - y; }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator*(A a, B b) { return lift([](auto x, auto y) { return gradtape::detail::lanes::mul(x, y); }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator/(A a, B b) { return lift([](auto x, auto y) { return x / y; }, a, b); }

template <class A, class B> requires Pair<A, B> auto operator<(A a, B b) { return lift([](auto x, auto y) { return x < y; }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator<=(A a, B b) { return lift([](auto x, auto y) { return x <= y; }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator>(A a, B b) { return lift([](auto x, auto y) { return x > y; }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator>=(A a, B b) { return lift([](auto x, auto y) { return x >= y; }, a, b); }
template <class A, class B> requires Pair<A, B> auto operator==(A a, B b) { return lift([](auto x, auto y) { return x == y; }, a, b); }
// xsimd 8.1's own != is false for NaN on AVX.
template <class A, class B> requires Pair<A, B> auto operator!=(A a, B b) { return lift([](auto x, auto y) { return !(x == y); }, a, b); }

template <Value A> auto exp(A a) { return lift([](auto x) { return gradtape::detail::lanes::exp(x); }, a); }
template <Value A> auto log(A a) { return lift([](auto x) { return gradtape::detail::lanes::log(x); }, a); }
template <Value A> auto sqrt(A a) { return lift([](auto x) { return xsimd::sqrt(x); }, a); }
template <Value A> auto sin(A a) { return lift([](auto x) { return gradtape::detail::lanes::sin(x); }, a); }
template <Value A> auto cos(A a) { return lift([](auto x) { return gradtape::detail::lanes::cos(x); }, a); }
template <Value A> auto tanh(A a) { return lift([](auto x) { return xsimd::tanh(x); }, a); }
template <Value A> auto abs(A a) { return lift([](auto x) { return xsimd::abs(x); }, a); }

template <class A, class B> requires Pair<A, B> auto pow(A a, B b) { return lift([](auto x, auto y) { return gradtape::detail::lanes::pow(x, y); }, a, b); }

/// `condition ? a : b`, lane by lane; what is not chosen has no effect on the result, NaN included.
template <Argument C, Argument A, Argument B>
  requires(Value<C> || Value<A> || Value<B>)
auto where(C condition, A a, B b) {
  return lift([](auto c, auto x, auto y) { return xsimd::select(c, x, y); }, condition, a, b);
}

// NaN wins on either side, as in IEEE 754-2019 maximum and minimum.
template <class A, class B> requires Pair<A, B> auto maximum(A a, B b) { return lift([](auto x, auto y) { return xsimd::select(!(x == x), x, xsimd::select(x > y, x, y)); }, a, b); }
template <class A, class B> requires Pair<A, B> auto minimum(A a, B b) { return lift([](auto x, auto y) { return xsimd::select(!(x == x), x, xsimd::select(x < y, x, y)); }, a, b); }

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

}  // namespace gradtape::rule

namespace gradtape {
using rule::grads;
using rule::NoGradient;
}  // namespace gradtape
