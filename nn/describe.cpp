#include <gradtape/nn/describe.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::nn::detail {

std::string size_text(const IntegerList& size, int axes) {
  const auto given = size.values();
  if (given.size() != 1) return fmt::format("{}", fmt::join(given, "x"));
  return fmt::format("{}", fmt::join(std::vector(static_cast<std::size_t>(axes), given[0]), "x"));
}

std::string option_text(std::string_view name, const IntegerList& value, std::int64_t usually) {
  const bool usual = std::ranges::all_of(value.values(), [=](std::int64_t n) { return n == usually; });
  return usual ? "" : fmt::format(", {} {}", name, size_text(value));
}

}  // namespace gradtape::inline v0::nn::detail
