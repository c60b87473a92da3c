#pragma once

#include <string>
#include <vector>

namespace gradtape::inline v0::report {

/// Options of a chart.
struct ChartOptions {
  bool log_y = false;            ///< a logarithmic scale for values, of which only positive ones are shown
  std::string x_label = "step";  ///< what runs along the horizontal axis
};

namespace detail {

/// A curve: values over steps.
struct Series {
  std::string name;
  std::vector<double> steps, values;
};

/// Curves in one pair of axes, as an <svg> that grows with its container; colours come from the classes s0 to s7. What
/// is not finite is a gap.
std::string line_chart(const std::string& title, const std::vector<Series>& series, const ChartOptions& options);

}  // namespace detail
}  // namespace gradtape::inline v0::report
