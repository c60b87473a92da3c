#include <gradtape/core/error.hpp>
#include <gradtape/nn/linear.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/random.hpp>

#include <cmath>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options) {
  if (in < 1 || out < 1)
    throw ValueError(fmt::format("Linear: {} inputs and {} outputs; both must be at least 1", in, out));
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight = uniform({out, in}, {.low = -bound, .high = bound});
  if (options.bias) bias = uniform({out}, {.low = -bound, .high = bound});
}

Tensor Linear::operator()(const Tensor& x) const { return linear(x, weight, bias); }

std::string Linear::description() const {
  return fmt::format("Linear({}, {}{})", weight.shape()[1], weight.shape()[0], bias.defined() ? "" : ", no bias");
}

}  // namespace gradtape::inline v0::nn
