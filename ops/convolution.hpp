#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

// As in neural networks, a kernel is not turned round (a cross-correlation). An option of two axes is one number for
// both or one for each, `{.stride = 2}` or `{.stride = {2, 1}}`. All tensors are f32 or f64, alike; the bias may be
// left out, or be an empty Tensor. In f32, from 16 channels on, four windows of 3 x 3 that are one apart share
// multiplications: rounding errors of a weight's gradient are then those of the largest of 4 x 4 pixels, even of some
// that the weight does not meet. Throws ShapeError that names the shape which does not fit, ValueError for an option
// out of its range.

/// Options of `conv1d` and `conv2d`.
struct ConvOptions {
  IntegerList stride = 1;    ///< from each window to the next, at least 1
  IntegerList padding = 0;   ///< zeros put around x, at least 0
  IntegerList dilation = 1;  ///< from each element of a window to the next, at least 1
  std::int64_t groups = 1;   ///< channels in and out fall into so many groups, each of which sees its own only
};

/// Convolution of sequences: x [n, c, l], weight [out, c / groups, k], bias [out] -> [n, out, l'], where l' is
/// (l + 2 padding - dilation (k - 1) - 1) / stride + 1 rounded down; y[n, o, i] = bias[o] +
/// Σ weight[o, c, j] x[n, c, i stride - padding + j dilation].
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvOptions& options = {});

/// Convolution of images: x [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] -> [n, out, h', w'], along each
/// axis as conv1d.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvOptions& options = {});

/// Options of `conv_transpose2d`.
struct ConvTransposeOptions {
  IntegerList stride = 1;          ///< of the convolution that is turned round, as the others
  IntegerList padding = 0;         ///< takes so much away on each side of the result, at least 0
  IntegerList output_padding = 0;  ///< rows and columns more at the end; less than the stride or the dilation
  std::int64_t groups = 1;         ///< as in ConvOptions
  IntegerList dilation = 1;        ///< likewise
};

/// Transposed convolution, the adjoint of conv2d in x: x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] ->
/// [n, out, h', w'], where h' = (h - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Throws as well for
/// a result that would have no rows or no columns.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});

}  // namespace gradtape::inline v0
