#pragma once

#include <gradtape/core/array.hpp>

#include <string_view>

namespace gradtape::detail {

/// mean((a - b)²) of packed arrays of one floating dtype, accumulated in double.
void mean_square_difference(const Array& out, const Array& a, const Array& b);

/// Throws ValueError that names `op`, the index and the label unless every label lies in [0, classes).
void require_classes(std::string_view op, const Array& labels, std::int64_t classes);

}  // namespace gradtape::detail
