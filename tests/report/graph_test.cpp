#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

namespace gt = gradtape;
namespace report = gradtape::report;

namespace {

struct Example {
  gt::Tensor w = gt::parameter(gt::ones({2, 3})), b = gt::parameter(gt::ones({3}));
  gt::Tensor x = gt::ones({4, 2});
  gt::Tensor y = gt::sum(gt::sigmoid(gt::matmul(x, w) + b));
};

}  // namespace

TEST_CASE("graph: as text with names") {
  const Example net;
  CHECK(report::graph_string(net.y, {.names = {{"fc.weight", net.w}, {"x", net.x}}}) ==
        "#0   fc.weight                                    f32 [2, 3]\n"
        "#1   parameter                                    f32 [3]\n"
        "#2   x                                            f32 [4, 2]\n"
        "#3   matmul(x, fc.weight)                         f32 [4, 3]\n"
        "#4   add(#3, #1)                                  f32 [4, 3]\n"
        "#5   sigmoid(#4)                                  f32 [4, 3]\n"
        "#6   sum(#5)                                      f32 []\n");
  net.y.backward();  // what the ops saved is gone, and with it the constant
  CHECK(report::graph_string(net.y).find("matmul(·, #0)") != std::string::npos);
  CHECK(report::graph_string(net.x) == "no graph: this tensor depends on no parameter\n");
}

TEST_CASE("graph: names of a module") {
  gt::nn::MLP net({2, 8, 1}, {.activation = gt::sigmoid});
  const auto loss = gt::mse_loss(net(gt::ones({4, 2})), gt::zeros({4, 1}));
  const report::Graph graph = report::graph_of(loss, {.names = net.named_parameters()});
  for (const auto& [name, tensor] : net.named_parameters())
    CHECK(std::ranges::count(graph, name, &report::GraphNode::name) == 1);
  CHECK(graph.back().kind == report::GraphKind::op);
  CHECK(graph.back().shape == gt::Shape{});
}

TEST_CASE("graph: in the language of Graphviz") {
  const Example net;
  const auto y = net.w * 2;
  CHECK(report::to_dot(y, {.names = {{"a \"b\" \\N\nc", net.w}}}) ==
        "digraph gradtape {\n"
        "  node [shape=box, fontname=\"sans-serif\", fontsize=11];\n"
        "  n0 [label=\"a \\\"b\\\" \\\\N\\nc\\nf32 [2, 3]\", style=filled, fillcolor=\"#dce8f5\"];\n"
        "  n1 [label=\"2\\nf32 []\", style=dashed];\n"
        "  n2 [label=\"mul\\nf32 [2, 3]\", style=rounded];\n"
        "  n0 -> n2;\n"
        "  n1 -> n2;\n"
        "}\n");
  CHECK(report::to_dot(net.x).ends_with("fontsize=11];\n}\n"));
}

TEST_CASE("graph: one that is deep and one that shares") {
  const auto w = gt::parameter(gt::tensor(1.));
  auto y = w * w;
  for (int i = 0; i < 100'000; ++i) y = gt::sigmoid(y);
  CHECK(report::graph_of(y).size() == 100'002);
  auto z = w * w;
  for (int i = 0; i < 40; ++i) z = z + z;
  const std::string dot = report::to_dot(z);
  CHECK(std::ranges::count(dot, '\n') == 3 + 42 + 82);
}
