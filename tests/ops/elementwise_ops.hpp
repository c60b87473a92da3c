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

inline std::vector<Op> ops() {
  return {
      binary("add", gt::add),         binary("sub", gt::sub),
      binary("mul", gt::mul),         binary("div", gt::div),
      binary("maximum", gt::maximum), binary("minimum", gt::minimum),
      binary("pow", gt::pow, true),   {"where", 2, [](const Tensors& x) { return gt::where(x[0] > x[1], x[0], x[1]); }},
      unary("neg", gt::neg),          unary("exp", gt::exp),
      unary("log", gt::log, true),    unary("sqrt", gt::sqrt, true),
      unary("square", gt::square),    unary("sin", gt::sin),
      unary("cos", gt::cos),          unary("abs", gt::abs),
      unary("sigmoid", gt::sigmoid),  unary("tanh", gt::tanh),
      unary("relu", gt::relu),
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
