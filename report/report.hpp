#pragma once

#include <gradtape/core/tensor.hpp>
#include <gradtape/nn/module.hpp>
#include <gradtape/report/chart.hpp>
#include <gradtape/report/graph.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradtape::inline v0::report {

/// What a run leaves behind: one HTML file that needs no network, with curves, final figures, the graph of the model,
/// its parameters and times. Legible on a phone, in the dark and on paper.
///   Report run("Fashion-MNIST");
///   run.log("loss/train", step, loss);            // the curve "train" of the chart "loss"
///   run.graph(loss, {.names = net.named_parameters()});
///   run.model(net);
///   run.write("report.html");
class Report {
 public:
  /// Begins a run; its clock starts.
  explicit Report(std::string title);

  /// Adds a point to a curve. Curves "chart/curve" with one chart stand in one pair of axes. A tensor has one element.
  void log(std::string_view curve, double step, const Operand& value);
  /// Sets the look of a chart, by its name.
  void chart(std::string_view name, ChartOptions options);
  /// Sets a final figure. Without any, the last value of each curve takes its place.
  void metric(std::string_view name, const Operand& value);
  /// Adds a paragraph under the title.
  void note(std::string text);
  /// Draws what a recorded tensor was computed from. After a sweep the tape knows no constants any more, such as the
  /// network's input.
  void graph(const Tensor& result, const GraphOptions& options = {});
  /// Lists the modules and parameters of a model.
  void model(const nn::Module& module);
  /// Adds a table; the first row names the columns. Throws ShapeError unless all rows are as long as it.
  void table(std::string title, std::vector<std::vector<std::string>> rows);
  /// Sets how long a part of the run took, in seconds.
  void time(std::string_view part, double seconds);

  /// The report so far as one HTML document.
  std::string html() const;
  /// Writes that to a file. Throws FileError.
  void write(const std::string& path) const;

 private:
  struct Chart {
    std::string name;
    ChartOptions options;
    std::vector<detail::Series> series;
  };
  struct Weight {
    std::string name;
    Shape shape;
    Dtype dtype;
  };
  struct Table {
    std::string title;
    std::vector<std::vector<std::string>> rows;
  };
  using Figures = std::vector<std::pair<std::string, double>>;

  Chart& chart_of(std::string_view name);
  Figures figures() const;
  std::string graph_section() const;
  std::string model_section() const;
  std::string times_section() const;

  std::string title_;
  double begun_;
  std::vector<std::string> notes_;
  std::vector<Chart> charts_;
  Figures metrics_, times_;
  Graph graph_;
  std::string modules_;
  std::vector<Weight> weights_;
  std::vector<Table> tables_;
};

}  // namespace gradtape::inline v0::report
