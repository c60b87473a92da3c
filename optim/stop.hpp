#pragma once

#include <cstdint>
#include <string_view>

namespace gradtape::inline v0::optim {

/// Why a step of LBFGS or LevenbergMarquardt came to its end.
enum class Stop : std::uint8_t {
  gradient,     ///< tolerance_grad is met
  change,       ///< tolerance_change is met
  iterations,   ///< max_iter iterations are done
  evaluations,  ///< max_eval calls are used up; a line search is finished first
  line_search,  ///< no lower point was found, not even along the gradient: rounding hides it, or the gradient is wrong
  not_finite    ///< the loss or its gradient is infinite or NaN where it started
};
std::string_view to_string(Stop reason);

}  // namespace gradtape::inline v0::optim
