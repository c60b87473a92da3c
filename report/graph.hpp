#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace gradtape::inline v0::report {

/// Options of `graph_of`, `graph_string` and `to_dot`.
struct GraphOptions {
  /// What to call parameters and inputs: `net.named_parameters()`, and what else is worth a name.
  std::vector<std::pair<std::string, Tensor>> names = {};
};

/// What a node of a graph stands for.
enum class GraphKind {
  parameter,  ///< a leaf
  constant,   ///< a value that needs no gradient, as far as an op has saved it
  op          ///< a recorded op
};

/// A node of the graph behind a tensor.
struct GraphNode {
  static constexpr std::size_t unknown = static_cast<std::size_t>(-1);  ///< an input of which the tape knows nothing

  GraphKind kind;    ///< leaf, constant or op
  std::string name;  ///< what the options call it, else its op, "parameter", or "constant", a single number itself
  Shape shape;       ///< of its value
  Dtype dtype;       ///< of its value
  std::vector<std::size_t> inputs;  ///< places of its inputs in the graph, or `unknown`
  bool named = false;               ///< the options have a name for it
};

/// Inputs stand before what reads them; the result is last.
using Graph = std::vector<GraphNode>;

/// What the tape knows of how `result` was computed; empty for a tensor that depends on no parameter.
Graph graph_of(const Tensor& result, const GraphOptions& options = {});

/// The graph behind `result`, oldest first, one line a node: number, op and inputs, dtype and shape.
std::string graph_string(const Tensor& result, const GraphOptions& options = {});

/// The same in the language of Graphviz: `dot -Tsvg`.
std::string to_dot(const Tensor& result, const GraphOptions& options = {});

}  // namespace gradtape::inline v0::report
