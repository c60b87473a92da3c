#include <algorithm>
#include <limits>

#include "value.hpp"

namespace gradtape::inline v0::onnx_export {
namespace {

using Values = std::vector<Value>;
using Integers = std::vector<std::int64_t>;

Value transpose(const Values& x, const Step& step) {
  Integers order = step.lists.at("order");
  order.resize(static_cast<std::size_t>(step.output.rank()));
  return x[0].transposed(order);
}

Value sliced(const Value& x, const Integers& starts, const Integers& ends, const Integers& steps) {
  Integers axes;
  for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  Graph& g = x.graph;
  return x.with("Slice", {g.integers(starts), g.integers(ends), g.integers(axes), g.integers(steps)});
}

/// Before the first element, where -1 would be the last.
constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();

Value slice(const Values& x, const Step& step) {
  const auto rank = static_cast<std::size_t>(step.inputs[0].rank());
  Integers starts = step.lists.at("begin"), steps = step.lists.at("step"), ends, kept;
  starts.resize(rank), steps.resize(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t end = starts[axis] + steps[axis] * step.lists.at("count")[axis];
    ends.push_back(end < 0 ? before_all : end);
    kept.push_back(step.lists.at("count")[axis]);
  }
  const Value part = sliced(x[0], starts, ends, steps);
  return Shape(kept) == step.output.shape() ? part : part.reshaped(step.output.shape());
}

Value flip(const Values& x, const Step& step) {
  Integers starts, ends, steps = step.lists.at("step");
  steps.resize(static_cast<std::size_t>(step.output.rank()));
  for (const std::int64_t along : steps) {
    starts.push_back(along < 0 ? -1 : 0);
    ends.push_back(along < 0 ? before_all : std::numeric_limits<std::int64_t>::max());
  }
  return sliced(x[0], starts, ends, steps);
}

/// A reduction over axes that stand in an attribute, or in an input.
template <bool Input>
Value reduced(const char* type, const Values& x, const Step& step) {
  const Integers& axes = step.lists.at("axes");
  const auto keepdims = static_cast<std::int64_t>(step.numbers.at("keepdims"));
  if constexpr (Input)
    return x[0].with(type, {x[0].graph.integers(axes)}, {{"keepdims", keepdims}});
  else
    return x[0].to(type, {{"axes", axes}, {"keepdims", keepdims}});
}

std::int64_t axis_of(const Step& step) { return static_cast<std::int64_t>(step.numbers.at("axis")); }

}  // namespace

Table shapes() {
  return {
      {"transpose", transpose},
      {"slice", slice},
      {"flip", flip},
      {"reshape", [](const Values& x, const Step& step) { return x[0].reshaped(step.output.shape()); }},
      {"contiguous", [](const Values& x, const Step&) { return x[0]; }},
      {"broadcast_to",
       [](const Values& x, const Step& step) {
         const Shape& shape = step.output.shape();
         return x[0].with("Expand", {x[0].graph.integers({shape.begin(), shape.end()})});
       }},
      {"concatenate",
       [](const Values& x, const Step& step) {
         std::vector<std::string> others;
         for (std::size_t i = 1; i < x.size(); ++i) others.push_back(x[i].name);
         return x[0].with("Concat", others, {{"axis", axis_of(step)}});
       }},
      {"gather",
       [](const Values& x, const Step& step) {
         return x[0].with("GatherElements", {x[1].name}, {{"axis", axis_of(step)}});
       }},
      {"sum", [](const Values& x, const Step& step) { return reduced<true>("ReduceSum", x, step); }},
      {"prod", [](const Values& x, const Step& step) { return reduced<false>("ReduceProd", x, step); }},
      {"max", [](const Values& x, const Step& step) { return reduced<false>("ReduceMax", x, step); }},
      {"min", [](const Values& x, const Step& step) { return reduced<false>("ReduceMin", x, step); }},
      {"argmax",
       [](const Values& x, const Step& step) {
         return x[0].to("ArgMax", {{"axis", axis_of(step)}});
       }},
      {"argmin",
       [](const Values& x, const Step& step) {
         return x[0].to("ArgMin", {{"axis", axis_of(step)}});
       }},
  };
}

}  // namespace gradtape::inline v0::onnx_export
