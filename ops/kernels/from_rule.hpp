#pragma once

#include <gradtape/ops/kernels/elementwise.hpp>
#include <gradtape/ops/rule.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

/// From the text of a rule to what the driver runs: read on probes it says what it saves, read on lanes it is a kernel.
namespace gradtape::inline v0::detail {

// ---- what a rule says of itself, read on probes ----

using rule::detail::call_vjp, rule::detail::Differentiable, rule::detail::ProbedGradients;

template <class Op, std::size_t... I>
auto value_on_lanes(std::index_sequence<I...>)
    -> decltype(std::declval<const Op&>().value((static_cast<void>(I),
                                                 std::declval<rule::Lane<float, xsimd::default_arch>>())...));

template <class Op, std::size_t N>
using ValueOnLanes = decltype(value_on_lanes<Op>(std::make_index_sequence<N>{}));

/// An elementwise op of N inputs at compile time. Values of its rule are numbered: 0 the gradient, 1 + i input i, 1 + N
/// the output.
template <class Op, std::size_t N>
struct [[gnu::visibility("hidden")]] ElementwiseTraits {
  static constexpr std::size_t masks = std::size_t{1} << N;

  static constexpr bool comparison = rule::detail::is_mask<ValueOnLanes<Op, N>>;

  static constexpr unsigned conditions = [] {
    if constexpr (requires { Op::conditions; })
      return unsigned{Op::conditions};
    else
      return 0u;
  }();

  static constexpr bool integers = requires { Op::integers; };

  /// What the gradient of input i reads.
  static constexpr std::array<std::uint64_t, N> reads = [] {
    std::array<std::uint64_t, N> out{};
    if constexpr (Differentiable<Op, N>) {
      using G = ProbedGradients<Op, N>;
      static_assert(std::tuple_size_v<G> == N, "the rule `vjp` must return one gradient for each input: grads(…)");
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((out[I] = rule::detail::reads_of<std::tuple_element_t<I, G>>), ...);
      }(std::make_index_sequence<N>{});
    }
    return out;
  }();

  template <class F>
  static constexpr unsigned inputs_whose(F gradient_is) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((gradient_is(std::type_identity<std::tuple_element_t<I, ProbedGradients<Op, N>>>{}) ? 1u << I : 0u) |
              ... | 0u);
    }(std::make_index_sequence<N>{});
  }

  /// Inputs that can have a gradient.
  static constexpr unsigned differentiable = [] {
    unsigned mask = 0;
    if constexpr (Differentiable<Op, N>)
      mask = inputs_whose([]<class G>(std::type_identity<G>) { return !std::is_same_v<G, rule::NoGradient>; });
    return mask;
  }();

  /// Inputs whose gradient is the output's as it came.
  static constexpr unsigned passes = [] {
    unsigned mask = 0;
    if constexpr (Differentiable<Op, N>)
      mask = inputs_whose([]<class G>(std::type_identity<G>) { return std::is_same_v<G, rule::Probe<1, true>>; });
    return mask;
  }();

  /// By mask of the inputs that need a gradient: what their gradients read.
  static constexpr std::array<unsigned, masks> reads_by_mask = [] {
    std::array<unsigned, masks> out{};
    for (std::size_t mask = 0; mask < masks; ++mask)
      for (std::size_t i = 0; i < N; ++i)
        if (mask >> i & 1) out[mask] |= static_cast<unsigned>(reads[i]);
    return out;
  }();
};

// ---- reading it on lanes ----

template <class L, class V>
L as_lane(V v) {
  if constexpr (Number<V>)
    return L{decltype(L::v)(number_cast<typename L::rule_value>(v))};
  else
    return v;
}

// Flat: a rule on dual numbers is many small functions, and one that is called keeps its lanes in memory. Instrumented,
// it would take the compiler minutes.
#ifdef __SANITIZE_ADDRESS__
#define GRADTAPE_FLAT
#else
#define GRADTAPE_FLAT [[gnu::flatten]]
#endif

template <class Op, std::size_t N, class T, class Arch>
GRADTAPE_FLAT void value_kernel(const void* self, void* const* out, const void* const* in, std::size_t n) {
  using L = rule::Lane<T, Arch>;
  const Op op = *static_cast<const Op*>(self);
  T* y = static_cast<T*>(out[0]);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const std::array<const T*, N> x{static_cast<const T*>(in[I])...};
    for (std::size_t at = 0; at < n; at += L::size) {
      const auto result = op.value(L{decltype(L::v)::load_unaligned(x[I] + at)}...);
      if constexpr (ElementwiseTraits<Op, N>::comparison)
        lanes::select(result.v, decltype(L::v)(T{1}), decltype(L::v)(T{0})).store_unaligned(y + at);
      else
        as_lane<L>(result).v.store_unaligned(y + at);
    }
  }(std::make_index_sequence<N>{});
}

template <class Op, std::size_t N, class T, class Arch, unsigned Needs>
GRADTAPE_FLAT void vjp_kernel(const void* self, void* const* out, const void* const* in, std::size_t n) {
  using L = rule::Lane<T, Arch>;
  constexpr unsigned reads = ElementwiseTraits<Op, N>::reads_by_mask[Needs];
  const Op op = *static_cast<const Op*>(self);
  const auto load = [&]<std::size_t I>(std::integral_constant<std::size_t, I>, std::size_t at) {
    if constexpr (reads >> I & 1)
      return L{decltype(L::v)::load_unaligned(static_cast<const T*>(in[I]) + at)};
    else
      return L{decltype(L::v)(T{0})};  // no gradient reads it: the compiler drops it
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    for (std::size_t at = 0; at < n; at += L::size) {
      const auto result = call_vjp(op, load(std::integral_constant<std::size_t, 0>{}, at),
                                   std::make_tuple(load(std::integral_constant<std::size_t, I + 1>{}, at)...),
                                   load(std::integral_constant<std::size_t, N + 1>{}, at));
      const auto store = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
        if constexpr (Needs >> K & 1) as_lane<L>(std::get<K>(result)).v.store_unaligned(static_cast<T*>(out[K]) + at);
      };
      (store(std::integral_constant<std::size_t, I>{}), ...);
    }
  }(std::make_index_sequence<N>{});
}

#undef GRADTAPE_FLAT

template <class Op, std::size_t N, class Arch>
struct [[gnu::visibility("hidden")]] ElementwiseKernels {
  using Traits = ElementwiseTraits<Op, N>;

  static constexpr std::array<std::array<Kernel, 2>, Traits::masks> vjp =
      []<std::size_t... M>(std::index_sequence<M...>) {
        const auto pair = []<unsigned Mask>(std::integral_constant<unsigned, Mask>) -> std::array<Kernel, 2> {
          if constexpr (Mask == 0 || (Mask & ~Traits::differentiable) != 0)
            return {nullptr, nullptr};
          else
            return {&vjp_kernel<Op, N, float, Arch, Mask>, &vjp_kernel<Op, N, double, Arch, Mask>};
        };
        return std::array<std::array<Kernel, 2>, Traits::masks>{
            pair(std::integral_constant<unsigned, static_cast<unsigned>(M)>{})...};
      }(std::make_index_sequence<Traits::masks>{});

  static constexpr Kernel integer_value = [] {
    if constexpr (Traits::integers)
      return &value_kernel<Op, N, std::int64_t, Arch>;
    else
      return Kernel{nullptr};
  }();

  static constexpr ElementwiseTable table{
      Op::name,           static_cast<int>(N),
      Traits::conditions, Traits::passes,
      Traits::comparison, {&value_kernel<Op, N, float, Arch>, &value_kernel<Op, N, double, Arch>, integer_value},
      vjp.data(),         Traits::reads_by_mask.data(),
  };
};

}  // namespace gradtape::inline v0::detail
