#include "core/support.hpp"

namespace gt = gradtape;
using gt::test::scalar_leaf;

TEST_CASE("parameter: a leaf with a copy of its own") {
  const auto x = gt::ones({2});
  const auto w = gt::parameter(x);
  CHECK(w.is_leaf());
  CHECK(w.requires_grad());
  w.assign(gt::zeros({2}));
  CHECK(gt::equal(x, gt::ones({2})));
  CHECK_THROWS_WITH_AS(gt::parameter(gt::tensor({1}, {.dtype = gt::i64})),
                       "parameter: i64 has no gradient; only f32 and f64 differentiate, convert with .to()",
                       gt::DtypeError);
  CHECK(gt::equal(gt::parameter(gt::transpose(gt::tensor({{1., 2.}, {3., 4.}}))), gt::tensor({{1., 3.}, {2., 4.}})));
}

TEST_CASE("assign: every handle of the leaf sees it") {
  const auto w = gt::parameter(gt::ones({2}));
  const gt::Tensor other = w;
  w.assign(gt::tensor({3., 4.}));
  CHECK(gt::equal(other, gt::tensor({3., 4.})));
}

TEST_CASE("assign: in place where nobody else holds the values") {
  const auto w = gt::parameter(gt::ones({2}));
  const auto* before = w.array().data();
  w.assign(gt::tensor({3., 4.}));
  CHECK(w.array().data() == before);
  {
    const auto y = gt::sum(w * w);  // a live graph still needs the old ones
    w.assign(gt::tensor({5., 6.}));
    CHECK(w.array().data() != before);
  }
  const auto* now = w.array().data();
  w.assign(gt::tensor({7., 8.}));
  CHECK(w.array().data() == now);
}

TEST_CASE("assign: recorded graphs and detached values keep what they were computed from") {
  const auto w = scalar_leaf(3);
  const auto y = w * w;
  const auto old = w.detach();
  w.assign(gt::tensor(100., {.dtype = gt::f64}));
  y.backward();
  CHECK(w.grad().item() == 6);
  CHECK(old.item() == 3);
  CHECK(w.item() == 100);
}

TEST_CASE("assign: a view of the old values survives") {
  const auto w = gt::parameter(gt::tensor({{1., 2.}, {3., 4.}}));
  const auto row = w.detach()[0];
  w.assign(gt::zeros({2, 2}));
  CHECK(gt::equal(row, gt::tensor({1., 2.})));
}

TEST_CASE("assign: from a view of itself") {
  const auto w = gt::parameter(gt::tensor({{1., 2.}, {3., 4.}}));
  w.assign(gt::transpose(w));
  CHECK(gt::equal(w, gt::tensor({{1., 3.}, {2., 4.}})));
  w.assign(w);
  CHECK(gt::equal(w, gt::tensor({{1., 3.}, {2., 4.}})));
}

TEST_CASE("assign: shape and dtype are the leaf's") {
  const auto w = gt::parameter(gt::ones({2}));
  CHECK_THROWS_WITH_AS(w.assign(gt::ones({3})), "assign: the leaf is [2], the value [3]; the shapes must be equal",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(w.assign(gt::ones({2}, {.dtype = gt::f64})),
                       "assign: the leaf is f32, the value f64; convert it with .to(gradtape::f32)", gt::DtypeError);
}

TEST_CASE("compound assignment: rebinds a handle and on a leaf names assign") {
  const auto w = gt::parameter(gt::tensor({1., 2.}));
  auto y = w * 1;
  const auto before = y;
  y += w;
  y *= gt::tensor({2., 2.});
  y -= gt::ones({2});
  y /= gt::tensor({3., 7.});
  CHECK(gt::equal(y, gt::tensor({1., 1.})));
  CHECK(gt::equal(before, gt::tensor({1., 2.})));
  gt::sum(y).backward();
  CHECK(w.grad() == gt::approx(gt::tensor({4. / 3, 4. / 7})));

  auto leaf = w;
  CHECK_THROWS_WITH_AS(leaf += gt::ones({2}),
                       "+=: would rebind this handle and leave the leaf of shape [2] behind; write `w.assign(…)` under "
                       "NoGrad, or `auto v = w` and "
                       "change v",
                       gt::GradientError);
  CHECK_THROWS_AS(leaf -= gt::ones({2}), gt::GradientError);
  CHECK_THROWS_AS(leaf *= gt::ones({2}), gt::GradientError);
  CHECK_THROWS_AS(leaf /= gt::ones({2}), gt::GradientError);
  CHECK(gt::equal(w, gt::tensor({1., 2.})));
}

TEST_CASE("grad mode: NoGrad and EnableGrad nest and end with their scope") {
  const auto w = scalar_leaf(2);
  {
    const gt::NoGrad off;
    CHECK_FALSE((w * w).requires_grad());
    CHECK(w.requires_grad());
    {
      const gt::EnableGrad on;
      CHECK((w * w).requires_grad());
    }
    CHECK_FALSE((w * w).requires_grad());
  }
  CHECK((w * w).requires_grad());
  try {
    const gt::NoGrad off;
    throw 1;
  } catch (int) {
  }
  CHECK((w * w).requires_grad());
  const gt::Memory before = gt::memory();
  {
    const gt::NoGrad off;
    const auto y = gt::sigmoid(w * w);
    CHECK(gt::memory().live_nodes == before.live_nodes);
  }
}

TEST_CASE("detach: the same values without history or copy") {
  const auto w = scalar_leaf(2);
  const auto y = w * w, d = y.detach();
  CHECK_FALSE(d.requires_grad());
  CHECK(d.array().data() == y.array().data());
  (y * d).backward();  // d is a constant: d(y·4)/dw
  CHECK(w.grad().item() == 4 * 4);
}
