#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace support {

/// What one epoch of training came to.
struct Epoch {
  double train_loss = 0;
  double test_accuracy = 0;  ///< 0 to 1
};

namespace detail {

/// An axis of five equal round steps, so that the left and the right axis share their grid lines.
struct Axis {
  static constexpr int steps = 5;
  double low = 0, step = 1;
  int decimals = 0;

  /// Covers the finite ones of `values`, and goes beyond `most` only if they do.
  static Axis over(const std::vector<double>& values, double most = std::numeric_limits<double>::infinity()) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const double value : values) {
      if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    }
    if (high > most) most = std::numeric_limits<double>::infinity();
    if (low > high) low = 0, high = 1;                                            // nothing to show
    if (const double room = std::max(0.05 * std::abs(low), 1e-6); low == high) {  // one value still needs a scale
      low -= room, high = std::min(high + room, most);
    }
    for (int exponent = static_cast<int>(std::floor(std::log10((high - low) / steps)));; ++exponent) {
      for (const double factor : {1, 2, 4, 5}) {
        const double step = factor * std::pow(10, exponent), slack = 1e-9 * step;
        const double start = std::min(std::floor((low + slack) / step) * step, most - steps * step);
        const double unused = std::floor((start + steps * step + slack - high) / step);
        if (unused < 0) continue;
        const double lower = start - std::floor(unused / 2) * step;  // centres the values
        return {start >= 0 ? std::max(lower, 0.0) : lower, step, std::max(0, -exponent)};
      }
    }
  }

  double share(double value) const { return (value - low) / (step * steps); }
  std::string label(int tick) const {
    const double value = low + tick * step;
    return decimals > 5 || step > 1e5 ? fmt::format("{:.3g}", value) : fmt::format("{:.{}f}", value, decimals);
  }
};

inline std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return escaped;
}

inline constexpr double width = 760, height = 440, left = 84, right = 676, top = 84, bottom = 376, inset = 24;

inline constexpr std::string_view head =
    R"(<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' height='{1}'>
<style>
  text {{ font: 13px system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: #52606d }}
  .title {{ font-size: 17px; font-weight: 600; fill: #1f2933 }}
  .middle {{ text-anchor: middle }} .end {{ text-anchor: end }}
  .grid {{ stroke: #e4e7eb }} .axis {{ stroke: #9aa5b1 }}
  g path {{ fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round }}
  g circle {{ stroke: #fff; stroke-width: 1.5 }}
  .loss path {{ stroke: #2b6cb0 }} .loss circle, text.loss {{ fill: #2b6cb0 }}
  .accuracy path {{ stroke: #d9620f }} .accuracy circle, text.accuracy {{ fill: #c2540a }}
</style>
<rect width='100%' height='100%' fill='#fff'/>
)";

inline double x_of(std::size_t epoch, std::size_t epochs) {
  if (epochs == 1) return (left + right) / 2;
  return left + inset + (right - left - 2 * inset) * static_cast<double>(epoch) / static_cast<double>(epochs - 1);
}
inline double y_of(double share) { return bottom - (bottom - top) * share; }

/// One line, with a dot an epoch if they are few; a gap where a value is not finite.
inline std::string series(std::string_view name, const Axis& axis, const std::vector<double>& values) {
  std::string path, dots;
  bool pen_down = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      pen_down = false;
      continue;
    }
    const double x = x_of(i, values.size()), y = y_of(axis.share(values[i]));
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x, y);
    pen_down = true;
    if (values.size() > 40) continue;  // dots would hide the line
    dots += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='4'><title>epoch {}: {:.4f}</title></circle>", x, y, i + 1,
                        values[i]);
  }
  return fmt::format("<g class='{}'><path d='{}'/>{}</g>\n", name, path, dots);
}

inline std::string text(double x, double y, std::string_view classes, std::string_view content, int turn = 0) {
  return fmt::format("<text x='{0:.1f}' y='{1:.1f}' class='{2}' transform='rotate({3} {0:.1f} {1:.1f})'>{4}</text>\n",
                     x, y, classes, turn, content);
}

}  // namespace detail

/// The learning curve as a self-contained SVG document: train loss on the left axis, test accuracy on the right one,
/// both over the epochs, their last values in the legend. Values that are not finite leave a gap. Throws
/// std::invalid_argument if there are no epochs.
inline std::string curve_svg(std::string_view title, std::span<const Epoch> epochs) {
  using namespace detail;
  if (epochs.empty()) throw std::invalid_argument("curve_svg: no epochs, expected at least one");
  std::vector<double> losses, accuracies;
  for (const Epoch& epoch : epochs) losses.push_back(epoch.train_loss), accuracies.push_back(epoch.test_accuracy);
  const Axis loss = Axis::over(losses), accuracy = Axis::over(accuracies, 1.0);

  std::string svg = fmt::format(head, width, height);
  svg += text(left, 34, "title", escape(title));
  for (int tick = 0; tick <= Axis::steps; ++tick) {
    const double y = y_of(static_cast<double>(tick) / Axis::steps);
    svg += fmt::format("<path class='{}' d='M{} {:.1f}H{}'/>\n", tick == 0 ? "axis" : "grid", left, y, right);
    svg += text(left - 10, y + 4.5, "loss end", loss.label(tick));
    svg += text(right + 10, y + 4.5, "accuracy", accuracy.label(tick));
  }
  std::size_t every = 1;  // 1, 2, 5, 10, 20, …: at most 15 labels
  for (int i = 0; epochs.size() / every > 15; ++i) every = i % 3 == 1 ? every * 5 / 2 : every * 2;
  for (std::size_t i = every - 1; i < epochs.size(); i += every) {
    const double x = x_of(i, epochs.size());
    svg += fmt::format("<path class='axis' d='M{:.1f} {}v5'/>\n", x, bottom);
    svg += text(x, bottom + 21, "middle", std::to_string(i + 1));
  }
  svg += text((left + right) / 2, height - 18, "middle", "epoch");
  svg += text(24, (top + bottom) / 2, "loss middle", "train loss", -90);
  svg += text(width - 24, (top + bottom) / 2, "accuracy middle", "test accuracy", 90);
  const auto legend = [&](double x, std::string_view name, std::string_view label, double last) {
    svg += fmt::format("<g class='{}'><path d='M{} 56h26'/><circle cx='{}' cy='56' r='4'/></g>\n", name, x, x + 13);
    svg += text(x + 34, 60.5, name, fmt::format("{} {:.4f}", label, last));
  };
  legend(left, "loss", "train loss", losses.back());
  legend(left + 190, "accuracy", "test accuracy", accuracies.back());
  return svg + series("loss", loss, losses) + series("accuracy", accuracy, accuracies) + "</svg>\n";
}

/// Writes `curve_svg` to a file. Throws std::runtime_error, naming the file, if it cannot be written.
inline void write_curve(const std::filesystem::path& path, std::string_view title, std::span<const Epoch> epochs) {
  std::ofstream file(path);
  file << curve_svg(title, epochs);
  if (!file.flush()) throw std::runtime_error(fmt::format("write_curve: {}: cannot be written", path.string()));
}

}  // namespace support
