#include <gradtape/report/detail.hpp>
#include <gradtape/report/markup.hpp>
#include <gradtape/report/progress.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace gradtape::inline v0::report {
namespace {

constexpr double live_interval = 0.1;
constexpr int bar_columns = 24, least_bar = 8;

bool is_terminal(std::FILE* out) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(out)) != 0 && term && *term && std::string_view(term) != "dumb";
}

/// Of the terminal at this moment: its window may change.
int columns_of(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }  // would break the line

/// Cuts `text` to so many columns.
void cut(std::string& text, int most) {
  if (detail::columns(text) <= most) return;
  std::size_t end = 0;
  for (int n = 0; end < text.size(); ++end)
    if (detail::starts_character(text[end]) && n++ == std::max(most - 1, 0)) break;
  text.resize(end);
  text += "…";
}

auto append(std::string& text) { return std::back_inserter(text); }

void append_time(std::string& text, double time) {
  const auto whole = static_cast<std::int64_t>(std::min(time, 1e9) + 0.5);
  if (whole >= 3600)
    fmt::format_to(append(text), "{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  else
    fmt::format_to(append(text), "{}:{:02}", whole / 60, whole % 60);
}

void append_bar(std::string& text, double done, int columns) {
  const int full = static_cast<int>(std::clamp(done, 0., 1.) * columns);
  for (int i = 0; i < columns; ++i) text += i < full ? "━" : "╌";
}

}  // namespace

ProgressLine::ProgressLine(std::int64_t steps, const ProgressOptions& options)
    : steps_(steps), label_(options.label), out_(options.out ? options.out : stderr), live_(is_terminal(out_)) {
  interval_ = live_ ? live_interval : options.every > 0 ? options.every : HUGE_VAL;
  line_.reserve(1024);
  rest_.reserve(1024);
}

void ProgressLine::set(std::string_view name, const Operand& value) {
  const double number = detail::number_of(value);
  if (const auto at = std::ranges::find(entries_, name, &Entry::name); at != entries_.end())
    at->value = number;
  else
    entries_.push_back({std::string(name), number});
}

void ProgressLine::start(std::int64_t steps) {
  finish();
  steps_ = steps;
  start();
}

void ProgressLine::start() {
  finish();
  entries_.clear();
  step_ = 0;
  started_ = detail::seconds();
  written_ = live_ ? started_ - live_interval : started_;
  running_ = true;
}

void ProgressLine::step() {
  ++step_;
  if (const double now = detail::seconds(); now - written_ >= interval_) write(now, false);
}

void ProgressLine::finish() {
  if (!running_) return;
  running_ = false;
  write(detail::seconds(), true);
}

void ProgressLine::write(double now, bool last) {
  written_ = now;
  compose(now, last);
  if (live_) line_.insert(0, 1, '\r').append("\x1b[K");  // the latter erases what is left of a longer line
  if (last || !live_) line_ += '\n';
  std::fwrite(line_.data(), 1, line_.size(), out_);
  std::fflush(out_);
}

void ProgressLine::compose(double now, bool last) {
  const double time = std::max(now - started_, 1e-9), rate = static_cast<double>(step_) / time;
  rest_.clear();
  for (const Entry& entry : entries_) fmt::format_to(append(rest_), "  {} {:<6.4g}", entry.name, entry.value);
  fmt::format_to(append(rest_), "  {:.{}f} steps/s  ", rate, rate < 10 ? 2 : rate < 100 ? 1 : 0);
  if (last || steps_ < 0) {
    append_time(rest_, time);
  } else {
    append_time(rest_, static_cast<double>(std::max<std::int64_t>(steps_ - step_, 0)) / rate);
    rest_ += " left";
  }

  line_.assign(label_).append(label_.empty() ? "" : "  ");
  if (steps_ < 0)
    fmt::format_to(append(line_), "{}", step_);
  else
    fmt::format_to(append(line_), "{:>{}}/{}", step_, fmt::formatted_size("{}", steps_), steps_);
  const int columns = live_ ? columns_of(out_) - 1 : 0;  // in its last column a terminal may begin a new line
  const int room = std::min(columns - detail::columns(line_) - detail::columns(rest_) - 2, bar_columns);
  if (!last && steps_ > 0 && room >= least_bar) {
    line_ += "  ";
    append_bar(line_, static_cast<double>(step_) / static_cast<double>(steps_), room);
  }
  line_ += rest_;
  std::ranges::replace_if(line_, is_control, ' ');
  if (live_) cut(line_, columns);
}

}  // namespace gradtape::inline v0::report
