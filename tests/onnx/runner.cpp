#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "compare.hpp"
#include "node.hpp"
#include "report.hpp"
#include <fmt/format.h>

namespace {

using namespace suite;
namespace fs = std::filesystem;

/// So many cases passed before; fewer is a failure.
constexpr int floor_of_passed = 601;

/// Cases that contradict their own node.
const std::map<std::string, std::string> wrong{
    {"test_adam_multiple", "computed with an epsilon of 0.01, which its node does not have"},
};

template <class Proto>
Proto parse(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Proto proto;
  if (!file || !proto.ParseFromIstream(&file)) throw std::runtime_error("cannot read " + path.string());
  return proto;
}

/// The values of a graph's inputs or outputs: files input_0.pb, input_1.pb, …
Values load(const auto& graph_values, const fs::path& directory, std::string_view kind) {
  Values values;
  for (int i = 0; i < graph_values.size(); ++i) {
    if (!graph_values[i].type().has_tensor_type()) throw Skip{"a sequence or an optional value"};
    values[graph_values[i].name()] = parse<onnx::TensorProto>(directory / fmt::format("{}_{}.pb", kind, i));
  }
  return values;
}

/// Runs the node on one data set; returns what differs.
std::string run(const onnx::GraphProto& graph, const fs::path& data) {
  const onnx::NodeProto& proto = graph.node(0);
  const Values inputs = load(graph.input(), data, "input");
  std::map<std::string, gt::Tensor> expected;
  for (const auto& [name, value] : load(graph.output(), data, "output")) expected[name] = to_tensor(value);
  const auto function = table().find(proto.op_type());
  if (function == table().end()) {
    for (const auto& input : inputs) to_tensor(input.second);  // a dtype is the better reason
    throw Skip{"no such op"};
  }
  const Node node(proto, inputs);
  const Outputs outputs = function->second(node);
  node.require_all_read();
  for (std::size_t i = 0; i < node.outputs(); ++i) {
    const std::string& name = proto.output(static_cast<int>(i));
    if (name.empty()) continue;
    if (i >= outputs.size()) throw Skip{"output " + name};
    if (const std::string text = difference(outputs[i], expected.at(name)); !text.empty()) return name + ": " + text;
  }
  return {};
}

Result run(const fs::path& directory) {
  Result result{.name = directory.filename(), .op = "(several nodes)"};
  try {
    const onnx::GraphProto graph = parse<onnx::ModelProto>(directory / "model.onnx").graph();
    if (graph.node_size() != 1) throw Skip{"not a single node"};
    result.op = graph.node(0).op_type();
    if (const auto known = wrong.find(result.name); known != wrong.end()) throw Skip{known->second};
    fs::path data = directory / "test_data_set_0";
    for (int next = 1; result.why.empty() && (next == 1 || fs::exists(data)); ++next) {
      result.why = run(graph, data);
      data = directory / fmt::format("test_data_set_{}", next);
    }
    if (!result.why.empty()) result.outcome = Outcome::failed;
  } catch (const Skip& skip) {
    result.outcome = Outcome::skipped;
    result.why = skip.reason;
  } catch (const std::exception& error) {
    result.outcome = Outcome::failed;
    result.why = error.what();
  }
  return result;
}

}  // namespace

/// Usage: gradtape_onnx DIRECTORY [--verbose]
int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || !fs::is_directory(arguments[0])) {
    fmt::print(stderr, "usage: gradtape_onnx DIRECTORY [--verbose]\n");
    return 2;
  }
  std::vector<Result> results;
  for (const auto& entry : fs::directory_iterator(arguments[0])) results.push_back(run(entry.path()));
  std::ranges::sort(results, {}, &Result::name);
  const bool enough = count(results, Outcome::passed) >= floor_of_passed;
  if (!enough) fmt::print("fewer cases passed than {}\n\n", floor_of_passed);
  print(results, arguments.size() > 1 && arguments[1] == "--verbose");
  return enough && count(results, Outcome::failed) == 0 ? 0 : 1;
}
