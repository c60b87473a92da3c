#include "node.hpp"

namespace suite {
namespace {

/// The axes are the second input, or an attribute; none means all, unless told otherwise.
template <class F>
Function reduction(F f) {
  return [f](const Node& n) -> Outputs {
    const std::vector<std::int64_t> axes = n.has(1) ? n.integers(1) : n.list("axes");
    const bool keepdims = n.flag("keepdims", true);
    if (n.flag("noop_with_empty_axes", false) && axes.empty()) return n[0];
    return f(n[0], gt::ReduceOptions{.axes = list_of<gt::Axes>(axes), .keepdims = keepdims});
  };
}

/// Over the axes of a picture, (n, channels, d…).
template <class F>
Function global(F f) {
  return [f](const Node& n) -> Outputs {
    gt::Axes axes;
    for (int axis = 2; axis < n[0].rank(); ++axis) axes.push_back(axis);
    return f(n[0], gt::ReduceOptions{.axes = axes, .keepdims = true});
  };
}

/// The first of the best elements, or the last: the first of the axis backwards.
template <class F>
Function best(F f) {
  return [f](const Node& n) -> Outputs {
    const int axis = n.axis(0);
    const gt::ArgmaxOptions options{.axis = axis, .keepdims = n.flag("keepdims", true)};
    if (!n.flag("select_last_index", false)) return f(n[0], options);
    return n[0].shape()[axis] - 1 - f(gt::flip(n[0], axis), options);
  };
}

}  // namespace

Table reductions() {
  return {
      {"ArgMax", best(gt::argmax)},
      {"ArgMin", best(gt::argmin)},
      {"GlobalAveragePool", global(gt::mean)},
      {"GlobalMaxPool", global(gt::max)},
      {"ReduceL1", reduction([](auto x, auto options) { return gt::sum(gt::abs(x), options); })},
      {"ReduceL2", reduction([](auto x, auto options) { return gt::sqrt(gt::sum(gt::square(x), options)); })},
      {"ReduceLogSum", reduction([](auto x, auto options) { return gt::log(gt::sum(x, options)); })},
      {"ReduceLogSumExp", reduction(gt::logsumexp)},
      {"ReduceMax", reduction(gt::max)},
      {"ReduceMean", reduction(gt::mean)},
      {"ReduceMin", reduction(gt::min)},
      {"ReduceProd", reduction(gt::prod)},
      {"ReduceSum", reduction(gt::sum)},
      {"ReduceSumSquare", reduction([](auto x, auto options) { return gt::sum(gt::square(x), options); })},
  };
}

}  // namespace suite
