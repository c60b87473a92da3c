#pragma once

#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace cases {

/// Numbers in [-1, 1).
inline gradtape::Tensor random(const gradtape::Shape& shape, gradtape::Dtype dtype = gradtape::f64) {
  return gradtape::uniform(shape, {.low = -1, .high = 1, .dtype = dtype});
}

/// A vector of i64: labels or rows.
inline gradtape::Tensor integers(const std::vector<std::int64_t>& values) {
  return gradtape::tensor(std::span(values), {values.size()});
}

}  // namespace cases
