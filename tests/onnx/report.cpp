#include "report.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace suite {
namespace {

constexpr std::array names{"passed", "failed", "skipped"};

std::string_view name(Outcome outcome) { return names[static_cast<std::size_t>(outcome)]; }

using Counts = std::map<std::string, int>;

/// "Conv 6, RNN 4", the most frequent first.
std::string ranked(const Counts& counts) {
  std::vector<std::pair<std::string, int>> order(counts.begin(), counts.end());
  std::ranges::stable_sort(order, std::greater{}, &std::pair<std::string, int>::second);
  std::string text;
  for (const auto& [what, n] : order) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, n);
  return text;
}

void print_by_op(const std::vector<Result>& results) {
  std::map<std::string, std::array<int, names.size()>> ops;
  for (const Result& r : results) ++ops[r.op][static_cast<std::size_t>(r.outcome)];
  fmt::print("{:28}{:>8}{:>8}{:>8}\n", "op", names[0], names[1], names[2]);
  for (const auto& [op, n] : ops)
    if (n[0] + n[1] > 0) fmt::print("{:28}{:>8}{:>8}{:>8}\n", op, n[0], n[1], n[2]);
}

void print_skipped(const std::vector<Result>& results) {
  std::map<std::string, Counts> reasons;
  for (const Result& r : results)
    if (r.outcome == Outcome::skipped) ++reasons[r.why][r.op];
  fmt::print("\nskipped\n");
  for (const auto& [reason, ops] : reasons) {
    int n = 0;
    for (const auto& entry : ops) n += entry.second;
    fmt::print("{:4}  {}: {}\n", n, reason, ranked(ops));
  }
}

}  // namespace

int count(const std::vector<Result>& results, Outcome outcome) {
  return static_cast<int>(std::ranges::count(results, outcome, &Result::outcome));
}

void print(const std::vector<Result>& results, bool verbose) {
  print_by_op(results);
  print_skipped(results);
  fmt::print("\n");
  for (const Result& r : results)
    if (verbose || r.outcome == Outcome::failed) fmt::print("{}: {} {}\n", r.name, name(r.outcome), r.why);
  fmt::print("{} passed, {} failed, {} skipped\n", count(results, Outcome::passed), count(results, Outcome::failed),
             count(results, Outcome::skipped));
}

}  // namespace suite
