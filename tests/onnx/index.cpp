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
  const gt::TransposeOptions first{.axis0 = n.axis(0), .axis1 = 0};
  return gt::transpose(gt::take(gt::transpose(x, first), index), first);
}

/// Indices from -depth to depth - 1 choose the second of two values, in a new axis.
Outputs one_hot(const Node& n) {
  const auto depth = n[1].item<std::int64_t>();
  const gt::Tensor index = n[0].to(gt::i64), values = n[2];
  const gt::Tensor last = gt::one_hot(gt::where(index < 0, index + depth, index), depth);
  const int axis = gt::normalize_axis("OneHot", n.axis(-1), last.rank());
  gt::Tensor moved = last;
  for (int i = last.rank() - 1; i > axis; --i) moved = gt::transpose(moved, {.axis0 = i - 1, .axis1 = i});
  return gt::where(moved != 0, values[1], values[0]);
}

}  // namespace

Table indexing() {
  return {
      {"Compress", compress},
      {"OneHot", one_hot},
  };
}

}  // namespace suite
