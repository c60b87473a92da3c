#pragma once

#include <gradtape/core/tensor.hpp>

/// Initialisers: fill a leaf of shape [out, in] with random numbers. fan_in = in, fan_out = out. Throw ShapeError below
/// rank 2.
namespace gradtape::nn::init {

/// Options of the Xavier initialisers; `gain` scales for the activation that follows.
struct XavierOptions {
  double gain = 1;  ///< factor on the spread
};

/// Uniform in ±gain·sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010, eq. 16).
void xavier_uniform(const Tensor& leaf, const XavierOptions& options = {});
/// Normal with standard deviation gain·sqrt(2 / (fan_in + fan_out)).
void xavier_normal(const Tensor& leaf, const XavierOptions& options = {});

/// Uniform in ±sqrt(6 / fan_in), for layers before a ReLU (He et al., ICCV 2015, section 2.2).
void he_uniform(const Tensor& leaf);
/// Normal with standard deviation sqrt(2 / fan_in).
void he_normal(const Tensor& leaf);

}  // namespace gradtape::nn::init
