#include <gradtape/optim/stop.hpp>

#include <cstddef>

namespace gradtape::inline v0::optim {

std::string_view to_string(Stop reason) {
  constexpr std::string_view names[] = {"gradient", "change", "iterations", "evaluations", "line_search", "not_finite"};
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace gradtape::inline v0::optim
