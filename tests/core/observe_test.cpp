#include <gradtape/core/observe.hpp>

#include "core/support.hpp"
#include <ops/cases.hpp>

namespace gt = gradtape;
using gt::Tensor;

namespace {

/// Writes down calls: "op(shapes) -> shape name=value…".
struct Notes : gt::Observer, gt::AttributeVisitor {
  std::vector<std::string> lines;

  void called(const gt::Call& call) override {
    std::string inputs;
    for (const gt::Array* x : call.inputs) inputs += gt::to_string(x->shape());
    lines.push_back(std::string(call.op) + "(" + inputs + ") -> " + gt::to_string(call.output.shape()));
    call.attributes(*this);
  }
  void operator()(std::string_view name, double value) override { lines.back() += fmt::format(" {}={}", name, value); }
  void operator()(std::string_view name, std::span<const std::int64_t> values) override {
    lines.back() += fmt::format(" {}=", name);
    for (const std::int64_t value : values) lines.back() += fmt::format("{},", value);
  }
};

std::vector<std::string> seen(const std::function<void()>& f) {
  Notes notes;
  const gt::Observation guard(&notes);
  f();
  return notes.lines;
}

}  // namespace

TEST_CASE("observe: every call with its shapes and attributes, recorded or not") {
  const Tensor x = gt::parameter(gt::zeros({2, 3})), w = gt::zeros({4, 3});
  const auto calls = [&] {
    const Tensor y = gt::leaky_relu(gt::linear(x, w, gt::zeros({4})), {.negative_slope = 0.5});
    gt::concatenate({y, y}, {.axis = 1});
    gt::sum(y, {.axes = 0});
    gt::gather(y, 1, gt::zeros({2, 1}, {.dtype = gt::i64}));
  };
  const std::vector<std::string> expected{
      "linear([2, 3][4, 3][4]) -> [2, 4]",          "leaky_relu([2, 4]) -> [2, 4] negative_slope=0.5",
      "concatenate([2, 4][2, 4]) -> [2, 8] axis=1", "sum([2, 4]) -> [4] axes=0, keepdims=0",
      "gather([2, 4][2, 1]) -> [2, 1] axis=1",
  };
  CHECK(seen(calls) == expected);
  CHECK(seen([&] {
          const gt::NoGrad off;
          calls();
        }) == expected);
}

TEST_CASE("observe: a node made by hand reports what it was given") {
  const Tensor x = gt::zeros({2, 3}), h = gt::zeros({3, 2}), w = gt::zeros({9, 3});
  const std::vector<std::string> lines = seen([&] { gt::gru_cell(x, gt::transpose(h), w, w); });
  CHECK(lines.back() == "gru_cell([2, 9][2, 9][2, 3]) -> [2, 3]");
  const Tensor q = gt::zeros({4, 2}), mask = gt::full({4, 4}, 1, {.dtype = gt::boolean});
  CHECK(seen([&] { gt::scaled_dot_product_attention(q, q, q, {.mask = mask, .scale = 2}); }) ==
        std::vector<std::string>{
            "scaled_dot_product_attention([4, 2][4, 2][4, 2][4, 4]) -> [4, 2] causal=0 scale=2 dropout_p=0"});
}

TEST_CASE("observe: an op made of others counts as one") {
  CHECK(seen([] {
          gt::max_pool2d(gt::zeros({1, 4, 6}), 2);
        }) == std::vector<std::string>{
                  "max_pool([1, 4, 6]) -> [1, 2, 3] image=4,6, count=2,3, size=2,2, stride=2,2, padding=0,0, "
                  "dilation=1,1,"});
}

TEST_CASE("observe: guards nest, and end when something throws") {
  Notes outer, inner;
  const Tensor x = gt::zeros({2});
  {
    const gt::Observation guard(&outer);
    try {
      const gt::Observation within(&inner);
      gt::exp(x);
      gt::matmul(x, gt::zeros({3}));
    } catch (const gt::ShapeError&) {
    }
    gt::log(x + 1);
  }
  gt::sin(x);
  CHECK(inner.lines == std::vector<std::string>{"exp([2]) -> [2]"});
  CHECK(outer.lines == std::vector<std::string>{"add([2][]) -> [2]", "log([2]) -> [2]"});
}

TEST_CASE("observe: beside DetectAnomaly") {
  Notes notes;
  const gt::Observation guard(&notes);
  {
    const gt::DetectAnomaly check;
    CHECK(cases::message_of<gt::AnomalyError>([] { return gt::log(gt::zeros({1})); }).starts_with("log: the value"));
  }
  gt::log(gt::zeros({1}));
  CHECK(notes.lines.size() == 1);
}
