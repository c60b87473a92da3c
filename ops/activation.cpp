#include <gradtape/core/error.hpp>
#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/logic.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/slice.hpp>
#include <gradtape/ops/special.hpp>
#include <gradtape/ops/trigonometry.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {

Tensor sigmoid(const Tensor& x) { return elementwise(rule::Sigmoid{}, x); }
Tensor log_sigmoid(const Tensor& x) { return elementwise(rule::LogSigmoid{}, x); }
Tensor softsign(const Tensor& x) { return elementwise(rule::Softsign{}, x); }
Tensor silu(const Tensor& x) { return elementwise(rule::Silu{}, x); }
Tensor mish(const Tensor& x) { return elementwise(rule::Mish{}, x); }
Tensor hardswish(const Tensor& x) { return elementwise(rule::Hardswish{}, x); }
Tensor relu(const Tensor& x) { return elementwise(rule::Relu{}, x); }

Tensor softplus(const Tensor& x, const SoftplusOptions& options) {
  if (options.beta == 0) throw ValueError("softplus: beta is 0; the result would be infinite");
  return elementwise(rule::Softplus{options.beta, options.threshold}, x);
}

Tensor leaky_relu(const Tensor& x, const LeakyReluOptions& options) {
  return elementwise(rule::LeakyRelu{options.negative_slope}, x);
}
Tensor elu(const Tensor& x, const EluOptions& options) { return elementwise(rule::Elu{options.alpha}, x); }
Tensor selu(const Tensor& x) { return elementwise(rule::Selu{}, x); }

Tensor gelu(const Tensor& x, const GeluOptions& options) {
  return options.approximate == GeluOptions::tanh ? elementwise(rule::GeluTanh{}, x) : elementwise(rule::Gelu{}, x);
}

Tensor hardtanh(const Tensor& x, const HardtanhOptions& options) {
  if (!(options.min <= options.max))
    throw ValueError(fmt::format("hardtanh: min {} is above max {}; swap them", options.min, options.max));
  return elementwise(rule::Hardtanh{options.min, options.max}, x);
}

Tensor glu(const Tensor& x, const AxisOptions& options) {
  const int axis = normalize_axis("glu", options.axis, x.rank());
  const std::int64_t size = x.shape()[axis];
  if (size % 2 != 0)
    throw ShapeError(
        fmt::format("glu: axis {} of {} has an odd size, which cannot be halved", axis, to_string(x.shape())));
  return slice(x, {.axis = axis, .end = size / 2}) * sigmoid(slice(x, {.axis = axis, .begin = size / 2}));
}

}  // namespace gradtape::inline v0
