#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

/// Options of `rotary_embedding`.
struct RotaryOptions {
  double base = 10000;       ///< pair i turns by position · base^(-2i / c)
  bool interleaved = false;  ///< pairs are neighbours (2i, 2i + 1), as in the paper; else (i, i + c / 2)
  std::int64_t offset = 0;   ///< position of the first row
};

/// x (…, t, c) with pairs of each row turned by angles that grow with its position, so that the product of two rows
/// depends on their distance alone (Su et al., "RoFormer", 2021, eq. 34); f32, f64. Throws ShapeError below rank 2 or
/// for an odd c, ValueError for a base that is not above 0.
Tensor rotary_embedding(const Tensor& x, const RotaryOptions& options = {});

/// Options of `sinusoidal_positions`.
struct SinusoidalOptions {
  double base = 10000;              ///< of the wavelengths
  std::optional<Dtype> dtype = {};  ///< f32 or f64; default_dtype() unless told
};

/// (length, width): in row p, sin(p · base^(-2i / width)) in column 2i and the cosine in column 2i + 1 (Vaswani et al.,
/// "Attention is all you need", 2017, section 3.5). Throws ValueError for a negative size or a base that is not above
/// 0.
Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, const SinusoidalOptions& options = {});

}  // namespace gradtape::inline v0
