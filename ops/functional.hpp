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

namespace gradtape {
namespace detail {

template <class... P, class... X>
Tensor call_with_options(Tensor (*f)(P...), const X&... x) {
  static_assert(sizeof...(P) == sizeof...(X) + 1, "this function takes another number of tensors");
  using Options = std::remove_cvref_t<std::tuple_element_t<sizeof...(P) - 1, std::tuple<P...>>>;
  return f(x..., Options{});
}

/// Calls f(x…). A pointer to an op has lost its default arguments: a trailing aggregate of options is supplied, so that ops
/// pass by name.
template <class F, class... X>
Tensor call(const F& f, const X&... x) {
  if constexpr (std::invocable<const F&, const X&...>)
    return f(x...);
  else
    return call_with_options(f, x...);
}

/// Calls f with the tensors of an array as arguments.
template <class F, std::size_t N>
Tensor apply(const F& f, const std::array<Tensor, N>& x) {
  return std::apply([&](const auto&... each) { return call(f, each...); }, x);
}

/// x as an input to differentiate by: a node of its own that, if `nested`, leads on to x's graph.
Tensor as_input(const Tensor& x, bool nested);

/// Throws ShapeError or DtypeError unless there is a tangent like every input.
void check_tangents(std::span<const Tensor> inputs, std::span<const Tensor> tangents);
/// The derivative of `output` along the tangents, zeros where it does not depend on the inputs.
Tensor jvp(const Tensor& output, std::span<const Tensor> inputs, std::span<const Tensor> tangents, bool nested);

/// The gradient of each floating input, zeros where it was not reached, into `inputs` themselves.
void vjp(const Tensor& output, std::span<Tensor> inputs, const Tensor& g, bool nested);

}  // namespace detail

/// Vector-Jacobian product gᵀ · d f(x…)/dx for each input: what the op's backward rule computes. `f` maps Tensors to a
/// Tensor; `g` has the shape and dtype of its output. An input that f ignores, or of integers, gets zeros. Touches no `.grad()`.
/// The result is on the tape if an input or g is and grad mode is on, so it can be differentiated again.
template <class F, std::size_t N>
std::array<Tensor, N> vjp(F f, const Tensor (&x)[N], const Tensor& g) {
  bool nested = g.requires_grad();
  for (const Tensor& input : x) nested |= input.requires_grad();
  nested &= detail::thread_state.grad_enabled;
  std::array<Tensor, N> inputs;
  for (std::size_t i = 0; i < N; ++i) inputs[i] = detail::as_input(x[i], nested);
  const EnableGrad on;  // the derivative is asked for, so it is computed inside of NoGrad too
  detail::vjp(detail::apply(f, inputs), inputs, g, nested);
  return inputs;
}

template <class F, std::derived_from<Tensor> T>
Tensor vjp(F f, const T& x, const Tensor& g) {
  return vjp(std::move(f), {static_cast<const Tensor&>(x)}, g)[0];
}

/// Jacobian-vector product d f(x…)/dx · t: the derivative of f along `t`, one tangent like each input, by a sweep forwards over the
/// tape of f(x…). Shape and dtype of f's output. Inputs of integers take no part. Touches no `.grad()`. On the tape if an input
/// or a tangent is and grad mode is on, so it can be differentiated again. Throws ShapeError or DtypeError for a tangent unlike
/// its input.
template <class F, std::size_t N>
Tensor jvp(F f, const Tensor (&x)[N], const Tensor (&t)[N]) {
  detail::check_tangents(x, t);
  bool nested = false;
  for (std::size_t i = 0; i < N; ++i) nested |= x[i].requires_grad() || t[i].requires_grad();
  nested &= detail::thread_state.grad_enabled;
  std::array<Tensor, N> inputs;
  for (std::size_t i = 0; i < N; ++i) inputs[i] = detail::as_input(x[i], nested);
  const EnableGrad on;
  return detail::jvp(detail::apply(f, inputs), inputs, t, nested);
}

template <class F, std::derived_from<Tensor> T>
Tensor jvp(F f, const T& x, const Tensor& t) {
  return jvp(std::move(f), {static_cast<const Tensor&>(x)}, {t});
}

}  // namespace gradtape
