#include <gradtape/report/drawing.hpp>
#include <gradtape/report/layout.hpp>
#include <gradtape/report/markup.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace gradtape::inline v0::report::detail {
namespace {

constexpr std::size_t most_boxes = 80, most_rows = 24, shown_rows = 11;  // at each end of a chain with more rows
constexpr int most_columns = 44;
constexpr double column = 6.7, row = 16, padding = 8;  // of 11 px monospace

/// A line in a box: an op and its shape, or what it reads, set back.
struct Row {
  std::string name, shape;
  bool is_op;
};

/// Ops of which each is read by the next alone.
struct Chain {
  std::vector<Row> rows;
  std::vector<std::size_t> inputs;
};

std::vector<std::size_t> ops_read(const Graph& graph, const GraphNode& node) {
  std::vector<std::size_t> ops;
  for (const std::size_t input : node.inputs)
    if (input != GraphNode::unknown && graph[input].kind == GraphKind::op && !std::ranges::count(ops, input))
      ops.push_back(input);
  return ops;
}

void append_rows(std::vector<Row>& rows, const Graph& graph, const GraphNode& node) {
  rows.push_back({node.name, to_string(node.shape), true});
  for (const std::size_t input : node.inputs)
    if (input != GraphNode::unknown && graph[input].kind != GraphKind::op)
      rows.push_back({graph[input].name, to_string(graph[input].shape), false});
}

std::vector<Chain> chains_of(const Graph& graph) {
  std::vector<std::size_t> readers(graph.size()), chain_of(graph.size());
  for (const GraphNode& node : graph)
    for (const std::size_t input : ops_read(graph, node)) ++readers[input];
  std::vector<Chain> chains;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    if (graph[i].kind != GraphKind::op) continue;
    const std::vector<std::size_t> inputs = ops_read(graph, graph[i]);
    if (inputs.size() == 1 && readers[inputs[0]] == 1) {
      chain_of[i] = chain_of[inputs[0]];
    } else {
      chain_of[i] = chains.size();
      chains.emplace_back();
      for (const std::size_t input : inputs)
        if (!std::ranges::count(chains.back().inputs, chain_of[input])) chains.back().inputs.push_back(chain_of[input]);
    }
    append_rows(chains[chain_of[i]].rows, graph, graph[i]);
  }
  return chains;
}

/// Leaves out the middle of a long chain.
void shorten(std::vector<Row>& rows) {
  if (rows.size() <= most_rows) return;
  const std::size_t cut = rows.size() - 2 * shown_rows;
  rows.erase(rows.begin() + shown_rows, rows.end() - shown_rows);
  rows.insert(rows.begin() + shown_rows, {fmt::format("… {} more lines …", cut), "", false});
}

int columns_of(const Row& line) {
  return std::min(columns(line.name), most_columns) + 2 + columns(line.shape) + (line.is_op ? 0 : 2);
}

std::string draw(const Box& box, const std::vector<Row>& rows) {
  const double left = box.x - box.width / 2, right = box.x + box.width / 2;
  std::string out = fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="4"/>)", left, box.y,
                                box.width, box.height);
  double y = box.y + padding + row - 4;
  for (const Row& line : rows) {
    out += fmt::format(R"(<text class="{0}" x="{1:.1f}" y="{2:.1f}">{3}</text>)"
                       R"(<text class="end {0}" x="{4:.1f}" y="{2:.1f}">{5}</text>)",
                       line.is_op ? "op" : "read", left + padding + (line.is_op ? 0 : 2 * column), y,
                       escaped(shortened(line.name, most_columns)), right - padding, escaped(line.shape));
    y += row;
  }
  return out;
}

std::string draw(const std::vector<Point>& route) {
  std::string path = fmt::format("M{:.1f} {:.1f}", route[0].x, route[0].y);
  for (std::size_t i = 1; i < route.size(); ++i) {
    const Point from = route[i - 1], to = route[i];
    if (from.x == to.x)
      path += fmt::format("V{:.1f}", to.y);
    else
      path += fmt::format("C{0:.1f} {1:.1f} {2:.1f} {1:.1f} {2:.1f} {3:.1f}", from.x, (from.y + to.y) / 2, to.x, to.y);
  }
  return fmt::format(R"svg(<path marker-end="url(#arrow)" d="{}"/>)svg", path);
}

}  // namespace

std::string drawing(const Graph& graph) {
  std::vector<Chain> chains = chains_of(graph);
  if (chains.empty() || chains.size() > most_boxes) return "";
  std::vector<Box> boxes;
  for (Chain& chain : chains) {
    shorten(chain.rows);
    int widest = 0;
    for (const Row& line : chain.rows) widest = std::max(widest, columns_of(line));
    boxes.push_back({.width = widest * column + 2 * padding,
                     .height = static_cast<double>(chain.rows.size()) * row + 2 * padding,
                     .inputs = chain.inputs});
  }
  const Layout layout = arrange(boxes);
  std::string out = fmt::format(
      R"(<svg class="graph" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}" role="img" )"
      R"(aria-label="graph of the model"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" )"
      R"(markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>)",
      layout.width, layout.height);
  for (const auto& route : layout.routes) out += draw(route);
  for (std::size_t i = 0; i < boxes.size(); ++i) out += draw(boxes[i], chains[i].rows);
  return out + "</svg>";
}

}  // namespace gradtape::inline v0::report::detail
