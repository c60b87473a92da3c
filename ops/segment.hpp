#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

// Reductions over rows of one id, such as the nodes of each graph or the words of each text; ids come in any order.
// Errors: IndexError for an id outside [0, segments), ShapeError unless the shapes fit, ValueError if segments < 0,
// DtypeError unless ids are i64.

/// Sum of the rows of each segment: data (n, …), ids i64 (n) -> (segments, …); 0 where it has none. f32, f64 or i64.
Tensor segment_sum(const Tensor& data, const Tensor& ids, std::int64_t segments);

/// Mean of the rows of each segment: data (n, …), ids i64 (n) -> (segments, …); 0 where it has none. f32 or f64.
Tensor segment_mean(const Tensor& data, const Tensor& ids, std::int64_t segments);

/// Largest element of each segment, NaN if there is one: data (n, …), ids i64 (n) -> (segments, …); 0 where it has no
/// rows. Elements that tie share the gradient evenly. f32, f64 or i64.
Tensor segment_max(const Tensor& data, const Tensor& ids, std::int64_t segments);

}  // namespace gradtape::inline v0
