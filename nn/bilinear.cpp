#include <gradtape/core/error.hpp>
#include <gradtape/nn/bilinear.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/shape.hpp>

#include <cmath>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

Bilinear::Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, const LinearOptions& options) {
  if (in1 < 1 || in2 < 1 || out < 1)
    throw ValueError(fmt::format("Bilinear: {} and {} inputs and {} outputs; all must be at least 1", in1, in2, out));
  const double bound = 1 / std::sqrt(static_cast<double>(in1));
  weight = uniform({out, in1, in2}, {.low = -bound, .high = bound});
  if (options.bias) bias = uniform({out}, {.low = -bound, .high = bound});
}

Tensor Bilinear::operator()(const Tensor& x1, const Tensor& x2) const {
  const Shape& w = weight.shape();
  if (x1.rank() == 0 || x2.rank() == 0 || x1.shape()[-1] != w[1] || x2.shape()[-1] != w[2])
    throw ShapeError(fmt::format("Bilinear: x1 {} and x2 {}; expected (…, {}) and (…, {})", to_string(x1.shape()),
                                 to_string(x2.shape()), w[1], w[2]));
  // (…,j)·(j,oi) -> (…,o,i), times (…,i,1) -> (…,o)
  Shape split = x2.shape();
  split.set(-1, w[0]);
  split.push_back(w[1]);
  const Tensor of_x2 = reshape(matmul(x2, transpose(reshape(weight, {w[0] * w[1], w[2]}))), split);
  const Tensor y = squeeze(matmul(of_x2, unsqueeze(x1, -1)), -1);
  return bias.defined() ? y + bias : y;
}

std::string Bilinear::description() const {
  const Shape& w = weight.shape();
  return fmt::format("Bilinear({}, {}, {}{})", w[1], w[2], w[0], bias.defined() ? "" : ", no bias");
}

}  // namespace gradtape::inline v0::nn
