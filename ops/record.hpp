#pragma once

#include <gradtape/core/backward.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/observe.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/rule.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gradtape::inline v0 {

/// First parameter of a rule: which input it differentiates with respect to.
template <int I>
struct Wrt {};

/// The gradient of the op's output.
struct Grad : Tensor {
  explicit Grad(Tensor t) : Tensor(std::move(t)) {}  ///< made by the tape
};

/// Input I, which the rule reads and the node therefore saves.
template <int I>
struct In : Tensor {
  static constexpr int index = I;  ///< which input
  using Tensor::Tensor;
  explicit In(Tensor t) : Tensor(std::move(t)) {}  ///< made by the tape
};

/// The op's output, likewise.
struct Out : Tensor {
  static constexpr int index = -1;  ///< stands for the output
  using Tensor::Tensor;
  explicit Out(Tensor t) : Tensor(std::move(t)) {}  ///< made by the tape
};

/// Dtype and shape of an output, for an op whose dtype is not that of its first input.
struct Spec {
  Dtype dtype;                                                 ///< of the output
  Shape shape;                                                 ///< of the output
  friend bool operator==(const Spec&, const Spec&) = default;  ///< both equal
};

/// A call of an op, not made yet: the tape makes it, straight into a gradient that is already there where the op's
/// kernel can add (`beta`), else as a recorded op of its own.
template <class Op, std::size_t N>
struct Tail {
  Op op;                    ///< which op
  std::array<Tensor, N> x;  ///< its inputs
};

template <class Op, std::convertible_to<Tensor>... X>
Tail<Op, sizeof...(X)> tail(const Op& op, const X&... x) {
  return {op, {static_cast<const Tensor&>(x)...}};
}

namespace detail {

/// What a rule's parameters say: R is what it returns, Saved the values it reads.
template <class R, class... Saved>
struct Signature {
  static constexpr bool differentiable = !std::is_same_v<R, NoGradient>;
  static constexpr bool reads([[maybe_unused]] int index) {
    return ((std::remove_cvref_t<Saved>::index == index) || ...);
  }
};

template <int I, class Op, class R, class G, class... Saved>
Signature<R, Saved...> signature(R (Op::*)(Wrt<I>, G, Saved...) const);

template <int I, class Op>
Signature<NoGradient> signature(NoGradient (Op::*)(Wrt<I>) const);

/// Calls `(op.*rule)(Wrt<I>, gradient, saved values…)`; `value(type)` makes one, as the type says which.
template <int I, class Op, class R, class G, class... Saved, class Value>
R call_rule(const Op& op, R (Op::*rule)(Wrt<I>, G, Saved...) const, const Tensor& gradient,
            [[maybe_unused]] Value value) {
  return (op.*rule)(Wrt<I>{}, Grad(gradient), value(std::type_identity<std::remove_cvref_t<Saved>>{})...);
}

template <int I, class Op>
concept HasRule = requires { signature<I, Op>(&Op::vjp); };

template <int I, class Op>
concept HasForwardRule = requires { signature<I, Op>(&Op::jvp); };

template <class Op, int I>
struct RuleFor {
  static_assert(
      HasRule<I, Op>,
      "this op has no rule for one of its inputs: add `auto vjp(Wrt<I>, Grad g, …) const`, or, if there is no "
      "gradient, `NoGradient vjp(Wrt<I>) const { return {}; }`");
  using type = decltype(signature<I, Op>(&Op::vjp));
};

template <class Op, class... A>
concept Views = requires(const Op& op, const A&... a) { op.view(a...); };
template <class Op, class... A>
concept Accumulates = requires(const Op& op, const Array& out, const A&... a) { op.value(out, a..., 1.0); };

/// What `op` will make of inputs such as these.
template <class Op, class... A>
Spec spec_of(const Op& op, const A&... a) {
  if constexpr (std::is_same_v<std::remove_cvref_t<decltype(op.infer(a...))>, Spec>)
    return op.infer(a...);
  else
    return {std::get<0>(std::tie(a...)).dtype(), op.infer(a...)};
}

template <class Op, class... A>
Array compute(const Op& op, const A&... a) {
  if constexpr (Views<Op, A...>) {
    return op.view(a...);
  } else {
    const Spec spec = spec_of(op, a...);
    Array out = Array::make(spec.dtype, spec.shape);
    op.value(out, a...);
    return out;
  }
}

/// Throws DtypeError if two floating inputs differ in dtype.
void check_dtypes(std::string_view op, std::initializer_list<const Array*> inputs);
/// Throws DtypeError unless every input is f32 or f64.
void check_floating(std::string_view op, std::initializer_list<const Array*> inputs);

/// A leaf of zeros in the place of a node's gradient.
Tensor zero_gradient(const Node& node);
/// The derivative along t of an op whose rule gives `result` for the gradient `g`: the rule is linear in g, so its own
/// rule turns it round.
Tensor turned(const Tensor& result, const Tensor& g, const Tensor& t, bool create_graph);

/// Calls `f(std::integral_constant<std::size_t, I>{})` for every I below N.
template <std::size_t N, class F>
constexpr void for_each_index(F f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }(std::make_index_sequence<N>{});
}

template <class Op, std::size_t N>
class RecordedNode final : public Node {
  template <std::size_t I>
  using Rule = typename RuleFor<Op, static_cast<int>(I)>::type;

 public:
  /// Inputs that can have a gradient.
  static constexpr unsigned differentiable = [] {
    unsigned mask = 0;
    for_each_index<N>(
        [&]<std::size_t I>(std::integral_constant<std::size_t, I>) { mask |= Rule<I>::differentiable ? 1u << I : 0u; });
    return mask;
  }();

  RecordedNode(const Op& op, const Array& output, const std::array<const Tensor*, N>& x,
               const std::array<const Array*, N>& in, unsigned needs)
      : Node(output.shape(), output.dtype(), thread_state.index), op_(op) {
    for_each_index<N>([&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      if (!(needs >> I & 1)) return;
      edges_[I] = x[I]->node();
      for (std::size_t k = 0; k < N; ++k)
        if (Rule<I>::reads(static_cast<int>(k))) saved_[k] = *in[k];
      if (Rule<I>::reads(Out::index)) saved_[N] = output;
    });
    keep(edges_.data(), saved_.data(), N);
  }

  std::string_view name() const override { return Op::name; }

  void backward(Backward& pass) override {
    for_each_index<N>([&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      if constexpr (Rule<I>::differentiable)
        if (pass.needs(static_cast<int>(I))) {
          give(pass, static_cast<int>(I), vjp<I>(pass.gradient(), pass.recording()));
        }
    });
  }

  void forward(Forward& pass) override {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (forward<I>(pass), ...); }(std::make_index_sequence<N>{});
  }

 private:
  /// By the op's own rule `jvp`, of the same form, where it has one; a view sees the same elements of a tangent.
  template <std::size_t I>
  void forward(Forward& pass) {
    if constexpr (Rule<I>::differentiable) {
      const Tensor t = pass.tangent(static_cast<int>(I));
      if (!t.defined()) return;
      if constexpr (HasForwardRule<static_cast<int>(I), Op>) {
        pass.give(made(call_rule<static_cast<int>(I), Op>(op_, &Op::jvp, t, values(pass.recording()))));
      } else if constexpr (N == 1 && Views<Op, Array>) {
        pass.give(record(op_, t));
      } else {
        const EnableGrad on;
        const Tensor g = zero_gradient(*this);
        pass.give(turned(made(vjp<I>(g, pass.recording())), g, t, pass.recording()));
      }
    }
  }

  /// What a rule may read, on the tape or as constants.
  auto values(bool recording) {
    return [this, recording]<class Saved>(std::type_identity<Saved>) {
      if constexpr (Saved::index == Out::index)
        return Saved(saved_[N], recording ? Ref<Node>::of(this) : Ref<Node>());
      else
        return Saved(saved_[Saved::index], recording ? edges_[Saved::index] : Ref<Node>());
    };
  }

  template <std::size_t I>
  auto vjp(const Tensor& g, bool recording) {
    return call_rule<static_cast<int>(I), Op>(op_, &Op::vjp, g, values(recording));
  }

  static Tensor made(Tensor result) { return result; }
  template <class Last, std::size_t M>
  static Tensor made(const Tail<Last, M>& tail) {
    return std::apply([&](const auto&... x) { return record(tail.op, x...); }, tail.x);
  }

  static void give(Backward& pass, int input, Tensor gradient) { pass.give(input, std::move(gradient)); }

  template <class Last, std::size_t M>
  static void give(Backward& pass, int input, const Tail<Last, M>& tail) {
    std::apply(
        [&](const auto&... x) {
          if constexpr (Accumulates<Last, std::conditional_t<true, Array, decltype(x)>...>) {
            const Array* there = pass.partial(input);
            const auto fits = [&] { return spec_of(tail.op, x.array()...) == Spec{there->dtype(), there->shape()}; };
            if (there && fits())  // else `give` says what is wrong
              return tail.op.value(Array(*there), x.array()..., 1.0);
          }
          pass.give(input, record(tail.op, x...));
        },
        tail.x);
  }

  [[no_unique_address]] Op op_;
  std::array<Ref<Node>, N> edges_;
  std::array<Array, N + 1> saved_;
};

}  // namespace detail

/// Applies a structured op to `x…` and records it if one needs a gradient.
///
/// A structured op is a struct with
///
///   static constexpr std::string_view name;
///
///   Shape infer(const Shape& x…) const;
///     the output's shape, or Spec (shape and dtype); throws, naming op and shapes. Parameters may be const Array&
///     where the dtype matters.
///
///   void value(const Array& out, const Array& x…) const;
///     fills `out`; inputs may be strided. A last parameter `double beta = 0` says that it can compute
///     out = beta * out + value.
///
///   auto vjp(Wrt<I>, Grad g, In<k> x…, Out y) const;
///     one per input, in Tensor ops; reads what its parameters name, returns a Tensor or tail(op, x…). No gradient:
///     NoGradient vjp(Wrt<I>) const { return {}; }
///
///   auto jvp(Wrt<I>, Grad t, In<k> x…, Out y) const;
///     optional: the derivative along t, of what vjp reads; else vjp is turned round.
///
///   void attributes(AttributeVisitor& visitor) const;
///     optional: what the op knows beside its inputs, for who observes it (core/observe.hpp).
///
/// Instead of infer and value it may have `Array view(const Array& x…) const` for the same data under another shape and
/// strides; its rule may then be tail(Adjoint{*this, shape of x}, g), see ops/adjoint.hpp.
template <class Op, std::convertible_to<Tensor>... X>
Tensor record(const Op& op, const X&... inputs) {
  constexpr std::size_t n = sizeof...(X);
  using Recorded = detail::RecordedNode<Op, n>;
  const std::array<const Tensor*, n> x{&static_cast<const Tensor&>(inputs)...};
  const std::array<const Array*, n> in{&static_cast<const Tensor&>(inputs).array(Op::name)...};
  bool alike = true;
  for (std::size_t i = 1; i < n; ++i) alike = alike && in[i]->dtype() == in[0]->dtype();
  if (!alike) [[unlikely]]
    detail::check_dtypes(Op::name, {&static_cast<const Tensor&>(inputs).array()...});
  Array out = std::apply([&](const auto*... a) { return detail::compute(op, *a...); }, in);
  if (detail::thread_state.watched) [[unlikely]]
    detail::watch(op, out, in);
  if constexpr (Recorded::differentiable != 0) {
    if (detail::thread_state.grad_enabled) {
      unsigned needs = 0;
      for (std::size_t i = 0; i < n; ++i) needs |= x[i]->node() ? 1u << i : 0u;
      needs &= Recorded::differentiable;
      if (needs) {
        auto node = detail::Ref<Node>::adopt(new Recorded(op, out, x, in, needs));
        return Tensor(std::move(out), std::move(node));
      }
    }
  }
  return Tensor(std::move(out));
}

}  // namespace gradtape::inline v0
