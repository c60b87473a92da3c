#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape {

Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e⁻ˣ), elementwise; f32, f64
Tensor tanh(const Tensor& x);     ///< hyperbolic tangent, elementwise; f32, f64
Tensor relu(const Tensor& x);     ///< max(x, 0), elementwise; the gradient at 0 is 0; f32, f64

/// exp(x) / sum(exp(x)) along an axis, computed from x - max(x), so that nothing overflows; f32, f64.
Tensor softmax(const Tensor& x, const AxisOptions& options = {});

/// log(softmax(x)) along an axis, without the detour through exp; f32, f64.
Tensor log_softmax(const Tensor& x, const AxisOptions& options = {});

}  // namespace gradtape
