#include "node.hpp"

namespace suite {
namespace {

/// f between all inputs, from the first on.
template <class F>
Function fold(F f) {
  return [f](const Node& n) -> Outputs {
    gt::Tensor all = n[0];
    for (std::size_t i = 1; i < n.size(); ++i) all = f(all, n[i]);
    return all;
  };
}

Outputs mean(const Node& n) { return fold(gt::add)(n)[0] / static_cast<double>(n.size()); }

Outputs clip(const Node& n) {
  gt::Tensor x = n[0];
  if (n.has(1)) x = gt::maximum(x, n[1]);
  return n.has(2) ? gt::minimum(x, n[2]) : x;
}

/// The result has the dtype of the base; powers of integers are taken in f64.
Outputs pow(const Node& n) {
  const gt::Tensor base = n[0], exponent = n[1];
  const gt::Dtype dtype = gt::is_floating(base.dtype()) ? base.dtype() : gt::f64;
  return gt::pow(base.to(dtype), exponent.to(dtype)).to(base.dtype());
}

Outputs dropout(const Node& n) {
  n.integer("seed", 0);
  n.number("ratio", 0.5);
  if (n.has(2) && n[2].item() != 0 && !(n.has(1) && n[1].item() == 0)) throw Skip{"random numbers"};
  return std::vector{n[0], gt::ones_like(n[0]).to(gt::boolean)};
}

}  // namespace

Table elementwise() {
  return {
      {"Abs", unary(gt::abs)},
      {"Add", binary(gt::add)},
      {"Clip", clip},
      {"Cos", unary(gt::cos)},
      {"Div", binary(gt::div)},
      {"Dropout", dropout},
      {"Equal", binary([](auto a, auto b) { return a == b; })},
      {"Exp", unary(gt::exp)},
      {"Greater", binary([](auto a, auto b) { return a > b; })},
      {"GreaterOrEqual", binary([](auto a, auto b) { return a >= b; })},
      {"Identity", unary([](auto x) { return x; })},
      {"Less", binary([](auto a, auto b) { return a < b; })},
      {"LessOrEqual", binary([](auto a, auto b) { return a <= b; })},
      {"Log", unary(gt::log)},
      {"Max", fold(gt::maximum)},
      {"Mean", mean},
      {"Min", fold(gt::minimum)},
      {"Mul", binary(gt::mul)},
      {"Neg", unary(gt::neg)},
      {"Pow", pow},
      {"Reciprocal", unary([](auto x) { return 1 / x; })},
      {"Sin", unary(gt::sin)},
      {"Sqrt", unary(gt::sqrt)},
      {"Sub", binary(gt::sub)},
      {"Sum", fold(gt::add)},
      {"Where", ternary(gt::where)},
  };
}

}  // namespace suite
