#include <gradtape/report/chart.hpp>
#include <gradtape/report/markup.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0::report::detail {
namespace {

constexpr double width = 360, height = 216, top = 8, bottom = 34, right = 14;  // legible at the width of a phone
constexpr std::size_t most_points = 800;

/// One axis: from values to pixels.
struct Scale {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool log = false;
  double begin = 0, end = 0;  // in pixels

  bool shows(double value) const { return std::isfinite(value) && (!log || value > 0); }
  double on_axis(double value) const { return log ? std::log10(value) : value; }
  void include(double value) {
    if (!shows(value)) return;
    low = std::min(low, on_axis(value));
    high = std::max(high, on_axis(value));
  }
  /// Room around the values, so that there is an interval at all.
  void widen(double share) {
    if (low > high) low = 0, high = 1;
    if (low == high) {
      const double step = low == 0 || log ? 1 : std::abs(low) / 2;
      low -= step, high += step;
    }
    const double room = high / 2 - low / 2;  // halves, for their difference may overflow
    low -= share * room, high += share * room;
    low = std::max(low, std::numeric_limits<double>::lowest());
    high = std::min(high, std::numeric_limits<double>::max());
  }
  double at(double value) const {
    const double share = (on_axis(value) / 2 - low / 2) / (high / 2 - low / 2);
    return begin + share * (end - begin);
  }
};

struct Tick {
  double value;
  std::string text;
};

/// Multiples of 1, 2 or 5 times a power of ten, about `count` of them.
std::vector<Tick> linear_ticks(const Scale& scale, int count) {
  const double rough = (scale.high / 2 - scale.low / 2) / count * 2,
               power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
  std::vector<Tick> ticks;
  if (!(step > 0) || !std::isfinite(step)) return ticks;
  const double first = std::ceil(scale.low / step);
  for (int i = 0; i < 20 && (first + i) * step <= scale.high; ++i) {
    const double value = (first + i) * step;  // the same as the last one where the interval is as fine as doubles
    if (ticks.empty() || value > ticks.back().value) ticks.push_back({value, fmt::format("{:.6g}", value + 0.)});
  }
  return ticks;
}

/// Powers of ten, with 2 and 5 times them where there are few.
std::vector<Tick> log_ticks(const Scale& scale) {
  std::vector<Tick> ticks;
  const double decades = scale.high - scale.low, stride = std::max(1., std::ceil(decades / 6));
  for (double power = std::floor(scale.low); power <= scale.high; power += stride)
    for (const double factor : {1., 2., 5.}) {
      if (factor != 1 && decades > 2) continue;
      const double value = factor * std::pow(10, power), place = std::log10(value);
      if (place >= scale.low && place <= scale.high) ticks.push_back({value, fmt::format("{:g}", value)});
    }
  return ticks;
}

/// A long series in `runs` parts of equal length, each of which `take` adds to the result.
template <class F>
Series by_runs(const Series& series, std::size_t runs, F take) {
  Series out;
  const std::size_t n = series.values.size();
  for (std::size_t run = 0; run < runs; ++run) take(out, n * run / runs, n * (run + 1) / runs);
  return out;
}

/// The smallest and the largest value of each run: within how far a noisy series moves.
Series extremes(const Series& series) {
  return by_runs(series, most_points / 2, [&](Series& out, std::size_t begin, std::size_t end) {
    std::size_t least = begin, most = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!(series.values[i] >= series.values[least])) least = i;  // NaN, too, shows as a gap
      if (series.values[i] > series.values[most]) most = i;
    }
    for (const std::size_t i : {std::min(least, most), std::max(least, most)}) {
      out.steps.push_back(series.steps[i]);
      out.values.push_back(series.values[i]);
    }
  });
}

/// The mean of each run.
Series means(const Series& series) {
  return by_runs(series, most_points / 8, [&](Series& out, std::size_t begin, std::size_t end) {
    double step = 0, value = 0;
    for (std::size_t i = begin; i < end; ++i) step += series.steps[i], value += series.values[i];
    out.steps.push_back(step / static_cast<double>(end - begin));
    out.values.push_back(value / static_cast<double>(end - begin));
  });
}

/// A line through the points of a series, with gaps; a point between gaps is a dot.
std::string line(const Series& series, const Scale& x, const Scale& y, std::size_t index, const char* look = "") {
  std::string path, dots;
  std::size_t run = 0;  // points since the last gap
  double last_x = 0, last_y = 0;
  for (std::size_t i = 0; i <= series.values.size(); ++i) {
    if (i < series.values.size() && x.shows(series.steps[i]) && y.shows(series.values[i])) {
      last_x = x.at(series.steps[i]), last_y = y.at(series.values[i]);
      path += fmt::format("{}{:.1f} {:.1f}", run++ == 0 ? "M" : "L", last_x, last_y);
      continue;
    }
    if (run == 1)
      dots += fmt::format("<circle class=\"d{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>", index, last_x, last_y);
    run = 0;
  }
  return fmt::format("<path class=\"s{}{}\" d=\"{}\"/>{}", index, look, path, dots);
}

std::string curve(const Series& series, const Scale& x, const Scale& y, std::size_t index) {
  if (series.values.size() <= most_points) return line(series, x, y, index);
  return line(extremes(series), x, y, index, " faint") + line(means(series), x, y, index);
}

}  // namespace

std::string line_chart(const std::string& title, const std::vector<Series>& series, const ChartOptions& options) {
  Scale x, y;
  y.log = options.log_y;
  for (const Series& each : series)
    for (std::size_t i = 0; i < each.values.size(); ++i)
      if (x.shows(each.steps[i]) && y.shows(each.values[i])) x.include(each.steps[i]), y.include(each.values[i]);
  x.widen(0);
  y.widen(0.08);
  const std::vector<Tick> x_ticks = linear_ticks(x, 5), y_ticks = y.log ? log_ticks(y) : linear_ticks(y, 5);
  std::size_t digits = 1;
  for (const Tick& tick : y_ticks) digits = std::max(digits, tick.text.size());
  x.begin = 12 + 6.5 * static_cast<double>(digits), x.end = width - right;
  y.begin = height - bottom, y.end = top;

  std::string out = fmt::format("<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", width,
                                height, escaped(title));
  for (const Tick& tick : y_ticks)
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"end\" x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>",
        x.begin, x.end, y.at(tick.value), x.begin - 6, y.at(tick.value) + 3.5, tick.text);
  for (const Tick& tick : x_ticks)
    out += fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x.at(tick.value), y.begin + 14,
                       tick.text);
  out += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>", x.begin,
                     x.end, y.begin);
  out += fmt::format("<text class=\"end name\" x=\"{:.1f}\" y=\"{:.1f}\">{}{}</text>", x.end, height - 5,
                     escaped(options.x_label), y.log ? ", logarithmic scale" : "");
  for (std::size_t i = 0; i < series.size(); ++i) out += curve(series[i], x, y, i % 8);
  return out + "</svg>";
}

}  // namespace gradtape::inline v0::report::detail
