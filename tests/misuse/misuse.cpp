// Code that must not compile, one case a macro; tests/CMakeLists.txt says which message each must give. With none, it
// compiles.
#include <gradtape/gradtape.hpp>
#ifdef AS_XT_OF_TEMPORARY
#include <gradtape/xtensor.hpp>
#endif
#ifdef RULE_MISSES_AN_INPUT
#include <gradtape/ops/extend.hpp>
#endif
#ifdef ONNX_NOT_LINKED
#include <gradtape/onnx/export.hpp>
#endif

#include <doctest/doctest.h>

namespace gt = gradtape;

struct Net : gt::nn::Module {
  gt::nn::Parameter w{gt::ones({2})};
#ifdef TENSOR_IN_VISIT
  gt::Tensor plain = gt::ones({2});
  void visit(gt::nn::Visitor& v) override { v("w", w), v("plain", plain); }
#else
  void visit(gt::nn::Visitor& v) override { v("w", w); }
#endif
};

#ifdef RULE_MISSES_AN_INPUT
struct Product {
  static constexpr std::string_view name = "product";
  auto value(auto x, auto y) const { return x * y; }
  auto vjp(auto g, auto x) const { return gt::grads(g * x, g * x); }
};
#endif

TEST_CASE("misuse") {
  const auto a = gt::ones({2}), b = gt::ones({2});
  const Net net;
  const gt::Tensor shared = net.w;
#ifdef IF_EQUAL
  if (a == b) return;
#endif
#ifdef CHECK_EQUAL
  CHECK(a == b);
#endif
#ifdef CHECK_LESS
  CHECK(a < b);
#endif
#ifdef AUTO_PARAMETER
  auto w = net.w;
#endif
#ifdef CHECKPOINT_OF_MODULE
  const gt::nn::MLP mlp({2, 1});
  const auto y = gt::checkpoint(mlp, a);
#endif
#ifdef SPAN_OF_TEMPORARY
  const auto view = (a + b).span<float>();
#endif
#ifdef AS_XT_OF_TEMPORARY
  const auto view = gt::as_xt<float>(a + b);
#endif
#ifdef NUMBER_TO_TENSOR
  const gt::Tensor x = 1.0;
#endif
#ifdef BOOL_IN_SHAPE
  const gt::Shape shape{true, 2};
#endif
#ifdef RULE_MISSES_AN_INPUT
  const auto product = gt::elementwise(Product{}, a, b);
#endif
  CHECK(gt::equal(a, b));
  CHECK(a == gt::approx(b));
}
