#include <gradtape/core/anomaly.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/node.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;  // of the finite elements
  std::int64_t finite = 0;
  std::int64_t bad = -1;  // where the first other element is, in row-major order
  double number = 0;      // and what
};

Range range_of(const Array& array) {
  const Array a = packed(array);
  Range range;
  with_type(a.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < a.numel(); ++i) {
      const double x = static_cast<double>(a.data<T>()[i]);
      if (std::isfinite(x))
        range.low = std::min(range.low, x), range.high = std::max(range.high, x), ++range.finite;
      else if (range.bad < 0)
        range.bad = i, range.number = x;
    }
  });
  return range;
}

std::string line(std::string_view what, const Array& a) {
  const Range range = range_of(a);
  std::string out = fmt::format("\n  {}: {} {}", what, to_string(a.dtype()), to_string(a.shape()));
  if (range.finite < a.numel()) out += fmt::format(", {} of {} not finite", a.numel() - range.finite, a.numel());
  if (range.finite > 0)
    out +=
        fmt::format(", {}from {:.6g} to {:.6g}", range.finite < a.numel() ? "the others " : "", range.low, range.high);
  return out;
}

std::string saved(const Node& node) {
  std::string out;
  const std::size_t last = node.saved().size() - 1;
  for (std::size_t i = 0; i <= last; ++i)
    if (const Array& a = node.saved()[i]) out += line(i == last ? "saved output" : fmt::format("saved input {}", i), a);
  return out;
}

[[noreturn]] void fail(std::string_view op, const std::string& what, const Array& array, const std::string& lines) {
  const Range range = range_of(array);
  const std::string number =
      std::isnan(range.number) ? "nan" : fmt::format("{}", range.number);  // whatever the sign of the nan
  throw AnomalyError(fmt::format("{}: the {} is not finite: {} at {}{}{}", op, what, number,
                                 index_string(array.shape(), range.bad), line(what, array), lines));
}

}  // namespace

bool detail::is_finite(const Array& array) { return range_of(array).bad < 0; }

void detail::check_value(std::string_view op, const Array& output, std::span<const Array* const> inputs) {
  if (is_finite(output) || !std::ranges::all_of(inputs, [](const Array* a) { return is_finite(*a); })) return;
  std::string lines;
  for (std::size_t i = 0; i < inputs.size(); ++i) lines += line(fmt::format("input {}", i), *inputs[i]);
  fail(op, "value", output, lines);
}

void detail::check_sum(const Node& node) {
  if (!is_finite(node.flight.array)) fail(node.name(), "sum of the gradients of the output", node.flight.array, {});
}

void detail::check_gradient(const Node& node, const Array& given, int input, const Array& gradient) {
  if (is_finite(gradient)) return;
  fail(node.name(), fmt::format("gradient of input {}", input), gradient,
       line("gradient of the output", given) + saved(node));
}

void detail::check_tangent(const Node& node, const Array& tangent) {
  if (is_finite(tangent)) return;
  std::string lines;
  for (std::size_t i = 0; i < node.edges().size(); ++i)
    if (node.edges()[i] && node.edges()[i]->flight.array)
      lines += line(fmt::format("tangent of input {}", i), node.edges()[i]->flight.array);
  fail(node.name(), "tangent of the output", tangent, lines + saved(node));
}

}  // namespace gradtape::inline v0
