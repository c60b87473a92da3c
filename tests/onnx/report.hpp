#pragma once

#include <string>
#include <vector>

namespace suite {

enum class Outcome { passed, failed, skipped };

/// How one case went.
struct Result {
  std::string name, op;
  Outcome outcome = Outcome::passed;
  std::string why = {};  ///< unless it passed
};

/// The number of cases that went so.
int count(const std::vector<Result>& results, Outcome outcome);

/// Prints a table by op, what was skipped by reason, and what failed; all cases if `verbose`; the totals on the last
/// line.
void print(const std::vector<Result>& results, bool verbose);

}  // namespace suite
