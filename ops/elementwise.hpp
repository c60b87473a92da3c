#pragma once

#include <gradtape/core/backward.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/kernels/elementwise.hpp>
#include <gradtape/ops/rule.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gradtape {
namespace detail {

/// `gradient` summed over the axes along which `shape` was stretched; recorded if grad mode is on.
Tensor sum_to(const Tensor& gradient, const Shape& shape);

// ---- what a rule says of itself, read on probes ----

template <class... G>
std::tuple<G...> as_tuple(rule::Gradients<G...> result) {
  return std::move(result.all);
}
template <class G>
std::tuple<G> as_tuple(G result) {
  return {std::move(result)};
}

/// Calls `op.vjp(g, x…)` or, where the rule asks for it, `op.vjp(g, x…, y)`.
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
auto probe_inputs(std::index_sequence<I...>) {
  return std::tuple<rule::Probe<(std::uint64_t{2} << I)>...>{};
}

template <class Op, std::size_t N>
using ProbedGradients = decltype(call_vjp(std::declval<const Op&>(), rule::Probe<1, true>{}, probe_inputs<Op>(std::make_index_sequence<N>{}),
                                          rule::Probe<(std::uint64_t{2} << N)>{}));

template <class Op, std::size_t... I>
auto value_on_lanes(std::index_sequence<I...>)
    -> decltype(std::declval<const Op&>().value((static_cast<void>(I), std::declval<rule::Lane<float, xsimd::default_arch>>())...));

template <class Op, std::size_t N>
using ValueOnLanes = decltype(value_on_lanes<Op>(std::make_index_sequence<N>{}));

/// An elementwise op of N inputs at compile time. Values of its rule are numbered: 0 the gradient, 1 + i input i, 1 + N the
/// output.
template <class Op, std::size_t N>
struct ElementwiseTraits {
  static constexpr std::size_t masks = std::size_t{1} << N;

  static constexpr bool comparison = !std::is_same_v<ValueOnLanes<Op, N>, rule::Lane<float, xsimd::default_arch>>;

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
    if constexpr (!comparison) {
      using G = ProbedGradients<Op, N>;
      static_assert(std::tuple_size_v<G> == N, "the rule `vjp` must return one gradient for each input: grads(…)");
      [&]<std::size_t... I>(std::index_sequence<I...>) { ((out[I] = rule::detail::reads_of<std::tuple_element_t<I, G>>), ...); }(
          std::make_index_sequence<N>{});
    }
    return out;
  }();

  template <class F>
  static constexpr unsigned inputs_whose(F gradient_is) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((gradient_is(std::type_identity<std::tuple_element_t<I, ProbedGradients<Op, N>>>{}) ? 1u << I : 0u) | ... | 0u);
    }(std::make_index_sequence<N>{});
  }

  /// Inputs that can have a gradient.
  static constexpr unsigned differentiable = [] {
    unsigned mask = 0;
    if constexpr (!comparison) mask = inputs_whose([]<class G>(std::type_identity<G>) { return !std::is_same_v<G, rule::NoGradient>; });
    return mask;
  }();

  /// Inputs whose gradient is the output's as it came.
  static constexpr unsigned passes = [] {
    unsigned mask = 0;
    if constexpr (!comparison) mask = inputs_whose([]<class G>(std::type_identity<G>) { return std::is_same_v<G, rule::Probe<1, true>>; });
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
    return L{decltype(L::v)(static_cast<typename L::rule_value>(v))};
  else
    return v;
}

template <class Op, std::size_t N, class T, class Arch>
void value_kernel(const void* self, void* const* out, const void* const* in, std::size_t n) {
  using L = rule::Lane<T, Arch>;
  const Op op = *static_cast<const Op*>(self);
  T* y = static_cast<T*>(out[0]);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const std::array<const T*, N> x{static_cast<const T*>(in[I])...};
    for (std::size_t at = 0; at < n; at += L::size) {
      const auto result = op.value(L{decltype(L::v)::load_unaligned(x[I] + at)}...);
      if constexpr (ElementwiseTraits<Op, N>::comparison)
        xsimd::select(result.v, decltype(L::v)(T{1}), decltype(L::v)(T{0})).store_unaligned(y + at);
      else
        result.v.store_unaligned(y + at);
    }
  }(std::make_index_sequence<N>{});
}

template <class Op, std::size_t N, class T, class Arch, unsigned Needs>
void vjp_kernel(const void* self, void* const* out, const void* const* in, std::size_t n) {
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

template <class Op, std::size_t N, class Arch>
struct ElementwiseKernels {
  using Traits = ElementwiseTraits<Op, N>;

  static constexpr std::array<std::array<Kernel, 2>, Traits::masks> vjp = []<std::size_t... M>(std::index_sequence<M...>) {
    const auto pair = []<unsigned Mask>(std::integral_constant<unsigned, Mask>) -> std::array<Kernel, 2> {
      if constexpr (Mask == 0 || (Mask & ~Traits::differentiable) != 0)
        return {nullptr, nullptr};
      else
        return {&vjp_kernel<Op, N, float, Arch, Mask>, &vjp_kernel<Op, N, double, Arch, Mask>};
    };
    return std::array<std::array<Kernel, 2>, Traits::masks>{pair(std::integral_constant<unsigned, static_cast<unsigned>(M)>{})...};
  }(std::make_index_sequence<Traits::masks>{});

  static constexpr Kernel integer_value = [] {
    if constexpr (Traits::integers)
      return &value_kernel<Op, N, std::int64_t, Arch>;
    else
      return Kernel{nullptr};
  }();

  static constexpr ElementwiseTable table{
      Op::name,
      static_cast<int>(N),
      Traits::conditions,
      Traits::passes,
      Traits::comparison,
      {&value_kernel<Op, N, float, Arch>, &value_kernel<Op, N, double, Arch>, integer_value},
      vjp.data(),
      Traits::reads_by_mask.data(),
  };
};

// ---- on the tape ----

template <class Op, std::size_t N, class Arch>
class ElementwiseNode final : public Node {
  using Traits = ElementwiseTraits<Op, N>;

 public:
  ElementwiseNode(const Op& op, const Array& output, const std::array<const Tensor*, N>& x, unsigned needs, bool flat)
      : Node(output.shape(), output.dtype(), thread_state.index), op_(op), flat_(flat) {
    const unsigned reads = Traits::reads_by_mask[needs];
    for (std::size_t i = 0; i < N; ++i) {
      if (needs >> i & 1) edges_[i] = x[i]->node();
      if (reads >> (i + 1) & 1) saved_[i] = x[i]->array();
    }
    if (reads >> (N + 1) & 1) saved_[N] = output;
    keep(edges_.data(), saved_.data(), N);
  }

  std::string_view name() const override { return Op::name; }

  void backward(Backward& pass) override {
    if (!pass.recording()) return elementwise_vjp(ElementwiseKernels<Op, N, Arch>::table, &op_, flat_, pass, *this);
    const unsigned needs = pass.needs();
    [&]<std::size_t... M>(std::index_sequence<M...>) {
      ((M == needs ? record<static_cast<unsigned>(M)>(pass) : void()), ...);
    }(std::make_index_sequence<Traits::masks>{});
  }

 private:
  /// Value I of the rule as a Tensor on the tape, or a probe if the gradients that are needed do not read it.
  template <unsigned Needs, std::size_t I>
  auto value() {
    if constexpr (!(Traits::reads_by_mask[Needs] >> (I + 1) & 1))
      return rule::Probe<0>{};
    else if constexpr (I == N)
      return Tensor(saved_[N], Ref<Node>::of(this));
    else
      return Tensor(saved_[I], edges_[I]);
  }

  /// The rule read on Tensors: its operations are recorded in turn.
  template <unsigned Needs>
  void record(Backward& pass) {
    if constexpr (Needs != 0 && (Needs & ~Traits::differentiable) == 0) {
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        auto gradients = call_vjp(op_, pass.gradient(), std::make_tuple(value<Needs, I>()...), value<Needs, N>());
        const auto give = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
          if constexpr (Needs >> K & 1) pass.give(static_cast<int>(K), sum_to(as_tensor(std::get<K>(gradients)), edges_[K]->shape));
        };
        (give(std::integral_constant<std::size_t, I>{}), ...);
      }(std::make_index_sequence<N>{});
    }
  }

  /// A rule may return a plain number, such as a gradient that is zero everywhere.
  template <class G>
  Tensor as_tensor(const G& gradient) const {
    if constexpr (Number<G>) {
      Array constant = Array::make(dtype, shape);
      fill(constant, static_cast<double>(gradient));
      return Tensor(constant);
    } else {
      return gradient;
    }
  }

  [[no_unique_address]] Op op_;
  bool flat_;  // all inputs had the output's shape and were packed
  std::array<Ref<Node>, N> edges_;
  std::array<Array, N + 1> saved_;
};

template <class Op, class Arch, std::size_t N>
Tensor elementwise(const Op& op, const std::array<const Tensor*, N>& x) {
  using Traits = ElementwiseTraits<Op, N>;
  std::array<const Array*, N> in;
  unsigned needs = 0;
  for (std::size_t i = 0; i < N; ++i) {
    in[i] = &x[i]->array();
    needs |= x[i]->node() ? 1u << i : 0u;
  }
  bool flat;
  Array out = elementwise_value(ElementwiseKernels<Op, N, Arch>::table, &op, in, flat);
  if constexpr (Traits::differentiable != 0) {
    needs &= Traits::differentiable;
    if (needs && thread_state.grad_enabled) {
      auto node = Ref<Node>::adopt(new ElementwiseNode<Op, N, Arch>(op, out, x, needs, flat));
      return Tensor(std::move(out), std::move(node));
    }
  }
  return Tensor(std::move(out));
}

/// Puts scalars of the right dtype in the place of C++ numbers.
template <std::size_t N>
class Operands {
 public:
  Operands(std::string_view op, unsigned conditions, const std::array<Operand, N>& x) {
    Dtype dtype = default_dtype();
    for (std::size_t i = N; i-- > 0;)
      if (x[i].tensor() && !(conditions >> i & 1)) dtype = x[i].tensor()->dtype();
    for (std::size_t i = 0; i < N; ++i) {
      if (!x[i].tensor()) numbers_[i] = Tensor(scalar(op, x[i].number(), dtype));
      tensors_[i] = x[i].tensor() ? x[i].tensor() : &numbers_[i];
    }
  }
  const std::array<const Tensor*, N>& tensors() const { return tensors_; }

 private:
  std::array<Tensor, N> numbers_;
  std::array<const Tensor*, N> tensors_;
};

}  // namespace detail

/// Applies the elementwise op to `x…`, Tensors or Operands, with broadcasting, and records it if one needs a gradient.
///
/// An elementwise op is a struct at namespace scope with
///   static constexpr std::string_view name;
///   auto value(auto x…) const;               the formula, in the functions of ops/rule.hpp
///   auto vjp(auto g, auto x…) const;         g * d(value)/d(x), one per input: grads(…); may take the output after x…
/// and attributes as members. Optional: `static constexpr bool integers = true` (has a meaning on i64), `static constexpr
/// unsigned conditions` (bit i: input i is boolean, reaching the rule as 0 or 1; its gradient is NoGradient{}).
/// Errors: ShapeError if the shapes do not broadcast, DtypeError for mixed or unsupported dtypes.
template <class Op, std::derived_from<Tensor>... X>
Tensor elementwise(const Op& op, const X&... x) {
  return detail::elementwise<Op, xsimd::default_arch>(op, std::array<const Tensor*, sizeof...(X)>{&x...});
}
template <class Op, std::same_as<Operand>... X>
Tensor elementwise(const Op& op, const X&... x) {
  constexpr std::size_t n = sizeof...(X);
  if ((x.tensor() && ...)) return detail::elementwise<Op, xsimd::default_arch>(op, std::array<const Tensor*, n>{x.tensor()...});
  const detail::Operands<n> operands(Op::name, detail::ElementwiseTraits<Op, n>::conditions, {x...});
  return detail::elementwise<Op, xsimd::default_arch>(op, operands.tensors());
}

}  // namespace gradtape
