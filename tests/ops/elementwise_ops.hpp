#pragma once

/// \file
/// All elementwise ops in one list, for tests of what holds for every one of them.

#include <ops/cases.hpp>

namespace cases {

using Tensors = std::vector<gt::Tensor>;

struct Op {
  std::string name;
  std::size_t arity;
  std::function<gt::Tensor(const Tensors&)> f;
  bool positive = false;  // inputs must be
};

inline Op unary(std::string name, gt::Tensor (*f)(const gt::Tensor&), bool positive = false) {
  return {std::move(name), 1, [f](const Tensors& x) { return f(x[0]); }, positive};
}
inline Op binary(std::string name, gt::Tensor (*f)(const gt::Operand&, const gt::Operand&), bool positive = false) {
  return {std::move(name), 2, [f](const Tensors& x) { return f(x[0], x[1]); }, positive};
}

/// With its default options.
template <class F>
Op defaults(std::string name, F f) {
  return {std::move(name), 1, [f](const Tensors& x) { return gt::detail::call(f, x[0]); }};
}

inline std::vector<Op> ops() {
  return {
      binary("add", gt::add),
      binary("sub", gt::sub),
      binary("mul", gt::mul),
      binary("div", gt::div),
      binary("maximum", gt::maximum),
      binary("minimum", gt::minimum),
      binary("hypot", gt::hypot),
      binary("logaddexp", gt::logaddexp),
      binary("atan2", gt::atan2),
      binary("remainder", gt::remainder),
      binary("pow", gt::pow, true),
      unary("neg", gt::neg),
      unary("exp", gt::exp),
      unary("expm1", gt::expm1),
      unary("square", gt::square),
      unary("reciprocal", gt::reciprocal),
      unary("abs", gt::abs),
      unary("sign", gt::sign),
      unary("sin", gt::sin),
      unary("cos", gt::cos),
      unary("tan", gt::tan),
      unary("atan", gt::atan),
      unary("sinh", gt::sinh),
      unary("cosh", gt::cosh),
      unary("tanh", gt::tanh),
      unary("asinh", gt::asinh),
      unary("erf", gt::erf),
      unary("erfc", gt::erfc),
      unary("floor", gt::floor),
      unary("ceil", gt::ceil),
      unary("round", gt::round),
      unary("trunc", gt::trunc),
      unary("sigmoid", gt::sigmoid),
      unary("log_sigmoid", gt::log_sigmoid),
      unary("softsign", gt::softsign),
      unary("silu", gt::silu),
      unary("mish", gt::mish),
      unary("hardswish", gt::hardswish),
      unary("relu", gt::relu),
      unary("selu", gt::selu),
      unary("log", gt::log, true),
      unary("log1p", gt::log1p, true),
      unary("sqrt", gt::sqrt, true),
      unary("rsqrt", gt::rsqrt, true),
      unary("lgamma", gt::lgamma, true),
      unary("digamma", gt::digamma, true),
      defaults("nan_to_num", gt::nan_to_num),
      defaults("softplus", gt::softplus),
      defaults("leaky_relu", gt::leaky_relu),
      defaults("elu", gt::elu),
      defaults("gelu", gt::gelu),
      defaults("hardtanh", gt::hardtanh),
      {"lerp", 2, [](const Tensors& x) { return gt::lerp(x[0], x[1], 0.3); }},
      {"where", 2, [](const Tensors& x) { return gt::where(x[0] > x[1], x[0], x[1]); }},
      {"clamp", 1, [](const Tensors& x) { return gt::clamp(x[0], {.min = -0.5, .max = 1}); }},
      {"gelu by tanh", 1, [](const Tensors& x) { return gt::gelu(x[0], {.approximate = gt::GeluOptions::tanh}); }},
      {"polygamma", 1, [](const Tensors& x) { return gt::polygamma(1, x[0]); }, true},
      {"acosh", 1, [](const Tensors& x) { return gt::acosh(x[0] + 1); }, true},
      {"asin", 1, [](const Tensors& x) { return gt::asin(gt::softsign(x[0])); }},
      {"acos", 1, [](const Tensors& x) { return gt::acos(gt::softsign(x[0])); }},
      {"atanh", 1, [](const Tensors& x) { return gt::atanh(gt::softsign(x[0])); }},
  };
}

/// Numbers of many sizes, so that neighbours call for different branches of a function.
inline gt::Tensor mixed(const Op& op, const gt::Shape& shape, gt::Dtype dtype) {
  const auto size = gt::exp(gt::uniform(shape, {.low = -8, .high = 6, .dtype = gt::f64}));
  const auto sign = op.positive ? gt::ones_like(size)
                                : gt::where(gt::uniform(shape, {.dtype = gt::f64}) < 0.5, -1 * gt::ones_like(size), 1);
  return (size * sign).to(dtype);
}

inline Tensors inputs(const Op& op, const gt::Shape& shape, gt::Dtype dtype) {
  Tensors x;
  for (std::size_t i = 0; i < op.arity; ++i) x.push_back(mixed(op, shape, dtype));
  return x;
}

/// The gradients of gᵀ·op(x) for the inputs in `which`; the others are constants.
inline Tensors gradients(const Op& op, const Tensors& x, const gt::Tensor& g, unsigned which = ~0u) {
  Tensors in, wanted;
  for (std::size_t i = 0; i < x.size(); ++i) {
    in.push_back(which >> i & 1 ? gt::parameter(x[i]) : x[i]);
    if (which >> i & 1) wanted.push_back(in.back());
  }
  return gt::grad(gt::sum(op.f(in) * g), wanted);
}

}  // namespace cases
