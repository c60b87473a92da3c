#include <gradtape/core/error.hpp>
#include <gradtape/nn/dropout.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {

Dropout::Dropout(double chance) : p(chance) {
  if (!(p >= 0 && p <= 1)) throw ValueError(fmt::format("Dropout: p is {}; expected 0 to 1", p));
}

std::string Dropout::description() const { return fmt::format("Dropout({})", p); }

}  // namespace gradtape::inline v0::nn
