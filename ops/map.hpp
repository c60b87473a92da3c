#pragma once

#include <gradtape/ops/elementwise.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>

namespace gradtape::inline v0 {
namespace detail {

/// Any expression as an elementwise op. Its rule is nobody's to write.
template <class F, std::size_t N>
struct Map {
  static constexpr std::string_view name = [] {
    if constexpr (requires { F::name; })
      return std::string_view(F::name);
    else
      return std::string_view("map");
  }();
  F f;

  auto value(auto... x) const { return f(x...); }
  auto vjp(auto g, auto... x) const
    requires(sizeof...(x) == N)
  {
    return rule::detail::derivatives(f, g, x...);
  }
};

}  // namespace detail

/// Any expression as one fused op, elementwise with broadcasting:
///   gt::map([](auto a, auto b) { return sigmoid(a * b + a); }, a, b)
/// `f` takes up to four values by `auto` and is written in operators, numbers and the functions of ops/rules/, called
/// without a namespace; `where(x > 0, …, …)` is its branch. Value and first-order gradients are one loop each, the
/// derivative by dual numbers; when a gradient is recorded, `f` runs on Tensors, to any order. Tensors of one dtype,
/// f32 or f64; what `f` captures must be numbers; an `F::name` takes the place of "map" in messages and on the tape.
/// Errors: ShapeError if shapes do not broadcast, DtypeError for mixed dtypes.
template <class F, std::derived_from<Tensor>... X>
Tensor map(const F& f, const X&... x) {
  return elementwise(detail::Map<F, sizeof...(X)>{f}, x...);
}

}  // namespace gradtape::inline v0
