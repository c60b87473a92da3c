#include <cmath>

#include "core/support.hpp"

namespace gt = gradtape;
using gt::test::counted;
using gt::test::failing;
using gt::test::scalar_leaf;

namespace {

/// Runs a sweep of its own inside its rule.
struct Nested {
  static constexpr std::string_view name = "nested";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const { gt::copy_elements(out, x); }
  auto vjp(gt::Wrt<0>, gt::Grad g) const {
    const gt::EnableGrad on;
    const auto u = scalar_leaf(4);
    return g * gt::grad(u * u, {u})[0].item();
  }
};

/// The same through a leaf that others know.
struct Meddling {
  static constexpr std::string_view name = "meddling";
  gt::Tensor leaf;
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const { gt::copy_elements(out, x); }
  auto vjp(gt::Wrt<0>, gt::Grad g) const {
    const gt::EnableGrad on;
    return g * gt::grad(leaf * leaf, {leaf})[0].item();
  }
};

/// Its gradient has the output's shape.
struct Wrong {
  static constexpr std::string_view name = "wrong";
  gt::Shape infer(const gt::Shape&) const { return {}; }
  void value(const gt::Array& out, const gt::Array&) const { gt::fill(out, 0); }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::Tensor(g); }
};

}  // namespace

TEST_CASE("backward: starts from one element that has a gradient") {
  const auto w = gt::parameter(gt::tensor({1., 2.}));
  CHECK_THROWS_WITH_AS((w * 2).backward(),
                       "backward: the output has shape [2]; a sweep starts from exactly one element: reduce it first "
                       "(sum, mean), or give its "
                       "gradient to gradtape::vjp",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::ones({}).backward(),
                       "backward: this tensor depends on no parameter (requires_grad() is false); make leaves with "
                       "gradtape::parameter, compute outside of NoGrad, and ask for gradients that are to be "
                       "differentiated again with {.create_graph = true}",
                       gt::GradientError);
  const auto column = gt::reshape(gt::sum(w * w), {1, 1, 1});  // one element of any rank will do
  column.backward();
  CHECK(gt::equal(w.grad(), gt::tensor({2., 4.})));
}

TEST_CASE("backward: a second sweep names retain_graph") {
  const auto w = scalar_leaf(3);
  const auto y = w * w;
  y.backward();
  CHECK_THROWS_WITH_AS(y.backward(),
                       "backward: `mul` was swept before and its saved values are released; pass {.retain_graph = "
                       "true} to the first sweep, or "
                       "compute the result again",
                       gt::GradientError);
  CHECK(w.grad().item() == 6);  // the failed sweep has left it alone

  const auto z = w * w;
  z.backward({.retain_graph = true});
  z.backward({.retain_graph = true});
  z.backward();
  CHECK(w.grad().item() == 24);
  CHECK_THROWS_AS(z.backward(), gt::GradientError);
}

TEST_CASE("backward: gradients add up over calls until zero_grad") {
  const auto w = gt::parameter(gt::tensor({1., -2.}));
  gt::sum(w * w).backward();
  gt::sum(3 * w).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({2. + 3., -4. + 3.})));
  const auto kept = w.grad();
  gt::sum(w).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({6., 0.})));
  CHECK(gt::equal(kept, gt::tensor({5., -1.})));  // values do not change under a handle
  w.zero_grad();
  CHECK_FALSE(w.has_grad());
  CHECK_THROWS_WITH_AS(
      w.grad(), "grad: this leaf of shape [2] has no gradient; call backward() on a result that depends on it first",
      gt::GradientError);
}

TEST_CASE("backward: of a leaf itself is one") {
  const auto w = scalar_leaf(3);
  w.backward();
  CHECK(w.grad().item() == 1);
  CHECK(gt::grad(w, {w})[0].item() == 1);
}

TEST_CASE("grad: what is no leaf has none to read") {
  const auto w = scalar_leaf(3);
  const auto y = w * w;
  const auto message = [](const std::string& caller, const std::string& shape) {
    return caller + ": this tensor of shape " + shape +
           " keeps no gradient: only leaves, made by gradtape::parameter, and results of gradtape::retain_grad do; to "
           "change a leaf's value, call its assign under NoGrad";
  };
  CHECK_THROWS_WITH_AS(y.grad(), message("grad", "[]").c_str(), gt::GradientError);
  CHECK_THROWS_WITH_AS(gt::ones({2}).grad(), message("grad", "[2]").c_str(), gt::GradientError);
  CHECK_THROWS_WITH_AS(y.zero_grad(), message("zero_grad", "[]").c_str(), gt::GradientError);
  CHECK_THROWS_WITH_AS(y.assign(gt::ones({})),
                       "assign: this tensor of shape [] is no leaf: only leaves, made by gradtape::parameter, keep a "
                       "gradient and can be assigned",
                       gt::GradientError);
  CHECK_FALSE(y.has_grad());
}

TEST_CASE("grad: touches no .grad()") {
  const auto v = scalar_leaf(2), w = scalar_leaf(3);
  const auto [dv, dw] = gt::grad(v * w * w, {v, w});
  CHECK(dv.item() == 9);
  CHECK(dw.item() == 12);
  CHECK_FALSE(v.has_grad());
  CHECK_FALSE(w.has_grad());
  CHECK_FALSE(dw.requires_grad());
  const auto all = gt::grad(v * w, std::vector<gt::Tensor>{v, w});
  CHECK(all[0].item() == 3);
  CHECK(all[1].item() == 2);
}

TEST_CASE("grad: gradients are packed so that span reads them") {
  const auto w = gt::parameter(gt::ones({2, 3}));
  const auto [of_sum] = gt::grad(gt::sum(w), {w});  // the rule stretches one number
  const auto [of_transpose] = gt::grad(gt::sum(gt::transpose(w) * gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}})), {w});
  CHECK(of_sum.span<float>()[5] == 1);
  CHECK(of_transpose.span<float>()[1] == 3);
}

TEST_CASE("grad: inputs that cannot be reached") {
  const auto v = scalar_leaf(2), w = gt::parameter(gt::ones({2, 3}, {.dtype = gt::f64}));
  CHECK_THROWS_WITH_AS(
      gt::grad(v * v, {v, w}),
      "grad: input 1 of shape [2, 3] was not reached from the output; pass {.allow_unused = true} to get zeros",
      gt::GradientError);
  const auto [dv, dw] = gt::grad(v * v, {v, w}, {.allow_unused = true});
  CHECK(dv.item() == 4);
  CHECK(gt::equal(dw, gt::zeros({2, 3}, {.dtype = gt::f64})));
  CHECK_THROWS_WITH_AS(gt::grad(v * v, {v, gt::ones({})}),
                       "grad: input 1 needs no gradient; make it with gradtape::parameter, or compute it from one",
                       gt::GradientError);
  const auto later = v * 3;  // made from v, but y does not depend on it
  CHECK_THROWS_AS(gt::grad(v * v, {later}), gt::GradientError);
}

TEST_CASE("grad: interior targets and the output itself") {
  const auto w = scalar_leaf(5);
  const auto h = w * w;
  const auto y = h * h * 3;
  const auto [dh, dw, dy] = gt::grad(y, {h, w, y}, {.retain_graph = true});
  CHECK(dh.item() == 6 * 25);
  CHECK(dw.item() == 12 * 125);
  CHECK(dy.item() == 1);
  const auto [first, again] = gt::grad(y, {h, h});  // a target twice
  CHECK(first.item() == 150);
  CHECK(again.item() == 150);
}

TEST_CASE("grad: sweeps no further than its targets") {
  int above = 0, below = 0, aside = 0;
  const auto v = scalar_leaf(1), w = scalar_leaf(5);
  const auto h = counted(w, below);
  const auto y = counted(h, above) + counted(v, aside);
  CHECK(gt::grad(y, {h}, {.retain_graph = true})[0].item() == 2);
  CHECK(above == 1);
  CHECK(below == 0);
  CHECK(aside == 0);
  y.backward();
  CHECK(below == 1);
  CHECK(aside == 1);
}

TEST_CASE("grad: a target's own saved values are neither read nor released") {
  const auto w = scalar_leaf(5);
  const auto h = w * w;
  CHECK(gt::grad(h * 3, {h})[0].item() == 3);
  h.backward();  // h's own node was not swept yet
  CHECK(w.grad().item() == 10);
  CHECK(gt::grad(h * 3, {h})[0].item() == 3);  // and now that it was, what comes after it still is
}

TEST_CASE("grad: create_graph up to the third derivative") {
  const double at = 0.7;
  const auto x = scalar_leaf(at);
  const auto y = gt::sin(x) * x;
  const auto [d1] = gt::grad(y, {x}, {.create_graph = true});
  const auto [d2] = gt::grad(d1, {x}, {.create_graph = true});
  const auto [d3] = gt::grad(d2, {x});
  CHECK(d1.item() == doctest::Approx(at * std::cos(at) + std::sin(at)).epsilon(1e-12));
  CHECK(d2.item() == doctest::Approx(2 * std::cos(at) - at * std::sin(at)).epsilon(1e-12));
  CHECK(d3.item() == doctest::Approx(-3 * std::sin(at) - at * std::cos(at)).epsilon(1e-12));
  CHECK_FALSE(d3.requires_grad());
}

TEST_CASE("backward: create_graph leaves gradients that can be differentiated") {
  const auto x = scalar_leaf(2);
  (x * x * x).backward({.create_graph = true});
  const auto slope = x.grad();
  CHECK(slope.requires_grad());
  CHECK(gt::grad(slope, {x})[0].item() == 12);
  x.zero_grad();
}

TEST_CASE("backward: an exception in a rule changes no leaf and leaves the tape usable") {
  bool armed = true;
  const auto v = scalar_leaf(2), w = scalar_leaf(3);
  (v * 10).backward();
  const auto y = failing(w, armed) + v * v;  // v's part is swept first
  CHECK_THROWS_WITH_AS(y.backward({.retain_graph = true}), "no gradient today", std::runtime_error);
  CHECK(v.grad().item() == 10);
  CHECK_FALSE(w.has_grad());
  CHECK_THROWS_AS(gt::grad(y, {v, w}, {.retain_graph = true}), std::runtime_error);
  armed = false;
  y.backward();  // the very same graph
  CHECK(v.grad().item() == 14);
  CHECK(w.grad().item() == 2);
}

TEST_CASE("backward: a sweep inside a rule does not disturb the one that called it") {
  const auto w = scalar_leaf(3), v = scalar_leaf(2);
  (gt::record(Nested{}, w) * w + v * v).backward();
  CHECK(w.grad().item() == 8 * 3 + 3);
  CHECK(v.grad().item() == 4);
}

TEST_CASE("backward: a sweep inside a rule takes no gradient from the one that called it") {
  const auto w = scalar_leaf(3), v = scalar_leaf(2);
  const auto early = gt::record(Meddling{v}, w), late = gt::record(Meddling{v}, w);
  CHECK_THROWS_WITH_AS((late + 5 * v).backward(),
                       "backward: a sweep inside a rule has reached a `leaf` of shape [] for which the sweep around it "
                       "has a gradient already; let the rule work on a copy: gradtape::parameter(x.detach())",
                       gt::GradientError);
  CHECK_FALSE(v.has_grad());
  early.backward();  // nothing is in flight for v
  CHECK(w.grad().item() == 4);
  CHECK_FALSE(v.has_grad());
}

TEST_CASE("backward: a rule that gives the wrong shape is named") {
  const auto w = gt::parameter(gt::ones({2, 3}));
  CHECK_THROWS_WITH_AS(gt::record(Wrong{}, w).backward(),
                       "wrong: the backward rule gave input 0 a gradient of f32 [], where the input is f32 [2, 3]",
                       gt::GradientError);
  CHECK_FALSE(w.has_grad());
}
