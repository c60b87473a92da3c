#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/functional.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

namespace gradtape::inline v0 {

namespace detail {
Tensor checkpoint(Function<Tensor(std::span<const Tensor>)> f, std::span<const Tensor> x);
}

/// f(x…), of which the tape keeps the inputs only: on its way back a sweep runs f again and goes on through what that
/// records (Chen et al., Training deep nets with sublinear memory cost, 2016). Memory for time:
///   y = checkpoint([&](const Tensor& h) { return block(h); }, y);
/// The same gradients as without, at first order to the bit: also of parameters that f captures, of any order, and
/// where f draws random numbers, which it draws again. `f` is kept by value until the sweep, so what it refers to must
/// live as long; run again it must do the same, else GradientError. Leaves have the values again that they had at
/// first. Nests. A sweep that is recorded (create_graph) runs f again for good: what it records stays on the tape.
template <class F, std::derived_from<Tensor>... X>
Tensor checkpoint(F f, const X&... x) {
  static_assert(
      !requires(const F& given) { given.named_parameters(); },
      "checkpoint would copy this module with its parameters, and train the copies: pass [&](const gt::Tensor& x) { "
      "return net(x); }");
  return detail::checkpoint(detail::on_span<sizeof...(X)>(std::move(f)), std::array<Tensor, sizeof...(X)>{x...});
}

}  // namespace gradtape::inline v0
