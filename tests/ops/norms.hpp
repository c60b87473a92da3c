#pragma once

/// \file
/// The normalizations as functions of tensors alone.

#include <ops/reductions.hpp>

namespace cases {

inline auto layer(const gt::Shape& shape) {
  return [=](const gt::Tensor& x, const gt::Tensor& weight, const gt::Tensor& bias) {
    return gt::layer_norm(x, shape, {.weight = weight, .bias = bias});
  };
}
inline auto rms(const gt::Shape& shape) {
  return [=](const gt::Tensor& x, const gt::Tensor& weight) {
    return gt::rms_norm(x, shape, {.weight = weight, .eps = 0.1});
  };
}
inline auto group(std::int64_t groups) {
  return [=](const gt::Tensor& x, const gt::Tensor& weight, const gt::Tensor& bias) {
    return gt::group_norm(x, groups, {.weight = weight, .bias = bias});
  };
}
inline gt::Tensor batch(const gt::Tensor& x, const gt::Tensor& weight, const gt::Tensor& bias) {
  return gt::batch_norm(x, {.weight = weight, .bias = bias}).output;
}

}  // namespace cases
