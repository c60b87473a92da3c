#include <gradtape/core/error.hpp>
#include <gradtape/io/atomic_file.hpp>
#include <gradtape/report/detail.hpp>
#include <gradtape/report/drawing.hpp>
#include <gradtape/report/markup.hpp>
#include <gradtape/report/report.hpp>
#include <gradtape/report/style.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace gradtape::inline v0::report {
namespace {

using detail::escaped;

void put(std::vector<std::pair<std::string, double>>& figures, std::string_view name, double value) {
  const auto at = std::ranges::find(figures, name, &std::pair<std::string, double>::first);
  if (at == figures.end())
    figures.emplace_back(name, value);
  else
    at->second = value;
}

std::string section(std::string_view title, std::string_view content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}\n</section>\n", escaped(title), content);
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

std::string table_row(std::string_view tag, const std::vector<std::string>& cells, const std::vector<bool>& numbers) {
  std::string out = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i)
    out += fmt::format("<{0}{1}>{2}</{0}>", tag, numbers[i] ? " class=\"number\"" : "", escaped(cells[i]));
  return out + "</tr>\n";
}

/// Columns of numbers are set to the right; `total` is a last row.
std::string table_of(const std::vector<std::vector<std::string>>& rows, const std::vector<std::string>& total = {}) {
  if (rows.empty()) return "";
  std::vector<bool> numbers(rows[0].size(), rows.size() > 1);
  for (std::size_t i = 1; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j) numbers[j] = numbers[j] && is_number(rows[i][j]);
  std::string out = "<div class=\"wide\"><table>\n<thead>" + table_row("th", rows[0], numbers) + "</thead>\n<tbody>\n";
  for (std::size_t i = 1; i < rows.size(); ++i) out += table_row("td", rows[i], numbers);
  out += "</tbody>\n";
  if (!total.empty()) out += "<tfoot>" + table_row("td", total, numbers) + "</tfoot>\n";
  return out + "</table></div>";
}

std::string legend(const std::vector<detail::Series>& series) {
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < series.size(); ++i)
    out += fmt::format(
        R"(<li><svg viewBox="0 0 24 10" aria-hidden="true"><path class="s{}" d="M1 5H23"/></svg>{}<b>{:.4g}</b></li>)",
        i % 8, escaped(series[i].name), series[i].values.back());
  return out + "</ul>";
}

}  // namespace

Report::Report(std::string title) : title_(std::move(title)), begun_(detail::seconds()) {}

Report::Chart& Report::chart_of(std::string_view name) {
  if (const auto at = std::ranges::find(charts_, name, &Chart::name); at != charts_.end()) return *at;
  return charts_.emplace_back(Chart{std::string(name), {}, {}});
}

void Report::log(std::string_view curve, double step, const Operand& value) {
  const std::size_t slash = curve.find('/');
  Chart& chart = chart_of(curve.substr(0, slash));
  const std::string_view name = slash == std::string_view::npos ? curve : curve.substr(slash + 1);
  auto at = std::ranges::find(chart.series, name, &detail::Series::name);
  if (at == chart.series.end()) at = chart.series.insert(at, {std::string(name), {}, {}});
  at->steps.push_back(step);
  at->values.push_back(detail::number_of(value));
}

void Report::chart(std::string_view name, ChartOptions options) { chart_of(name).options = std::move(options); }

void Report::metric(std::string_view name, const Operand& value) { put(metrics_, name, detail::number_of(value)); }

void Report::note(std::string text) { notes_.push_back(std::move(text)); }

void Report::graph(const Tensor& result, const GraphOptions& options) { graph_ = graph_of(result, options); }

void Report::model(const nn::Module& module) {
  modules_ = nn::to_string(module);
  weights_.clear();
  for (const auto& [name, tensor] : module.named_parameters())
    weights_.push_back({name, tensor.shape(), tensor.dtype()});
}

void Report::table(std::string title, std::vector<std::vector<std::string>> rows) {
  for (const auto& row : rows)
    if (row.size() != rows[0].size())
      throw ShapeError(fmt::format("Report::table: a row of {} cells under {} columns", row.size(), rows[0].size()));
  tables_.push_back({std::move(title), std::move(rows)});
}

void Report::time(std::string_view part, double seconds) { put(times_, part, seconds); }

Report::Figures Report::figures() const {
  if (!metrics_.empty()) return metrics_;
  Figures last;
  for (const Chart& chart : charts_)
    for (const detail::Series& series : chart.series)
      last.emplace_back(series.name == chart.name ? chart.name : chart.name + ", " + series.name, series.values.back());
  return last;
}

std::string Report::graph_section() const {
  if (graph_.empty()) return "";
  const std::string drawn = detail::drawing(graph_);
  return section("Graph", drawn.empty() ? fmt::format("<p>The graph has {} nodes, too many to draw.</p>", graph_.size())
                                        : "<div class=\"wide\">" + drawn + "</div>");
}

std::string Report::model_section() const {
  if (modules_.empty()) return "";
  std::vector<std::vector<std::string>> rows{{"name", "shape", "dtype", "count"}};
  std::int64_t all = 0;
  for (const Weight& weight : weights_) {
    rows.push_back({weight.name, to_string(weight.shape), std::string(to_string(weight.dtype)),
                    fmt::format("{}", weight.shape.numel())});
    all += weight.shape.numel();
  }
  return section("Model", "<pre>" + escaped(modules_) + "</pre>") +
         section("Parameters", table_of(rows, {"all", "", "", fmt::format("{}", all)}));
}

std::string Report::times_section() const {
  std::vector<std::vector<std::string>> rows{{"part", "seconds"}};
  for (const auto& [part, time] : times_) rows.push_back({part, fmt::format("{:.2f}", time)});
  return section("Times", table_of(rows, {"since the start", fmt::format("{:.2f}", detail::seconds() - begun_)}));
}

std::string Report::html() const {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{1}</style>\n</head>\n<body>\n"
      "<header>\n<h1>{0}</h1>\n<p>{2:%Y-%m-%d %H:%M} UTC</p>\n</header>\n",
      escaped(title_), detail::style, fmt::gmtime(std::time(nullptr)));
  for (const std::string& note : notes_) out += "<p>" + escaped(note) + "</p>\n";
  if (const Figures figures = this->figures(); !figures.empty()) {
    out += "<dl class=\"figures\">\n";
    for (const auto& [name, value] : figures)
      out += fmt::format("<div><dt>{}</dt><dd>{:.4g}</dd></div>\n", escaped(name), value);
    out += "</dl>\n";
  }
  std::string charts;
  for (const Chart& chart : charts_)
    if (!chart.series.empty())
      charts += fmt::format("<figure><figcaption>{}</figcaption>{}{}</figure>\n", escaped(chart.name),
                            detail::line_chart(chart.name, chart.series, chart.options), legend(chart.series));
  if (!charts.empty()) out += section("Curves", "<div class=\"charts\">\n" + charts + "</div>");
  for (const Table& table : tables_) out += section(table.title, table_of(table.rows));
  return out + graph_section() + model_section() + times_section() + "</body>\n</html>\n";
}

void Report::write(const std::string& path) const {
  const std::string text = html();
  io::AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace gradtape::inline v0::report
