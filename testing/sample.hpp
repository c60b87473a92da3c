#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

/// Options of the samplers.
struct SampleOptions {
  double distance = 0.1;            ///< how far from the excluded point, or from each other, elements are at least
  double spread = 2;                ///< how far from the point they are at most
  std::optional<Dtype> dtype = {};  ///< f32 or f64; default_dtype() unless told
};

/// Random numbers within `spread` of `point` on both sides, none nearer than `distance`: for functions with a kink or a
/// pole.
Tensor away_from(double point, const Shape& shape, const SampleOptions& options = {});

/// Random numbers around 0, any two at least `distance` apart: for functions whose gradient jumps at ties.
Tensor distinct(const Shape& shape, const SampleOptions& options = {});

}  // namespace gradtape::inline v0
