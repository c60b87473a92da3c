#pragma once

#include <gradtape/core/tensor.hpp>

namespace gradtape::inline v0 {

/// exp(x) / sum(exp(x)) along an axis, computed from x - max(x), so that nothing overflows; f32, f64.
Tensor softmax(const Tensor& x, const AxisOptions& options = {});

/// log(softmax(x)) along an axis, without the detour through exp; f32, f64.
Tensor log_softmax(const Tensor& x, const AxisOptions& options = {});

}  // namespace gradtape::inline v0
