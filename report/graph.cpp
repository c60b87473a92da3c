#include <gradtape/core/node.hpp>
#include <gradtape/core/print.hpp>
#include <gradtape/report/graph.hpp>

#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::report {
namespace {

/// Builds a graph; a value is found again by its node, or by where its elements are if it has none.
class Builder {
 public:
  explicit Builder(const GraphOptions& options) {
    for (const auto& [name, tensor] : options.names)
      if (tensor.defined()) names_.emplace(key(tensor), name);
  }

  void add(const Node& node) {
    std::vector<std::size_t> inputs;
    for (std::size_t i = 0; i < node.edges().size(); ++i)
      inputs.push_back(node.edges()[i] ? places_.at(node.edges()[i].get()) : constant(node.saved()[i]));
    add(&node, {.kind = node.is_leaf() ? GraphKind::parameter : GraphKind::op,
                .name = node.is_leaf() ? "parameter" : std::string(node.name()),
                .shape = node.shape,
                .dtype = node.dtype,
                .inputs = std::move(inputs)});
  }

  Graph graph;

 private:
  static const void* key(const Tensor& tensor) {
    if (tensor.node()) return tensor.node().get();
    return tensor.array().data();
  }

  std::size_t constant(const Array& value) {
    if (!value) return GraphNode::unknown;
    if (const auto at = places_.find(value.data()); at != places_.end() && graph[at->second].shape == value.shape())
      return at->second;
    const std::string name = value.numel() == 1 ? fmt::format("{:.6g}", Tensor(value).item()) : "constant";
    return add(value.data(), {GraphKind::constant, name, value.shape(), value.dtype(), {}});
  }

  std::size_t add(const void* of, GraphNode node) {
    if (const auto name = names_.find(of); name != names_.end() && node.kind != GraphKind::op)
      node.name = name->second, node.named = true;
    graph.push_back(std::move(node));
    return places_[of] = graph.size() - 1;
  }

  std::unordered_map<const void*, std::string> names_;
  std::unordered_map<const void*, std::size_t> places_;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string value_of(const GraphNode& node) {
  return fmt::format("{} {}", to_string(node.dtype), to_string(node.shape));
}

}  // namespace

Graph graph_of(const Tensor& result, const GraphOptions& options) {
  if (!result.requires_grad()) return {};
  Builder builder(options);
  for (const Node* node : gradtape::detail::tape_of(result)) builder.add(*node);
  return std::move(builder.graph);
}

std::string graph_string(const Tensor& result, const GraphOptions& options) {
  const Graph graph = graph_of(result, options);
  if (graph.empty()) return "no graph: this tensor depends on no parameter\n";
  std::string out;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    std::vector<std::string> inputs;
    for (const std::size_t input : graph[i].inputs)
      inputs.push_back(input == GraphNode::unknown ? "·"
                       : graph[input].named        ? graph[input].name
                                                   : fmt::format("#{}", input));
    const std::string call =
        graph[i].kind == GraphKind::op ? fmt::format("{}({})", graph[i].name, fmt::join(inputs, ", ")) : graph[i].name;
    out += fmt::format("{:<4} {:<44} {}\n", fmt::format("#{}", i), call, value_of(graph[i]));
  }
  return out;
}

std::string to_dot(const Tensor& result, const GraphOptions& options) {
  const Graph graph = graph_of(result, options);
  std::string out = "digraph gradtape {\n  node [shape=box, fontname=\"sans-serif\", fontsize=11];\n";
  for (std::size_t i = 0; i < graph.size(); ++i) {
    constexpr std::string_view looks[] = {", style=filled, fillcolor=\"#dce8f5\"", ", style=dashed", ", style=rounded"};
    out += fmt::format("  n{} [label=\"{}\\n{}\"{}];\n", i, escaped(graph[i].name), value_of(graph[i]),
                       looks[static_cast<std::size_t>(graph[i].kind)]);
    for (const std::size_t input : graph[i].inputs)
      if (input != GraphNode::unknown) out += fmt::format("  n{} -> n{};\n", input, i);
  }
  return out + "}\n";
}

}  // namespace gradtape::inline v0::report
