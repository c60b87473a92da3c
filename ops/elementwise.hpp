#pragma once

#include <gradtape/core/backward.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/observe.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/kernels/elementwise.hpp>
#include <gradtape/ops/kernels/from_rule.hpp>
#include <gradtape/ops/recorded.hpp>
#include <gradtape/ops/rule.hpp>
#include <gradtape/ops/rules/activation.hpp>
#include <gradtape/ops/rules/arithmetic.hpp>
#include <gradtape/ops/rules/compare.hpp>
#include <gradtape/ops/rules/logic.hpp>
#include <gradtape/ops/rules/math.hpp>
#include <gradtape/ops/rules/round.hpp>
#include <gradtape/ops/rules/special.hpp>
#include <gradtape/ops/rules/trigonometry.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gradtape::inline v0 {

Tensor broadcast_to(const Tensor& x, const Shape& shape);

namespace detail {

/// `gradient` summed over the axes along which `shape` was stretched; recorded if grad mode is on.
Tensor sum_to(const Tensor& gradient, const Shape& shape);

template <class Op, class Arch, std::same_as<Tensor>... X>
[[gnu::visibility("hidden")]] Tensor elementwise(const Op& op, const X&... inputs);

template <class Op, std::size_t N, class Arch>
class [[gnu::visibility("hidden")]] ElementwiseNode final : public Node {
  using Traits = ElementwiseTraits<Op, N>;

 public:
  ElementwiseNode(const Op& op, const Array& output, const std::array<const Tensor*, N>& x,
                  const std::array<const Array*, N>& in, unsigned needs, bool flat)
      : ElementwiseNode(op, output, x, in, needs, Traits::reads_by_mask[needs], flat, std::make_index_sequence<N>{}) {}

  std::string_view name() const override { return Op::name; }

  /// The rule is diagonal, so it takes a tangent as well as a gradient.
  void forward(Forward& pass) override {
    if (!pass.recording()) return elementwise_jvp(ElementwiseKernels<Op, N, Arch>::table, &op_, pass, *this);
    [&]<std::size_t... I>(std::index_sequence<I...>) { (forward<I>(pass), ...); }(std::make_index_sequence<N>{});
  }

  void backward(Backward& pass) override {
    if (!pass.recording()) return elementwise_vjp(ElementwiseKernels<Op, N, Arch>::table, &op_, flat_, pass, *this);
    const unsigned needs = pass.needs();
    [&]<std::size_t... M>(std::index_sequence<M...>) {
      ((M == needs ? record<static_cast<unsigned>(M)>(pass) : void()), ...);
    }(std::make_index_sequence<Traits::masks>{});
  }

 private:
  template <std::size_t... I>
  ElementwiseNode(const Op& op, const Array& output, const std::array<const Tensor*, N>& x,
                  const std::array<const Array*, N>& in, unsigned needs, unsigned reads, bool flat,
                  std::index_sequence<I...>)
      : Node(output.shape(), output.dtype(), thread_state.index),
        op_(op),
        flat_(flat),
        edges_{(needs >> I & 1 ? x[I]->node() : Ref<Node>())...},
        saved_{(reads >> (I + 1) & 1 ? *in[I] : Array())..., reads >> (N + 1) & 1 ? output : Array()} {
    keep(edges_.data(), saved_.data(), N);
  }

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

  /// The rule as one op, or read on Tensors: its operations are recorded in turn.
  template <unsigned Needs>
  void record(Backward& pass) {
    if constexpr (Needs != 0 && (Needs & ~Traits::differentiable) == 0 && RecordsWhole<Op>) {
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((Needs >> I & 1 ? pass.give(static_cast<int>(I), sum_to(record_whole<I>(pass), edges_[I]->shape)) : void()),
         ...);
      }(std::make_index_sequence<N>{});
    } else if constexpr (Needs != 0 && (Needs & ~Traits::differentiable) == 0) {
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        auto gradients = call_vjp(op_, pass.gradient(), std::make_tuple(value<Needs, I>()...), value<Needs, N>());
        const auto give = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
          if constexpr (Needs >> K & 1)
            pass.give(static_cast<int>(K), sum_to(as_tensor(std::get<K>(gradients)), edges_[K]->shape));
        };
        (give(std::integral_constant<std::size_t, I>{}), ...);
      }(std::make_index_sequence<N>{});
    }
  }

  template <std::size_t I>
  Tensor record_whole(Backward& pass) {
    using Whole = RecordedRule<Op, N, I>;
    static_assert(Traits::conditions == 0 && (Whole::reads & 1),
                  "records_whole: every gradient of the rule must read g, and no input may be a condition");
    const Tensor none;
    const auto read = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
      if constexpr (!(Whole::reads >> K & 1))
        return none;
      else if constexpr (K == 0)
        return pass.gradient();
      else
        return value<1u << I, K - 1>();
    };
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      const std::array<Tensor, N + 2> all{read(std::integral_constant<std::size_t, K>{})...};
      std::array<const Tensor*, Whole::arity> x;
      std::size_t n = 0;
      ((Whole::reads >> K & 1 ? void(x[n++] = &all[K]) : void()), ...);
      return std::apply([&](const auto*... in) { return elementwise<Whole, Arch>(Whole{op_}, *in...); }, x);
    }(std::make_index_sequence<N + 2>{});
  }

  template <std::size_t I>
  void forward(Forward& pass) {
    if constexpr (Traits::differentiable >> I & 1) {
      const Tensor t = pass.tangent(I);
      if (!t.defined()) return;
      [&]<std::size_t... K>(std::index_sequence<K...>) {
        const auto all = rule::detail::call_vjp(op_, broadcast_to(t, shape), std::make_tuple(value<1u << I, K>()...),
                                                value<1u << I, N>());
        pass.give(as_tensor(std::get<I>(all)));
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

/// All packed, of one shape and one floating dtype.
template <std::size_t N>
[[gnu::always_inline]] inline bool are_flat(const std::array<const Array*, N>& x) {
  const Array& first = *x[0];
  const auto alike = [&](const Array& a) {
    return a.packed() && a.dtype() == first.dtype() && a.shape() == first.shape();
  };
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return first.packed() && is_floating(first.dtype()) && (alike(*x[I + 1]) && ...);
  }(std::make_index_sequence<N - 1>{});
}

/// The common case, here so that it is compiled for the number of inputs.
template <class Op, class Arch, std::size_t N>
[[gnu::visibility("hidden")]] Array flat_value(const Op& op, const std::array<const Array*, N>& x) {
  Array out = Array::like(*x[0], sizeof(rule::Lane<float, Arch>));
  void* const to = out.data();
  std::array<const void*, N> in;
  for (std::size_t i = 0; i < N; ++i) in[i] = x[i]->data();
  run_flat(ElementwiseKernels<Op, N, Arch>::table.value[out.dtype() == f64], &op, {&to, 1}, in, out);
  return out;
}

template <class Op, class Arch, std::same_as<Tensor>... X>
[[gnu::visibility("hidden")]] Tensor elementwise(const Op& op, const X&... inputs) {
  constexpr std::size_t N = sizeof...(X);
  using Traits = ElementwiseTraits<Op, N>;
  const std::array<const Array*, N> in{&inputs.array(Op::name)...};
  unsigned needs = 0, bit = 1;
  ((needs |= inputs.node() ? bit : 0, bit <<= 1), ...);
  const bool flat = Traits::conditions == 0 && !Traits::comparison && are_flat<N>(in);
  Array out = flat ? flat_value<Op, Arch>(op, in) : elementwise_value(ElementwiseKernels<Op, N, Arch>::table, &op, in);
  if (thread_state.watched) [[unlikely]]
    watch(op, out, in);
  if constexpr (Traits::differentiable != 0) {
    needs &= Traits::differentiable;
    if (needs && thread_state.grad_enabled) {
      auto node = Ref<Node>::adopt(new ElementwiseNode<Op, N, Arch>(op, out, {&inputs...}, in, needs, flat));
      return Tensor(std::move(out), std::move(node));
    }
  }
  return Tensor(std::move(out));
}

/// The same on operands of which some are C++ numbers: scalars of the right dtype take their place.
template <class Op, class Arch, std::size_t N>
[[gnu::noinline, gnu::visibility("hidden")]] Tensor elementwise(const Op& op, const std::array<const Operand*, N>& x) {
  constexpr unsigned conditions = ElementwiseTraits<Op, N>::conditions;
  Dtype dtype = default_dtype();
  for (std::size_t i = N; i-- > 0;)
    if (x[i]->tensor() && !(conditions >> i & 1)) dtype = x[i]->tensor()->dtype();
  std::array<Tensor, N> numbers;
  const auto tensor = [&](std::size_t i) -> const Tensor& {
    if (x[i]->tensor()) return *x[i]->tensor();
    return numbers[i] = Tensor(scalar(Op::name, x[i]->number(), dtype));
  };
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return elementwise<Op, Arch>(op, tensor(I)...);
  }(std::make_index_sequence<N>{});
}

template <class Op, std::size_t N>
constexpr void check_rule() {
  static_assert(Differentiable<Op, N> || !rule::detail::NamesVjp<Op>,
                "the rule `vjp` cannot be called: it takes g, each of the inputs, and perhaps the output: "
                "`auto vjp(auto g, auto x…) const` or `auto vjp(auto g, auto x…, auto y) const`");
}

}  // namespace detail

/// Applies the elementwise op to `x…`, Tensors or Operands, with broadcasting, and records it if one needs a gradient.
///
/// An elementwise op is a struct at namespace scope with
///   static constexpr std::string_view name;
///   auto value(auto x…) const;               the formula, in the functions of ops/rule.hpp
///   auto vjp(auto g, auto x…) const;         g * d(value)/d(x), one per input: grads(…); may take the output after x…
/// and attributes as members. Optional: `static constexpr bool integers = true` (has a meaning on i64), `static
/// constexpr unsigned conditions` (bit i: input i is boolean, reaching the rule as 0 or 1; its gradient is
/// NoGradient{}), `void attributes(AttributeVisitor&) const` (its parameters, for who
/// observes it). Errors: ShapeError if the shapes do not broadcast, DtypeError for mixed or unsupported dtypes.
template <class Op, std::derived_from<Tensor>... X>
Tensor elementwise(const Op& op, const X&... x) {
  detail::check_rule<Op, sizeof...(X)>();
  return detail::elementwise<Op, xsimd::default_arch>(op, static_cast<const Tensor&>(x)...);
}
template <class Op, std::same_as<Operand>... X>
Tensor elementwise(const Op& op, const X&... x) {
  detail::check_rule<Op, sizeof...(X)>();
  if ((x.tensor() && ...)) return detail::elementwise<Op, xsimd::default_arch>(op, *x.tensor()...);
  return detail::elementwise<Op, xsimd::default_arch>(op, std::array<const Operand*, sizeof...(X)>{&x...});
}

}  // namespace gradtape::inline v0
