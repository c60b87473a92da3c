#pragma once

#include <gradtape/core/array.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace gradtape::inline v0::detail {

/// scale · Σ (a - b)² of packed arrays of one floating dtype, added up in double.
void sum_square_difference(const Array& out, const Array& a, const Array& b, double scale);

/// Throws ValueError that names `op`, the index and the label unless every label lies in [0, classes) or is `ignored`;
/// true if one is.
bool require_classes(std::string_view op, const Array& labels, std::int64_t classes,
                     std::optional<std::int64_t> ignored = {});

}  // namespace gradtape::inline v0::detail
