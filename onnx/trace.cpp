#include "trace.hpp"

#include <algorithm>

namespace gradtape::inline v0::onnx_export {
namespace {

struct Reader : AttributeVisitor {
  explicit Reader(Step& step) : to(step) {}
  Step& to;
  void operator()(std::string_view name, double value) override { to.numbers.emplace(name, value); }
  void operator()(std::string_view name, std::span<const std::int64_t> values) override {
    to.lists.emplace(name, std::vector(values.begin(), values.end()));
  }
};

}  // namespace

void Trace::called(const Call& call) {
  if (depends(call.output)) return;  // an op that gave its input back
  if (std::ranges::none_of(call.inputs, [&](const Array* x) { return depends(*x); })) return;
  Step step{.op = std::string(call.op), .inputs = {}, .output = call.output, .numbers = {}, .lists = {}};
  for (const Array* x : call.inputs) step.inputs.push_back(*x);
  Reader reader(step);
  call.attributes(reader);
  dependent_.insert(call.output.identity());
  steps_.push_back(std::move(step));
}

void Trace::finish(const Array& output) {
  std::set<const void*> needed{output.identity()};
  std::vector<Step> kept;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (!needed.contains(step->output.identity())) continue;
    for (const Array& x : step->inputs) needed.insert(x.identity());
    kept.push_back(std::move(*step));
  }
  std::ranges::reverse(kept);
  steps_ = std::move(kept);
}

}  // namespace gradtape::inline v0::onnx_export
