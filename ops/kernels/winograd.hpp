#pragma once

#include <gradtape/ops/kernels/convolution.hpp>

namespace gradtape::inline v0::detail {

// As those of kernels/convolution.hpp but for rounding, in about half of the time. Each returns false for what it
// leaves to others, with nothing done but that what beta = 0 lets it overwrite may hold anything: for another dtype
// than f32, for windows that are not 3 x 3 or not one apart, for few channels or tiles, and where something that is
// read is infinite, NaN or beyond 2^40, for infinity would become NaN, a sum of large numbers infinite, and a gradient
// of the weight would hold what it does not depend on.
bool winograd_convolve(const Convolution& c, const Array& y, const Array& x, const Array& weight, double beta,
                       const Array* bias);
bool winograd_convolve_back(const Convolution& c, const Array& x, const Array& y, const Array& weight, double beta);
bool winograd_correlate(const Convolution& c, const Array& weight, const Array& y, const Array& x, double beta);

}  // namespace gradtape::inline v0::detail
