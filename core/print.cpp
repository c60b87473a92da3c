#include <gradtape/core/print.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <ranges>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0 {
namespace {

constexpr std::int64_t whole_up_to = 1000;  // elements; a longer tensor shows the ends of its axes only
constexpr std::int64_t edge = 3;

template <class T>
std::string element(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return value ? "true" : "false";
  else if constexpr (std::is_floating_point_v<T>)
    return fmt::format("{:.6g}", value);
  else
    return fmt::format("{}", value);
}

template <class T>
void append(std::string& out, const Array& a, const T* data, int axis, bool cut) {
  if (axis == a.rank()) {
    out += element(*data);
    return;
  }
  const std::int64_t n = a.shape()[axis], step = a.strides()[static_cast<std::size_t>(axis)];
  out += '[';
  for (std::int64_t i = 0; i < n; ++i) {
    if (i > 0) out += axis + 1 == a.rank() ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis) + 1, ' ');
    if (cut && n > 2 * edge && i == edge) {
      out += "…";
      i = n - edge - 1;
      continue;
    }
    append(out, a, data + i * step, axis + 1, cut);
  }
  out += ']';
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "(empty Tensor)";
  const Array& a = tensor.array();
  std::string out;
  with_type(a.dtype(),
            [&]<class T>(std::type_identity<T>) { append(out, a, a.data<T>(), 0, a.numel() > whole_up_to); });
  return fmt::format("{}  {} {}", out, to_string(a.dtype()), to_string(a.shape()));
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

std::vector<const Node*> detail::tape_of(const Tensor& result) {
  std::vector<const Node*> nodes, work{result.node().get()};
  std::unordered_set<const Node*> seen{work.back()};
  while (!work.empty()) {
    nodes.push_back(work.back());
    work.pop_back();
    for (const auto& input : nodes.back()->edges())
      if (input && seen.insert(input.get()).second) work.push_back(input.get());
  }
  std::ranges::sort(nodes, {}, &Node::id);
  return nodes;
}

std::string tape_string(const Tensor& result) {
  if (!result.requires_grad()) return "no tape: this tensor depends on no parameter\n";
  const std::vector<const Node*> nodes = detail::tape_of(result);
  std::unordered_map<const Node*, std::size_t> number;
  for (const Node* node : nodes) number.emplace(node, number.size());
  std::string out;
  for (const Node* node : std::views::reverse(nodes)) {
    std::vector<std::string> inputs, saved;
    for (const auto& input : node->edges()) inputs.push_back(input ? fmt::format("#{}", number[input.get()]) : "·");
    for (std::size_t i = 0; i < node->saved().size(); ++i)
      if (const Array& a = node->saved()[i])
        saved.push_back(fmt::format("{} {}", i + 1 == node->saved().size() ? "output" : fmt::format("input {}", i),
                                    to_string(a.shape())));
    const std::string call = node->is_leaf() ? "leaf" : fmt::format("{}({})", node->name(), fmt::join(inputs, ", "));
    const std::string keeps = node->is_leaf()  ? ""
                              : node->released ? "released"
                              : saved.empty()  ? "saves nothing"
                                               : fmt::format("saves {}", fmt::join(saved, ", "));
    std::string line = fmt::format("{:<4} {:<28} {} {:<12} {}", fmt::format("#{}", number[node]), call,
                                   to_string(node->dtype), to_string(node->shape), keeps);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

void print_tape(const Tensor& result) { fmt::print("{}", tape_string(result)); }

}  // namespace gradtape::inline v0

// Compiled here, so that a user's program needs <fmt/core.h> only.
fmt::format_context::iterator fmt::formatter<gradtape::Tensor>::format(const gradtape::Tensor& tensor,
                                                                       fmt::format_context& context) const {
  return fmt::format_to(context.out(), "{}", gradtape::to_string(tensor));
}
