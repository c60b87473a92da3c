#include <algorithm>
#include <numeric>
#include <span>

#include "node.hpp"

namespace suite {
namespace {

using Dims = std::vector<std::int64_t>;

Dims dims_of(const gt::Tensor& x) { return {x.shape().begin(), x.shape().end()}; }

gt::Tensor reshaped(const gt::Tensor& x, const Dims& dims) { return gt::reshape(x, list_of<gt::NewShape>(dims)); }

/// Axis i of the result is axis order[i] of x.
gt::Tensor permuted(const gt::Tensor& x, const Dims& order) { return gt::permute(x, list_of<gt::IntegerList>(order)); }

gt::Tensor integers(const Dims& values) { return gt::tensor(std::span<const std::int64_t>(values), {values.size()}); }

/// 0 copies the dimension of the input, unless it is allowed to mean itself.
Outputs reshape(const Node& n) {
  const gt::Tensor x = n[0];
  Dims dims = n.integers(1);
  const bool allow_zero = n.flag("allowzero", false);
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (dims[i] == 0 && !allow_zero) dims[i] = x.shape()[static_cast<int>(i)];
  return reshaped(x, dims);
}

Outputs flatten(const Node& n) {
  const gt::Tensor x = n[0];
  const auto axis = n.axis(1) < 0 ? n.axis(1) + x.rank() : n.axis(1);
  const Dims dims = dims_of(x);
  const auto rows = std::accumulate(dims.begin(), dims.begin() + axis, std::int64_t{1}, std::multiplies{});
  const auto columns = std::accumulate(dims.begin() + axis, dims.end(), std::int64_t{1}, std::multiplies{});
  return gt::reshape(x, {rows, columns});
}

Outputs squeeze(const Node& n) { return gt::squeeze(n[0], n.has(1) ? list_of<gt::Axes>(n.integers(1)) : gt::Axes{}); }

/// Axes are those of the result.
Outputs unsqueeze(const Node& n) {
  gt::Tensor x = n[0];
  const Dims axes = n.integers(1);
  const int rank = x.rank() + static_cast<int>(axes.size());
  const unsigned mask = gt::axis_mask("Unsqueeze", list_of<gt::Axes>(axes), rank);
  for (int axis = 0; axis < rank; ++axis)
    if (mask >> axis & 1) x = gt::unsqueeze(x, axis);
  return x;
}

/// Both shapes stretch to a common one.
Outputs expand(const Node& n) {
  return gt::broadcast_to(n[0], gt::broadcast("Expand", n[0].shape(), gt::Shape(n.integers(1))));
}

Outputs transpose(const Node& n) {
  const gt::Tensor x = n[0];
  Dims order = n.list("perm");
  if (order.empty())
    for (int axis = x.rank(); axis-- > 0;) order.push_back(axis);
  return permuted(x, order);
}

Outputs shape(const Node& n) {
  const Dims dims = dims_of(n[0]);
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto at = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const std::int64_t begin = at(n.integer("start", 0)), end = at(n.integer("end", rank));
  return integers({dims.begin() + begin, dims.begin() + std::max(begin, end)});
}

Outputs slice(const Node& n) {
  gt::Tensor x = n[0];
  const Dims begins = n.integers(1), ends = n.integers(2), steps = n.has(4) ? n.integers(4) : Dims(begins.size(), 1);
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const int axis = static_cast<int>(n.has(3) ? n.integers(3)[i] : static_cast<std::int64_t>(i));
    x = gt::slice(x, {.axis = axis, .begin = begins[i], .end = ends[i], .step = steps[i]});
  }
  return x;
}

/// In as many parts as there are outputs, of sizes that are given or equal.
Outputs split(const Node& n) {
  const gt::Tensor x = n[0];
  const int axis = n.axis(0);
  const auto parts = static_cast<std::int64_t>(n.outputs());
  const Dims sizes = n.has(1) ? n.integers(1) : Dims(n.outputs(), (x.shape()[axis] + parts - 1) / parts);
  return gt::split(x, gt::Pieces(sizes), {axis});
}

Outputs concat(const Node& n) {
  std::vector<gt::Tensor> parts;
  for (std::size_t i = 0; i < n.size(); ++i) parts.push_back(n[i]);
  return gt::concatenate(parts, {.axis = n.axis(0)});
}

/// As many elements before each axis, then after each.
Outputs pad(const Node& n) {
  const Dims pads = n.integers(1);
  const std::string mode = n.text("mode", "constant");
  std::vector<gt::Padding> padding;
  for (std::size_t i = 0; i < pads.size() / 2; ++i) padding.push_back({pads[i], pads[i + pads.size() / 2]});
  const gt::PadMode how = mode == "edge"      ? gt::PadMode::replicate
                          : mode == "reflect" ? gt::PadMode::reflect
                                              : gt::PadMode::constant;
  return gt::pad(n[0], padding, {.mode = how, .value = n.has(2) ? n[2].item() : 0});
}

Outputs triangle(const Node& n) {
  const gt::TriangleOptions options{.diagonal = n.has(1) ? n.integers(1)[0] : 0};
  return n.flag("upper", true) ? gt::triu(n[0], options) : gt::tril(n[0], options);
}

Outputs depth_to_space(const Node& n) {
  const std::int64_t block = n.integer("blocksize", 1);
  const gt::Tensor x = n[0];
  const Dims d = dims_of(x);
  const std::int64_t channels = d[1] / (block * block);
  const gt::Tensor parts = n.text("mode", "DCR") == "DCR"
                               ? permuted(reshaped(x, {d[0], block, block, channels, d[2], d[3]}), {0, 3, 4, 1, 5, 2})
                               : permuted(reshaped(x, {d[0], channels, block, block, d[2], d[3]}), {0, 1, 4, 2, 5, 3});
  return reshaped(parts, {d[0], channels, d[2] * block, d[3] * block});
}

Outputs space_to_depth(const Node& n) {
  const std::int64_t block = n.integer("blocksize", 1);
  const gt::Tensor x = n[0];
  const Dims d = dims_of(x);
  const gt::Tensor parts = reshaped(x, {d[0], d[1], d[2] / block, block, d[3] / block, block});
  return reshaped(permuted(parts, {0, 3, 5, 1, 2, 4}), {d[0], d[1] * block * block, d[2] / block, d[3] / block});
}

}  // namespace

Table shapes() {
  return {
      {"Concat", concat},
      {"DepthToSpace", depth_to_space},
      {"Expand", expand},
      {"Flatten", flatten},
      {"Pad", pad},
      {"Reshape", reshape},
      {"Shape", shape},
      {"Size", unary([](auto x) { return gt::full({}, static_cast<double>(x.numel()), {.dtype = gt::i64}); })},
      {"Slice", slice},
      {"SpaceToDepth", space_to_depth},
      {"Split", split},
      {"Squeeze", squeeze},
      {"Tile", [](const Node& n) -> Outputs { return gt::tile(n[0], list_of<gt::IntegerList>(n.integers(1))); }},
      {"Transpose", transpose},
      {"Trilu", triangle},
      {"Unsqueeze", unsqueeze},
  };
}

}  // namespace suite
