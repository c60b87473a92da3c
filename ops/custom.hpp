#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/functional.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace gradtape::inline v0 {

/// x as a constant: no gradient goes through. The same as x.detach(), as a function.
inline Tensor stop_gradient(const Tensor& x) { return x.detach(); }

namespace detail {

/// The gradients of all inputs, from that of the output, the inputs and the output.
using Rule = Function<std::vector<Tensor>(const Tensor& g, std::span<const Tensor> x, const Tensor& y)>;

/// `y` as a function of `x` with this backward rule.
Tensor with_rule(const Tensor& y, std::span<const Tensor> x, Rule rule);

inline std::vector<Tensor> gradients_of(const Tensor& gradient) { return {gradient}; }
template <std::size_t N>
std::vector<Tensor> gradients_of(const std::array<Tensor, N>& gradients) {
  return {gradients.begin(), gradients.end()};
}

}  // namespace detail

/// What custom_gradient returns: a function of tensors.
template <class F, class Vjp>
class CustomGradient {
 public:
  CustomGradient(F f, Vjp vjp) : f_(std::move(f)), vjp_(std::move(vjp)) {}  ///< see custom_gradient

  /// Its value, on the tape if an input is.
  template <std::derived_from<Tensor>... X>
  Tensor operator()(const X&... x) const {
    const std::array<Tensor, sizeof...(X)> inputs{x...};
    const Tensor y = value(x.detach()...);
    if (!detail::on_tape(inputs)) return y.detach();
    return detail::with_rule(y, inputs, [vjp = vjp_](const Tensor& g, std::span<const Tensor> in, const Tensor& out) {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        if constexpr (requires { vjp(g, in[I]..., out); })
          return detail::gradients_of(vjp(g, in[I]..., out));
        else
          return detail::gradients_of(vjp(g, in[I]...));
      }(std::index_sequence_for<X...>{});
    });
  }

 private:
  Tensor value(const auto&... x) const {
    const NoGrad off;
    return detail::call(f_, x...);
  }

  F f_;
  Vjp vjp_;
};

/// A function whose value is that of f and whose gradient is yours: JAX's custom_vjp, PyTorch's autograd.Function.
///   const auto log1pexp = custom_gradient([](const Tensor& x) { return log(1 + exp(x)); },
///                                         [](const Tensor& g, const Tensor& x) { return g * sigmoid(x); });
/// f runs on constants and is not recorded, so what it captures gets no gradient. `vjp` takes the gradient g of the
/// output, the inputs and, where it wants it, the output; it returns the gradient of the input, for several inputs a
/// std::array of them (an empty Tensor where an input is constant). Written in Tensor ops, it can be differentiated
/// again; it must be linear in g, as jvp turns it round. Throws GradientError, from backward, where a gradient has not
/// its input's shape and dtype.
template <class F, class Vjp>
CustomGradient<F, Vjp> custom_gradient(F f, Vjp vjp) {
  return {std::move(f), std::move(vjp)};
}

}  // namespace gradtape::inline v0
