#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

/// Matrix product (m,k)·(k,n) -> (m,n); f32 or f64, both alike. Gradients: dA = G·Bᵀ, dB = Aᵀ·G.
/// Throws ShapeError unless both are matrices with equal inner dimensions.
Tensor matmul(const Tensor& a, const Tensor& b);

/// x·Wᵀ + b in one op: x (…,in), weight (out,in), bias (out) -> (…,out). PyTorch's layout of a linear layer.
/// Throws ShapeError that names the shape which does not fit.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace gradtape
