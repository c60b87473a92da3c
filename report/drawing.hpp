#pragma once

#include <gradtape/report/graph.hpp>

#include <string>

namespace gradtape::inline v0::report::detail {

/// A graph as an <svg> of its own size: a box for each chain of ops, a row for each op with its shape and the
/// parameters that it reads. Empty for a graph that has too many chains to be legible.
std::string drawing(const Graph& graph);

}  // namespace gradtape::inline v0::report::detail
