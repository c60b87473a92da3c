#include <gradtape/testing/mistakes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>
#include <span>

#include <fmt/format.h>

namespace gradtape::inline v0::detail {
namespace {

/// What the mistakes have in common.
std::string guess(const Shape& shape, std::int64_t outputs, const std::vector<double>& rule,
                  const std::vector<double>& numeric) {
  const auto close = [](double a, double b) {
    return std::abs(a - b) <= 1e-4 * std::max({std::abs(a), std::abs(b), 1e-6});
  };
  if (std::ranges::all_of(rule, [](double r) { return r == 0; }))
    return "  rule = 0 everywhere: the input is not connected to the output";
  double ratio = 0;
  bool constant = true;
  for (std::size_t k = 0; k < rule.size(); ++k) {
    if (std::abs(numeric[k]) < 1e-6) {
      constant = constant && std::abs(rule[k]) < 1e-4;
      continue;
    }
    if (ratio == 0) ratio = rule[k] / numeric[k];
    constant = constant && close(rule[k] / numeric[k], ratio);
  }
  if (constant && close(ratio, -1)) return "  rule / differences = -1 everywhere: a sign is wrong";
  if (constant && ratio != 0)
    return fmt::format("  rule / differences = {:.3f} everywhere: a constant factor is {}", ratio,
                       ratio > 1 ? "too much or was not divided out" : "missing");
  if (shape.rank() == 2 && shape[0] == shape[1]) {
    bool transposed = true;
    const auto n = static_cast<std::size_t>(shape[0]);
    for (std::size_t r = 0; r < n; ++r)
      for (std::size_t c = 0; c < n; ++c) transposed = transposed && close(rule[r * n + c], numeric[c * n + r]);
    if (transposed) return "  rule = differences transposed: an operand is the wrong way round";
  }
  const double sum_rule = std::accumulate(rule.begin(), rule.end(), 0.0),
               sum_numeric = std::accumulate(numeric.begin(), numeric.end(), 0.0);
  if (outputs > shape.numel() && !close(sum_rule, sum_numeric))
    return "  the input is smaller than the output: is a sum over a broadcast axis missing?";
  return "  no simple pattern: check the formula itself";
}

}  // namespace

std::string describe_mistakes(const Shape& shape, std::int64_t outputs, const std::vector<double>& rule,
                              const std::vector<double>& numeric, std::vector<std::int64_t> wrong) {
  const auto error = [&](std::int64_t k) {
    const double r = rule[static_cast<std::size_t>(k)], n = numeric[static_cast<std::size_t>(k)];
    return std::abs(r - n) / std::max({std::abs(r), std::abs(n), 1e-300});
  };
  std::ranges::stable_sort(wrong, std::greater(), error);
  std::string out = fmt::format("  {} of {} elements differ; the worst:\n    {:<14} {:>18} {:>18} {:>12}\n",
                                wrong.size(), rule.size(), "index", "rule", "differences", "relative");
  for (const std::int64_t k : std::span(wrong).first(std::min<std::size_t>(wrong.size(), 5)))
    out += fmt::format("    {:<14} {:>18.10g} {:>18.10g} {:>12.3e}\n", index_string(shape, k),
                       rule[static_cast<std::size_t>(k)], numeric[static_cast<std::size_t>(k)], error(k));
  return out + guess(shape, outputs, rule, numeric);
}

}  // namespace gradtape::inline v0::detail
