#include <gradtape/core/error.hpp>
#include <gradtape/nn/position.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/slice.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

SinusoidalPositions::SinusoidalPositions(std::int64_t length, std::int64_t width, double base)
    : table(sinusoidal_positions(length, width, {.base = base})) {}

Tensor SinusoidalPositions::operator()(const Tensor& x) const {
  if (x.rank() < 2 || x.shape()[-1] != table.shape()[1] || x.shape()[-2] > table.shape()[0])
    throw ShapeError(fmt::format("SinusoidalPositions: x {}; expected (…, t, {}) with t up to {}", to_string(x.shape()),
                                 table.shape()[1], table.shape()[0]));
  return x + slice(table, {.axis = 0, .end = x.shape()[-2]});
}

std::string SinusoidalPositions::description() const {
  return fmt::format("SinusoidalPositions({}, {})", table.shape()[0], table.shape()[1]);
}

std::string RotaryPositions::description() const {
  return fmt::format("RotaryPositions({}, {})", options_.base, options_.interleaved ? "interleaved" : "halves");
}

}  // namespace gradtape::inline v0::nn
