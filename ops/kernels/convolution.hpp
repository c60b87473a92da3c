#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/ops/window.hpp>

#include <algorithm>
#include <cstdint>

/// The three products of a convolution: each of y, x and weight from the other two.
namespace gradtape::inline v0::detail {

/// The shapes of x [n, c, h, w], weight [out, c / groups, kh, kw] and y [n, out, oh, ow], and how windows lie over x.
struct Convolution {
  Shape x, weight, y;
  Windows windows;
  std::int64_t groups;

  void attributes(AttributeVisitor& v) const {
    windows.attributes(v);
    v("groups", static_cast<double>(groups));
  }
};

/// y = beta * y + the convolution of x with weight, or y = bias [out] + it. As everywhere here, beta is 0 or 1, what is
/// written is packed, and what is read may have any strides.
void convolve(const Convolution& c, const Array& y, const Array& x, const Array& weight, double beta,
              const Array* bias = nullptr);

/// x = beta * x + the gradient of x, where y holds that of the convolution.
void convolve_back(const Convolution& c, const Array& x, const Array& y, const Array& weight, double beta);

/// weight = beta * weight + the gradient of weight likewise.
void correlate(const Convolution& c, const Array& weight, const Array& y, const Array& x, double beta);

/// In how many parts the gradient of a weight is added up, each in an array of its own of so many bytes: not so many
/// that together these fill more than the cache.
constexpr std::int64_t most_sums = 8;
constexpr std::int64_t sums_for(std::int64_t bytes) {
  constexpr std::int64_t most_bytes = 32 << 20;
  return std::clamp<std::int64_t>(most_bytes / std::max<std::int64_t>(bytes, 1), 1, most_sums);
}

}  // namespace gradtape::inline v0::detail
