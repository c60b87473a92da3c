#pragma once

#include <gradtape/core/tensor.hpp>

#include <chrono>

namespace gradtape::inline v0::report::detail {

/// A number, or the only element of a tensor.
inline double number_of(const Operand& value) { return value.tensor() ? value.tensor()->item() : value.number(); }

/// Seconds of a clock that never goes back.
inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace gradtape::inline v0::report::detail
