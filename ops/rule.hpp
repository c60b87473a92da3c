#pragma once

#include <gradtape/core/observe.hpp>
#include <gradtape/ops/kernels/lane_math.hpp>
#include <gradtape/ops/rule_values.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// How rules are read on the values of ops/rule_values.hpp. What a rule may call stands in ops/rules/, once for all of
/// them but Tensors; the Tensor functions of the same names stand in gradtape, and argument-dependent lookup picks.
namespace gradtape::inline v0::detail {
Array scalar(std::string_view op, double number, Dtype dtype);
}

namespace gradtape::inline v0::rule {

namespace lanes = gradtape::detail::lanes;

namespace detail {

template <class... G>
std::tuple<G...> as_tuple(Gradients<G...> result) {
  return std::move(result.all);
}
template <class G>
std::tuple<G> as_tuple(G result) {
  return {std::move(result)};
}

/// Calls `op.vjp(g, x…)` or, where the rule asks for it, `op.vjp(g, x…, y)`; the gradients as a tuple.
template <class Op, class G, class... X, class Y>
auto call_vjp(const Op& op, G g, std::tuple<X...> x, Y y) {
  return std::apply(
      [&](auto... in) {
        if constexpr (requires { op.vjp(g, in..., y); })
          return as_tuple(op.vjp(g, in..., y));
        else
          return as_tuple(op.vjp(g, in...));
      },
      x);
}

template <class Op, std::size_t... I>
auto probe_vjp(std::index_sequence<I...>)
    -> decltype(call_vjp(std::declval<const Op&>(), Probe<1, true>{}, std::tuple<Probe<(std::uint64_t{2} << I)>...>{},
                         Probe<(std::uint64_t{2} << sizeof...(I))>{}));

/// The gradients of an op of N inputs on probes. Values of a rule are numbered: 0 the gradient, 1 + i input i, 1 + N
/// the output.
template <class Op, std::size_t N>
using ProbedGradients = decltype(probe_vjp<Op>(std::make_index_sequence<N>{}));

/// Value K of a rule if the gradient of input I reads it, else a probe, so that on Tensors nothing is computed for the
/// others.
template <class Op, std::size_t N, std::size_t I, std::size_t K, class X>
auto if_read(X x) {
  if constexpr (reads_of<std::tuple_element_t<I, ProbedGradients<Op, N>>> >> K & 1)
    return x;
  else
    return Probe<0>{};
}

/// d(op)/d(input I) · t: the rule of an elementwise op is diagonal, so with a tangent for the gradient it gives a
/// tangent.
template <std::size_t I, class Op, class T, class... X, class Y>
auto jvp(const Op& op, T t, std::tuple<X...> x, Y y) {
  constexpr std::size_t n = sizeof...(X);
  return [&]<std::size_t... K>(std::index_sequence<K...>) {
    return std::get<I>(
        call_vjp(op, t, std::make_tuple(if_read<Op, n, I, K + 1>(std::get<K>(x))...), if_read<Op, n, I, n + 1>(y)));
  }(std::make_index_sequence<n>{});
}

/// Adds nothing to a sum of derivatives.
struct Nothing {
  friend Nothing operator+(Nothing, Nothing) { return {}; }
  template <Argument A>
  friend A operator+(A a, Nothing) {
    return a;
  }
  template <Argument A>
  friend A operator+(Nothing, A a) {
    return a;
  }
};

template <class Op, std::size_t... I>
constexpr bool has_rule(std::index_sequence<I...>) {
  return requires(const Op& op) { op.vjp(Probe<1>{}, ((void)I, Probe<0>{})...); } ||
         requires(const Op& op) { op.vjp(Probe<1>{}, ((void)I, Probe<0>{})..., Probe<0>{}); };
}
/// Whether an elementwise op of N inputs has a derivative.
template <class Op, std::size_t N>
concept Differentiable = has_rule<Op>(std::make_index_sequence<N>{});

struct Vjp {
  int vjp;
};
template <class Op>
struct OrVjp : Op, Vjp {};
/// Whether an op has a member `vjp`, whatever it takes: the name is ambiguous then.
template <class Op>
concept NamesVjp = !std::is_final_v<Op> && !requires { &OrVjp<Op>::vjp; };

/// A number as a value of the kind of `other`, so that rules need not tell numbers from values.
template <class X, class Other>
auto as_value([[maybe_unused]] const Other& other, X x) {
  if constexpr (!Number<X>)
    return x;
  else if constexpr (is_probe<Other>)
    return Probe<0>{};
  else if constexpr (std::same_as<Other, Tensor>)
    return Tensor(gradtape::detail::scalar("map", static_cast<double>(x), other.dtype()));
  else
    return Other{decltype(Other::v)(number_cast<typename Other::rule_value>(x))};
}
/// The first lane or Tensor, inside of dual numbers too, or a probe where there is none.
template <class First, class... X>
auto kind_of(First first, X... x) {
  if constexpr (level_of<First> > 0)
    return kind_of(first.primal, first.tangent, x...);
  else if constexpr (sizeof...(X) > 0 && (Number<First> || is_probe<First>))
    return kind_of(x...);
  else
    return first;
}

/// The value of an op whose arguments may be numbers.
template <class Op, class... X>
auto value_of(const Op& op, X... x) {
  const auto kind = kind_of(x..., Probe<0>{});
  return op.value(as_value(kind, x)...);
}

/// An op on arguments of which some are dual. An op without a rule, such as a comparison, lets no derivative through.
template <class Op, class... X>
auto dual(const Op& op, X... x) {
  constexpr int level = highest_level<X...>;
  const auto kind = kind_of(tangent<level>(x)..., primal<level>(x)..., Probe<0>{});
  const auto all = std::make_tuple(as_value(kind, primal<level>(x))...);
  const auto y = std::apply([&](const auto&... in) { return op.value(in...); }, all);
  if constexpr (!Differentiable<Op, sizeof...(X)>) {
    return y;
  } else {
    const auto part = [&]<std::size_t I, class D>(std::integral_constant<std::size_t, I>, [[maybe_unused]] D d) {
      if constexpr (level_of<D> == level)
        return jvp<I>(op, d.tangent, all, y);
      else
        return Nothing{};
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      const auto total = (Nothing{} + ... + part(std::integral_constant<std::size_t, I>{}, x));
      return Dual<std::remove_const_t<decltype(y)>, std::remove_const_t<decltype(total)>, level>{y, total};
    }(std::index_sequence_for<X...>{});
  }
}

/// g · d(f)/d(x), for each x: the derivative of f on dual numbers along that input, in the direction of g.
template <class F, class G, class... X>
auto derivatives(const F& f, G g, X... x) {
  constexpr int level = 1 + highest_level<G, X...>;
  const auto seed = [&]<bool On, class V>(std::bool_constant<On>, V v) {
    if constexpr (On)
      return Dual<V, G, level>{v, g};
    else
      return v;
  };
  const auto along = [&]<std::size_t I, std::size_t... K>(std::integral_constant<std::size_t, I>,
                                                          std::index_sequence<K...>) {
    return tangent<level>(f(seed(std::bool_constant<I == K>{}, x)...));
  };
  return [&]<std::size_t... I>(std::index_sequence<I...> all) {
    return grads(along(std::integral_constant<std::size_t, I>{}, all)...);
  }(std::index_sequence_for<X...>{});
}

template <class A, class B>
concept Pair = Argument<A> && Argument<B> && (Value<A> || Value<B>);

}  // namespace detail

using detail::Pair;

/// What a basic function of rules is made of: `f` on SIMD registers, and the op whose rule says how derivatives go
/// through.
template <class Op, class F, Argument... X>
auto lift(const Op& op, F f, X... x) {
  if constexpr (detail::highest_level<X...> > 0)
    return detail::dual(op, x...);
  else if constexpr ((detail::is_probe<X> || ...))
    return Probe<(detail::reads_of<X> | ...)>{};
  else
    return detail::wrap(f(detail::unwrap<typename detail::Register<X...>::type>(x)...));
}
template <class Op, class F, Argument... X>
auto lift(F f, X... x) {
  return lift(Op{}, f, x...);
}

/// An op called by another rule, such as sigmoid: its formula, or on dual numbers its own rule.
template <class Op, Argument... X>
auto call(const Op& op, X... x) {
  if constexpr (detail::highest_level<X...> > 0)
    return detail::dual(op, x...);
  else
    return detail::value_of(op, x...);
}

}  // namespace gradtape::inline v0::rule

namespace gradtape::inline v0 {
using rule::grads;
using rule::NoGradient;
}  // namespace gradtape::inline v0
