#include <chrono>
#include <cmath>

#include "core/support.hpp"

namespace gt = gradtape;
using gt::test::counted;
using gt::test::scalar_leaf;

TEST_CASE("graph: 1000000 nodes are recorded and swept and destroyed on a stack of 256 KiB") {
  const gt::Memory before = gt::memory();
  double gradient = 0;
  std::int64_t nodes = 0;
  gt::test::on_small_stack([&] {
    const auto w = scalar_leaf(1);
    auto y = w;
    for (int i = 0; i < 1'000'000; ++i) y = y * 1.0;
    nodes = gt::memory().live_nodes;
    y.backward();
    gradient = w.grad().item();
    gt::Tensor unswept = w;
    for (int i = 0; i < 1'000'000; ++i) unswept = gt::sin(unswept);
  });
  CHECK(nodes - before.live_nodes == 1'000'001);
  CHECK(gradient == 1);
  CHECK(gt::memory().live_nodes == before.live_nodes);
  CHECK(gt::memory().live_bytes == before.live_bytes);
}

TEST_CASE("graph: a deep chain through grad and create_graph on a small stack") {
  double second = 0;
  gt::test::on_small_stack([&] {
    const auto w = scalar_leaf(3);
    auto y = w * w;
    for (int i = 0; i < 100'000; ++i) y = y + 1;
    const auto [slope] = gt::grad(y, {w}, {.create_graph = true});
    second = gt::grad(slope, {w})[0].item();
  });
  CHECK(second == 2);
}

TEST_CASE("graph: a ladder of 64 diamonds takes a visit a node") {
  int calls = 0;
  const auto w = scalar_leaf(1);
  auto y = w;
  for (int i = 0; i < 64; ++i) {
    const auto left = counted(y, calls), right = counted(y, calls);
    y = left + right;
  }
  CHECK(y.item() == std::pow(4., 64));
  y.backward({.retain_graph = true});
  CHECK(calls == 128);
  CHECK(w.grad().item() == std::pow(4., 64));
  CHECK(gt::grad(y, {w})[0].item() == std::pow(4., 64));
  CHECK(calls == 256);
}

TEST_CASE("graph: y = y + y a thousand times is linear too") {
  const auto w = scalar_leaf(std::pow(2., -1000));
  auto y = w;
  for (int i = 0; i < 1000; ++i) y = y + y;
  y.backward();
  CHECK(w.grad().item() == std::pow(2., 1000));
}

TEST_CASE("graph: shared sub-expressions get the sum of their gradients") {
  const auto w = scalar_leaf(3);
  const auto s = w * w;                   // 9
  const auto y = s * s + gt::exp(s) + s;  // dy/ds = 2s + e^s + 1
  y.backward();
  CHECK(w.grad().item() == doctest::Approx((18 + std::exp(9.) + 1) * 6).epsilon(1e-12));
  const auto v = gt::parameter(gt::tensor({1., 2., 3.}));
  gt::sum(v * v * v).backward();  // the same leaf on both sides and twice
  CHECK(gt::equal(v.grad(), gt::tensor({3., 12., 27.})));
}

TEST_CASE("graph: branches that are dropped cost nothing and leave nothing") {
  const gt::Memory before = gt::memory();
  {
    const auto w = gt::parameter(gt::ones({100}));
    gt::Tensor kept;
    for (int i = 0; i < 10; ++i) kept = gt::sum(gt::sigmoid(w * w));  // every result but the last dies here
    CHECK(gt::memory().live_nodes - before.live_nodes == 1 + 3);
    kept.backward();
    CHECK(gt::equal(w.grad(), w.grad()));
  }
  CHECK(gt::memory().live_nodes == before.live_nodes);
  CHECK(gt::memory().live_bytes == before.live_bytes);
}

TEST_CASE("graph: an op that saves its own output does not keep itself alive") {
  const gt::Memory before = gt::memory();
  {
    const auto w = gt::parameter(gt::ones({100}));
    const auto y = gt::sigmoid(gt::exp(gt::tanh(w)));
    const auto [slope] = gt::grad(gt::sum(y), {w}, {.create_graph = true});
    CHECK(slope.requires_grad());
  }
  CHECK(gt::memory().live_nodes == before.live_nodes);
  CHECK(gt::memory().live_bytes == before.live_bytes);
}

TEST_CASE("graph: saved values go as the sweep passes") {
  const auto w = gt::parameter(gt::ones({10'000}));
  auto h = w;
  for (int i = 0; i < 10; ++i) h = gt::sigmoid(h);
  const auto y = gt::sum(h);
  h = {};
  const std::int64_t recorded = gt::memory().live_bytes;
  y.backward();
  // Ten outputs of 40,000 bytes have gone, one gradient has come.
  CHECK(recorded - gt::memory().live_bytes >= 9 * 40'000);
}

TEST_CASE("graph: NaN in the branch that where does not choose stays out of the gradient") {
  const auto x = gt::parameter(gt::tensor({-1., 4.}, {.dtype = gt::f64}));
  gt::sum(gt::where(x > 0, gt::sqrt(gt::where(x > 0, x, 1)), 0)).backward();
  CHECK(gt::equal(x.grad(), gt::tensor({0., 0.25}, {.dtype = gt::f64})));
}

TEST_CASE("graph: gradients of expanded and strided and empty inputs") {
  const auto w = gt::parameter(gt::tensor({{1., 2., 3.}, {4., 5., 6.}}));
  gt::sum(gt::broadcast_to(w[{0, gt::Slice{}}], {5, 3})).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({{5., 5., 5.}, {0., 0., 0.}})));
  w.zero_grad();
  gt::sum(gt::transpose(w) * gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}})).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({{1., 3., 5.}, {2., 4., 6.}})));
  CHECK(w.grad().array().packed());  // whatever the rule handed over

  const auto none = gt::parameter(gt::zeros({0, 3}));
  gt::sum(gt::sigmoid(none * 2)).backward();
  CHECK(none.grad().shape() == gt::Shape{0, 3});
  const auto b = gt::parameter(gt::ones({3}));
  gt::sum(none.detach() + b).backward();
  CHECK(gt::equal(b.grad(), gt::zeros({3})));
}
