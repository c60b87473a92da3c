#include <span>

#include "node.hpp"

namespace suite {
namespace {

/// The rows of x, or its elements if no axis is given, where the condition holds.
Outputs compress(const Node& n) {
  const gt::Tensor x = n[0];
  const std::vector<bool> condition = n[1].to_vector<bool>();
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < condition.size(); ++i)
    if (condition[i]) rows.push_back(static_cast<std::int64_t>(i));
  const gt::Tensor index = gt::tensor(std::span<const std::int64_t>(rows), {rows.size()});
  constexpr std::int64_t none = 1000;
  if (n.axis(none) == none) return gt::take(gt::reshape(x, {-1}), index);
  return gt::take(x, index, {.axis = n.axis(0)});
}

/// Indices of an axis of n elements; negative ones count from its end.
gt::Tensor counted(const gt::Tensor& index, std::int64_t size) {
  const gt::Tensor i = index.to(gt::i64);
  return gt::where(i < 0, i + size, i);
}

Outputs gather(const Node& n) {
  const gt::Tensor x = n[0];
  return gt::take(x, counted(n[1], x.shape()[n.axis(0)]), {.axis = n.axis(0)});
}

Outputs gather_elements(const Node& n) {
  const gt::Tensor x = n[0];
  return gt::gather(x, n.axis(0), counted(n[1], x.shape()[n.axis(0)]));
}

/// What is written into x takes the place of what was there, or is added to it.
Outputs scatter_elements(const Node& n) {
  const gt::Tensor x = n[0], index = counted(n[1], x.shape()[n.axis(0)]), updates = n[2];
  if (n.text("reduction", "none") == "add") return gt::scatter_add(x, n.axis(0), index, updates);
  const gt::Tensor written = gt::scatter_add(gt::zeros_like(x), n.axis(0), index, gt::ones_like(updates));
  return gt::scatter_add(gt::where(written > 0, 0, x), n.axis(0), index, updates);
}

/// An axis of x for each component of the indices, whose last axis runs over them.
Outputs gather_nd(const Node& n) {
  if (n.integer("batch_dims", 0) != 0) throw Skip{"axes of a batch"};
  const gt::Tensor x = n[0], index = n[1];
  const std::int64_t axes = index.shape()[-1];
  gt::Tensor flat = gt::zeros({}, {.dtype = gt::i64});
  gt::NewShape rows{-1};
  for (int axis = 0; axis < axes; ++axis) {
    const std::int64_t size = x.shape()[axis];
    flat = flat * size + counted(gt::take(index, gt::full({}, axis, {.dtype = gt::i64}), {.axis = -1}), size);
  }
  for (int axis = static_cast<int>(axes); axis < x.rank(); ++axis) rows.push_back(x.shape()[axis]);
  return gt::take(gt::reshape(x, rows), flat);
}

Outputs topk(const Node& n) {
  const gt::TopkResult best =
      gt::topk(n[0], n.integers(1)[0],
               {.axis = n.axis(-1), .largest = n.flag("largest", true), .sorted = n.flag("sorted", true)});
  return std::vector{best.values, best.indices};
}

/// The running sum, which may leave out the element itself, and may run backwards.
Outputs cumsum(const Node& n) {
  const int axis = static_cast<int>(n.integers(1)[0]);
  const bool reverse = n.flag("reverse", false), exclusive = n.flag("exclusive", false);
  const gt::Tensor x = reverse ? gt::flip(n[0], axis) : n[0];
  const gt::Tensor sums = exclusive ? gt::cumsum(x, {axis}) - x : gt::cumsum(x, {axis});
  return reverse ? gt::flip(sums, axis) : sums;
}

/// Indices from -depth to depth - 1 choose the second of two values, in a new axis.
Outputs one_hot(const Node& n) {
  const auto depth = n[1].item<std::int64_t>();
  const gt::Tensor index = n[0].to(gt::i64), values = n[2];
  const gt::Tensor hot = gt::one_hot(counted(index, depth), depth);
  return gt::where(gt::moveaxis(hot, -1, n.axis(-1)) != 0, values[1], values[0]);
}

}  // namespace

Table indexing() {
  return {
      {"Compress", compress},
      {"CumSum", cumsum},
      {"Gather", gather},
      {"GatherElements", gather_elements},
      {"GatherND", gather_nd},
      {"OneHot", one_hot},
      {"Scatter", scatter_elements},
      {"ScatterElements", scatter_elements},
      {"TopK", topk},
  };
}

}  // namespace suite
