#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

/// Matrix product (…,m,k)·(…,k,n) -> (…,m,n), the leading axes broadcast; f32 or f64, both alike. A vector on the left
/// is a row and one on the right a column, an axis that the result does not have: (k)·(k,n) -> (n), (m,k)·(k) -> (m),
/// (k)·(k) -> scalar. Gradients: dA = G·Bᵀ, dB = Aᵀ·G, summed over axes that were stretched. Throws ShapeError unless
/// the inner dimensions are equal and the leading axes broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);

/// x·Wᵀ + b in one op: x (…,in), weight (out,in), bias (out) -> (…,out). PyTorch's layout of a linear layer; the bias
/// may be left out, or be an empty Tensor. Throws ShapeError that names the shape which does not fit.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

namespace detail {
/// The weight (out,in) of one `linear_onto`, or of several, for which it is transposed once.
struct SharedWeight {
  SharedWeight(const Tensor& weight, std::int64_t products = 1);
  Tensor weight;
  Tensor across;  ///< its values as (in,out), packed; or nothing
};
/// onto + x·Wᵀ: onto (…,out), x (…,in), weight (out,in) -> (…,out). Throws ShapeError if they do not fit.
Tensor linear_onto(const Tensor& onto, const Tensor& x, const SharedWeight& weight);
/// A shape without its last n axes.
Shape without_last(const Shape& shape, int n);
/// The leading axes of a batch, and those of its matrices.
Shape with_batch(const Shape& batch, std::int64_t rows, std::int64_t cols);
}  // namespace detail

}  // namespace gradtape::inline v0
