#pragma once

#include <gradtape/core/tensor.hpp>

/// Initialisers: fill a leaf with numbers. A weight is [out, in, k…], of a convolution with a kernel of k… elements or
/// of a linear layer without: fan_in = in·k, fan_out = out·k. Those that need a fan throw ShapeError below rank 2.
namespace gradtape::inline v0::nn::init {

void constant(const Tensor& leaf, double value);  ///< every element `value`
void zeros(const Tensor& leaf);                   ///< every element 0
void ones(const Tensor& leaf);                    ///< every element 1

/// Options of `uniform`.
struct UniformOptions {
  double low = 0;   ///< smallest number
  double high = 1;  ///< above the largest
};

/// Uniform in [low, high).
void uniform(const Tensor& leaf, const UniformOptions& options = {});

/// Options of `normal`.
struct NormalOptions {
  double mean = 0;  ///< of the distribution
  double std = 1;   ///< its standard deviation
};

/// Normal.
void normal(const Tensor& leaf, const NormalOptions& options = {});

/// Options of `truncated_normal`.
struct TruncatedNormalOptions {
  double mean = 0;  ///< of the distribution before the cut
  double std = 1;   ///< its standard deviation
  double a = -2;    ///< smallest number
  double b = 2;     ///< largest
};

/// Normal, with what lies outside of [a, b] drawn again. Throws ValueError where less than 1 % of the distribution lies
/// inside.
void truncated_normal(const Tensor& leaf, const TruncatedNormalOptions& options = {});

/// Options of `orthogonal`.
struct OrthogonalOptions {
  double gain = 1;  ///< factor on the matrix
};

/// A random matrix [out, in·k] with orthonormal rows, or columns if there are more rows, times gain; each equally
/// likely (Saxe, McClelland and Ganguli, ICLR 2014; Mezzadri, "How to generate random matrices from the classical
/// compact groups", 2007). Throws ShapeError below rank 2.
void orthogonal(const Tensor& leaf, const OrthogonalOptions& options = {});

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

}  // namespace gradtape::inline v0::nn::init
