#include "export.hpp"

#include <gradtape/core/error.hpp>
#include <gradtape/io/atomic_file.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include "value.hpp"
#include <fmt/format.h>
#include <onnx/checker.h>

namespace gradtape::inline v0 {
namespace onnx_export {
namespace {

using Names = std::map<const void*, std::string>;

constexpr int opset = 17;
constexpr int ir_version = 8;  // the one that came with this opset

const Table& table() {
  static const Table all = [] {
    Table merged;
    for (Table part : {elementwise(), shapes(), layers(), fused()}) merged.merge(part);
    return merged;
  }();
  return all;
}

Names names_of(const nn::Module& module) {
  Names names;
  for (const auto& [name, tensor] : module.named_parameters()) names.emplace(tensor.array().identity(), name);
  for (const auto& [name, tensor] : module.named_buffers()) names.emplace(tensor.array().identity(), name);
  return names;
}

/// Throws ValueError that says which call cannot be exported: its place, and what it takes.
[[noreturn]] void fail(const Trace& trace, const Step& at, const Names& names, const std::string& why) {
  std::string last;
  std::vector<std::string> inputs;
  std::size_t place = 0;
  for (const Step& step : trace.steps()) {
    ++place;
    if (&step == &at) break;
    for (const Array& x : step.inputs)
      if (const auto name = names.find(x.identity()); name != names.end()) last = name->second;
  }
  for (const Array& x : at.inputs) inputs.push_back(fmt::format("{} {}", to_string(x.dtype()), to_string(x.shape())));
  throw ValueError(fmt::format("export_onnx: no ONNX ops for {}{}: call {} of {}, on {}{}", at.op, why, place,
                               trace.steps().size(), fmt::join(inputs, ", "),
                               last.empty() ? "" : fmt::format(", the first after {} was used", last)));
}

Value emitted(Graph& graph, const Step& step, const Rule& rule) {
  std::vector<Value> inputs;
  for (const Array& x : step.inputs) inputs.push_back({graph, x.dtype(), graph.name(x)});
  if (const auto* emitter = std::get_if<Emitter>(&rule)) return (*emitter)(inputs, step);
  std::vector<std::string> names;
  for (const Value& x : inputs) names.push_back(x.name);
  return {graph, step.output.dtype(), graph.node(std::get<const char*>(rule), names)};
}

/// What the module computes of x.
onnx::GraphProto graph_of(const detail::Exported& exported, const Tensor& x) {
  const NoGrad off;
  Trace trace(x.array());
  Tensor y;
  {
    const Observation seen(&trace);
    y = exported.run(exported.module, x);
  }
  trace.finish(y.array());
  const Names names = names_of(exported.module);
  Graph graph(names);
  graph.input("input", x.array());
  for (const Step& step : trace.steps()) {
    const auto rule = table().find(step.op);
    if (rule == table().end()) fail(trace, step, names, "");
    try {
      graph.computes(step.output, emitted(graph, step, rule->second).name);
    } catch (const Unsupported& unsupported) {
      fail(trace, step, names, " " + unsupported.why);
    }
  }
  graph.output("output", y.array());
  return graph.proto();
}

/// Throws ValueError if two runs of a module differ in what they do rather than in what they do it with.
void require_same(const onnx::GraphProto& a, const onnx::GraphProto& b) {
  const auto same = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [](const auto& p, const auto& q) { return p.SerializeAsString() == q.SerializeAsString(); });
  };
  if (!same(a.node(), b.node()))
    throw ValueError(
        "export_onnx: which ops the module calls depends on the elements of the input; ONNX gets one run's");
  if (!same(a.initializer(), b.initializer()))
    throw ValueError(
        "export_onnx: the module computes something from the elements of the input without ops (item(), to_vector(), "
        "random numbers); the file would hold what it was for the example");
}

}  // namespace
}  // namespace onnx_export

void detail::export_onnx(const Exported& exported, const Tensor& example, const std::string& path) {
  if (exported.module.training()) throw ValueError("export_onnx: the module is in training mode; call eval() first");
  const Tensor x = example.detach();
  onnx::ModelProto model;
  *model.mutable_graph() = onnx_export::graph_of(exported, x);
  onnx_export::require_same(model.graph(), onnx_export::graph_of(exported, reshape(flip(flatten(x), 0), x.shape())));
  model.mutable_graph()->set_name(exported.module.description());
  model.set_ir_version(onnx_export::ir_version);
  model.set_producer_name("gradtape");
  model.add_opset_import()->set_version(onnx_export::opset);
  onnx::checker::check_model(model);
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    throw ValueError("export_onnx: the model is larger than an ONNX file can be, 2 GiB");
  io::AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace gradtape::inline v0
