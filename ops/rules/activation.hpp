#pragma once

#include <gradtape/ops/rules/math.hpp>

#include <string_view>

namespace gradtape::rule {

struct Sigmoid {
  static constexpr std::string_view name = "sigmoid";
  auto value(auto x) const { return 1 / (1 + exp(-x)); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * y * (1 - y); }
};
template <Value X> auto sigmoid(X x) { return call(Sigmoid{}, x); }

struct Relu {
  static constexpr std::string_view name = "relu";
  auto value(auto x) const { return maximum(x, 0); }
  auto vjp(auto g, auto /*x*/, auto y) const { return where(y <= 0, 0, g); }  // so that NaN passes its gradient on
};
template <Value X> auto relu(X x) { return call(Relu{}, x); }

}  // namespace gradtape::rule
