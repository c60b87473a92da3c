#pragma once

#include <gradtape/core/dtype.hpp>
#include <gradtape/core/shape.hpp>

#include <cstdint>
#include <span>
#include <string_view>

/// What ops make sure of before they run.
namespace gradtape::inline v0::detail {

/// Throws DtypeError that names `op` for boolean.
void check_numbers(std::string_view op, Dtype dtype);

/// Throws DtypeError that names `op` if two tensors to be put together differ in dtype.
void check_same(std::string_view op, Dtype a, Dtype b);

/// The product of dimensions: a view may claim more elements than memory holds. Throws ShapeError that names `op` where
/// it cannot be counted.
std::int64_t count(std::string_view op, std::span<const std::int64_t> dims);

/// `shape` with its axes [begin, end) replaced by others. Throws ShapeError that names `op` beyond `max_rank`.
Shape replace_axes(std::string_view op, const Shape& shape, int begin, int end, const Shape& with);

}  // namespace gradtape::inline v0::detail
