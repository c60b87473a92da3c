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

/// With the sign of the divisor, or of the dividend.
Outputs mod(const Node& n) {
  const gt::Tensor a = n[0], b = n[1];
  if (!n.flag("fmod", false)) return gt::remainder(a, b);
  return gt::sign(a) * gt::remainder(gt::abs(a), gt::abs(b));
}

Outputs is_infinite(const Node& n) {
  const gt::Tensor x = n[0];
  const bool negative = n.flag("detect_negative", true), positive = n.flag("detect_positive", true);
  if (negative && positive) return gt::isinf(x);
  return gt::logical_and(gt::isinf(x), positive ? x > 0 : x < 0);
}

/// The result has the dtype of the base; powers of integers are taken in f64.
Outputs pow(const Node& n) {
  const gt::Tensor base = n[0], exponent = n[1];
  const gt::Dtype dtype = gt::is_floating(base.dtype()) ? base.dtype() : gt::f64;
  return gt::pow(base.to(dtype), exponent.to(dtype)).to(base.dtype());
}

Outputs dropout(const Node& n) {
  n.integer("seed", 0);
  const double attribute = n.number("ratio", 0.5);
  const gt::DropoutOptions options{.p = n.has(1) ? n[1].item() : attribute, .training = n.has(2) && n[2].item() != 0};
  if (options.training && options.p != 0) throw Skip{"random numbers"};
  return std::vector{gt::dropout(n[0], options), gt::ones_like(n[0]).to(gt::boolean)};
}

}  // namespace

Table elementwise() {
  return {
      {"Abs", unary(gt::abs)},
      {"Acos", unary(gt::acos)},
      {"Acosh", unary(gt::acosh)},
      {"Add", binary(gt::add)},
      {"And", binary(gt::logical_and)},
      {"Asin", unary(gt::asin)},
      {"Asinh", unary(gt::asinh)},
      {"Atan", unary(gt::atan)},
      {"Atanh", unary(gt::atanh)},
      {"Ceil", unary(gt::ceil)},
      {"Clip", clip},
      {"Cos", unary(gt::cos)},
      {"Cosh", unary(gt::cosh)},
      {"Div", binary(gt::div)},
      {"Dropout", dropout},
      {"Equal", binary(gt::eq)},
      {"Erf", unary(gt::erf)},
      {"Exp", unary(gt::exp)},
      {"Floor", unary(gt::floor)},
      {"Greater", binary(gt::gt)},
      {"GreaterOrEqual", binary(gt::ge)},
      {"Identity", unary([](auto x) { return x; })},
      {"IsInf", is_infinite},
      {"IsNaN", unary(gt::isnan)},
      {"Less", binary(gt::lt)},
      {"LessOrEqual", binary(gt::le)},
      {"Log", unary(gt::log)},
      {"Max", fold(gt::maximum)},
      {"Mean", mean},
      {"Min", fold(gt::minimum)},
      {"Mod", mod},
      {"Mul", binary(gt::mul)},
      {"Neg", unary(gt::neg)},
      {"Not", unary(gt::logical_not)},
      {"Or", binary(gt::logical_or)},
      {"Pow", pow},
      {"Reciprocal", unary(gt::reciprocal)},
      {"Round", unary(gt::round)},
      {"Sign", unary(gt::sign)},
      {"Sin", unary(gt::sin)},
      {"Sinh", unary(gt::sinh)},
      {"Sqrt", unary(gt::sqrt)},
      {"Sub", binary(gt::sub)},
      {"Sum", fold(gt::add)},
      {"Tan", unary(gt::tan)},
      {"Where", ternary(gt::where)},
      {"Xor", binary(gt::logical_xor)},
  };
}

}  // namespace suite
