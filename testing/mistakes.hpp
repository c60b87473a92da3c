#pragma once

#include <gradtape/core/shape.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace gradtape::inline v0::detail {

/// What is wrong with a gradient of this shape, of an op with so many `outputs`: the worst of the elements in `wrong`,
/// by the rule and by differences, and a guess at what its mistakes have in common.
std::string describe_mistakes(const Shape& shape, std::int64_t outputs, const std::vector<double>& rule,
                              const std::vector<double>& numeric, std::vector<std::int64_t> wrong);

}  // namespace gradtape::inline v0::detail
