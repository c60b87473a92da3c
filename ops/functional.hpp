#pragma once

#include <gradtape/core/grad.hpp>
#include <gradtape/core/tensor.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gradtape::inline v0 {
namespace detail {

template <class... P, class... X>
Tensor call_with_options(Tensor (*f)(P...), const X&... x) {
  static_assert(sizeof...(P) == sizeof...(X) + 1, "this function takes another number of tensors");
  using Options = std::remove_cvref_t<std::tuple_element_t<sizeof...(P) - 1, std::tuple<P...>>>;
  return f(x..., Options{});
}

/// Calls f(x…). A pointer to an op has lost its default arguments: a trailing aggregate of options is supplied, so that
/// ops pass by name.
template <class F, class... X>
auto call(const F& f, const X&... x) {
  if constexpr (std::invocable<const F&, const X&...>)
    return f(x...);
  else
    return call_with_options(f, x...);
}

/// Calls f with N tensors as arguments.
template <std::size_t N, class F>
Tensor apply(const F& f, std::span<const Tensor, N> x) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return call(f, x[I]...); }(std::make_index_sequence<N>{});
}

/// A function of N tensors as one of all of them at once.
template <std::size_t N, class F>
auto on_span(F f) {
  return [f = std::move(f)](std::span<const Tensor> x) { return detail::apply<N>(f, x.template first<N>()); };
}

/// x as an input to differentiate by: a node of its own that, if `nested`, leads on to x's graph.
Tensor as_input(const Tensor& x, bool nested);

/// Whether one of these is on the tape and grad mode is on.
bool on_tape(std::span<const Tensor> x);
/// Whether `output` depends on more of the tape than the inputs of the function that gave it.
bool captures(const Tensor& output, std::span<const Tensor> inputs);

/// The inputs of a function that is to be differentiated, and the mode to run it in.
template <std::size_t N>
class Inputs {
 public:
  /// `others` are further tensors that the derivative depends on.
  explicit Inputs(const Tensor (&given)[N], std::span<const Tensor> others = {})
      : nested(on_tape(given) || on_tape(others)), recording_(thread_state.grad_enabled) {
    for (std::size_t i = 0; i < N; ++i) x[i] = as_input(given[i], nested);
  }

  /// f of them, differentiable by them. Where f captures what is on the tape, the derivative depends on that too.
  template <class F>
  Tensor apply(const F& f) {
    Tensor y = detail::apply<N>(f, x);
    nested = nested || (recording_ && captures(y, x));
    return y;
  }

  bool nested;              ///< the derivative is to be on the tape
  std::array<Tensor, N> x;  ///< nodes of their own

 private:
  const bool recording_;
  const EnableGrad on_;  // the derivative is asked for, so it is computed inside of NoGrad too
};

/// Throws ShapeError or DtypeError unless `output` is one floating element.
void require_one(const char* caller, const Tensor& output);
/// Throws ShapeError unless there is a tangent like every floating input.
void check_tangents(const char* caller, std::span<const Tensor> inputs, std::span<const Tensor> tangents);

/// The derivative of `output` along the tangents, zeros where it does not depend on the inputs.
Tensor jvp(const Tensor& output, std::span<const Tensor> inputs, std::span<const Tensor> tangents, bool nested);

/// The gradient of each floating input, zeros where it was not reached, into `inputs` themselves.
void vjp(const Tensor& output, std::span<Tensor> inputs, const Tensor& g, bool nested);

/// The same for an output of one element, whose gradient is 1.
void gradient(const char* caller, const Tensor& output, std::span<Tensor> inputs, bool nested);

}  // namespace detail

/// Vector-Jacobian product gᵀ · d f(x…)/dx for each input: what the op's backward rule computes. `f` maps Tensors to a
/// Tensor; `g` has the shape and dtype of its output. An input that f ignores, or of integers, gets zeros. Touches no
/// `.grad()`. The result is on the tape if an input, g or what f captures is and grad mode is on, so it can be
/// differentiated again.
template <class F, std::size_t N>
std::array<Tensor, N> vjp(F f, const Tensor (&x)[N], const Tensor& g) {
  detail::Inputs<N> in(x, {&g, 1});
  const Tensor y = in.apply(f);
  detail::vjp(y, in.x, g, in.nested);
  return in.x;
}

template <class F, std::derived_from<Tensor> T>
Tensor vjp(F f, const T& x, const Tensor& g) {
  return vjp(std::move(f), {static_cast<const Tensor&>(x)}, g)[0];
}

/// Jacobian-vector product d f(x…)/dx · t: the derivative of f along `t`, one tangent like each input, by a sweep
/// forwards over the tape of f(x…). Shape and dtype of f's output. Inputs of integers take no part. Touches no
/// `.grad()`. On the tape if an input, a tangent or what f captures is and grad mode is on, so it can be differentiated
/// again. Throws ShapeError or DtypeError for a tangent unlike its input.
template <class F, std::size_t N>
Tensor jvp(F f, const Tensor (&x)[N], const Tensor (&t)[N]) {
  detail::check_tangents("jvp", x, t);
  detail::Inputs<N> in(x, t);
  const Tensor y = in.apply(f);
  return detail::jvp(y, in.x, t, in.nested);
}

template <class F, std::derived_from<Tensor> T>
Tensor jvp(F f, const T& x, const Tensor& t) {
  return jvp(std::move(f), {static_cast<const Tensor&>(x)}, {t});
}

/// The value of f at x… and its gradient for each input: `const auto [y, dx] = value_and_grad(f, x);`, and an array of
/// gradients for several inputs. f gives one element. An input that f ignores, or of integers, gets zeros. Touches no
/// `.grad()`. Value and gradients are on the tape if an input or what f captures is and grad mode is on. Throws
/// ShapeError unless f gives exactly one element, DtypeError unless it is f32 or f64.
template <class F, std::size_t N>
std::pair<Tensor, std::array<Tensor, N>> value_and_grad(F f, const Tensor (&x)[N]) {
  detail::Inputs<N> in(x);
  const Tensor y = in.apply(f);
  detail::gradient("value_and_grad", y, in.x, in.nested);
  return {in.nested ? y : y.detach(), in.x};
}

template <class F, std::derived_from<Tensor> T>
std::pair<Tensor, Tensor> value_and_grad(F f, const T& x) {
  auto [y, gradients] = value_and_grad(std::move(f), {static_cast<const Tensor&>(x)});
  return {y, gradients[0]};
}

}  // namespace gradtape::inline v0
