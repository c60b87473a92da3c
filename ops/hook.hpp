#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/functional.hpp>

#include <type_traits>
#include <utility>

namespace gradtape::inline v0 {

namespace detail {
Tensor hook(const Tensor& x, Function<Tensor(const Tensor&)> f);
}

/// x, with `f` in the way of its gradient: backward calls f(g) with the complete gradient of what this returns, and x
/// gets what f returns (of the same shape and dtype), or g itself if f returns nothing. To look at gradients, clip
/// them, turn them round:
///   const auto h = hook(tanh(x), [](const Tensor& g) { print("{}\n", g); });
/// Values and tangents pass unchanged. x itself if it is not on the tape.
template <class F>
Tensor hook(const Tensor& x, F f) {
  return detail::hook(x, [f = std::move(f)](const Tensor& g) -> Tensor {
    if constexpr (std::is_void_v<decltype(detail::call(f, g))>)
      return f(g), g;
    else
      return detail::call(f, g);
  });
}

/// x as a tensor that keeps its gradient, as a leaf does: after `backward` on something computed from it, `grad()`
/// returns it, added up over calls until `zero_grad()`. x itself if it is a leaf or not on the tape.
///   const auto h = retain_grad(tanh(x));
///   loss(h).backward();
///   h.grad();
Tensor retain_grad(const Tensor& x);

}  // namespace gradtape::inline v0
