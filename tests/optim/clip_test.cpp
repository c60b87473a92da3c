#include <gradtape/gradtape.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::optim::clip_grad_norm, gt::optim::clip_grad_value;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A leaf with this gradient.
gt::Tensor with_grad(const gt::Tensor& g) {
  const gt::Tensor w = gt::parameter(gt::zeros_like(g));
  gt::sum(w * g).backward();
  return w;
}
gt::Tensor with_grad(const gt::Literal& g) { return with_grad(gt::tensor(g, {.dtype = gt::f64})); }

}  // namespace

TEST_CASE("clip_grad_norm: all gradients as one vector") {
  const gt::Tensor a = with_grad({{3., 0.}, {0., 4.}}), b = with_grad(gt::tensor({-12.}));
  const gt::Tensor idle = gt::parameter(gt::ones({2})), empty = with_grad(gt::zeros({0}));
  CHECK(clip_grad_norm({a, b, idle, empty}, 20) == 13);
  CHECK(gt::equal(b.grad(), gt::tensor({-12.})));
  CHECK(clip_grad_norm({a, b, idle, empty}, 6.5) == 13);
  const double scale = 6.5 / (13 + 1e-6);
  CHECK(a.grad() == gt::approx(gt::tensor({{3 * scale, 0.}, {0., 4 * scale}}, {.dtype = gt::f64})));
  CHECK(b.grad() == gt::approx(gt::tensor({-12 * scale})));
  CHECK_FALSE(idle.has_grad());
  CHECK(clip_grad_norm({idle}, 1) == 0);
  CHECK(clip_grad_norm({}, 1) == 0);
}

TEST_CASE("clip_grad_norm: other norms, and many elements") {
  CHECK(clip_grad_norm({with_grad({3., -4.})}, 100, {.norm_type = 1}) == 7);
  CHECK(clip_grad_norm({with_grad({3., -4.}), with_grad({-5.})}, 100, {.norm_type = inf}) == 5);
  CHECK(clip_grad_norm({with_grad({3., -4., 5.})}, 100, {.norm_type = 3}) == doctest::Approx(6));
  CHECK(clip_grad_norm({with_grad(gt::ones({1001}))}, 100) == doctest::Approx(std::sqrt(1001)).epsilon(1e-14));
}

TEST_CASE("clip_grad_norm: norms that are not finite") {
  for (const double bad : {inf, -inf, not_a_number})
    for (const double p : {1., 2., inf}) {
      const gt::Tensor a = with_grad({1., bad, 2.}), b = with_grad({1.});
      const double norm = std::abs(bad);
      const char* message = std::isnan(bad)
                                ? "clip_grad_norm: the norm of the gradients is nan; skip this step, or lower the rate"
                                : "clip_grad_norm: the norm of the gradients is inf; skip this step, or lower the rate";
      CHECK_THROWS_WITH_AS(clip_grad_norm({a, b}, 1, {.norm_type = p, .error_if_nonfinite = true}), message,
                           gt::ValueError);
      CHECK(b.grad().item() == 1);
      const double got = clip_grad_norm({a, b}, 1, {.norm_type = p});
      CHECK((std::isnan(norm) ? std::isnan(got) : got == inf));
      CHECK((std::isnan(norm) ? std::isnan(b.grad().item()) : b.grad().item() == 0));
    }
}

TEST_CASE("clip_grad_value: every element") {
  const gt::Tensor w = with_grad({-3., -0.5, 0., 0.5, 3., inf, -inf, not_a_number});
  clip_grad_value({w, gt::parameter(gt::ones({2}))}, 1);
  CHECK(w.grad() == gt::approx(gt::tensor({-1., -0.5, 0., 0.5, 1., 1., -1., not_a_number}, {.dtype = gt::f64})));
}

TEST_CASE("clip: works in place, and on a copy where somebody holds the gradient") {
  const gt::Tensor w = with_grad({3., -4.});
  const auto* data = w.leaf().grad.array.data<double>();
  clip_grad_value({w}, 2);
  CHECK(w.leaf().grad.array.data<double>() == data);
  const gt::Tensor held = w.grad();
  clip_grad_norm({w}, 1);
  CHECK(gt::equal(held, gt::tensor({2., -2.}, {.dtype = gt::f64})));
  CHECK(w.grad() == gt::approx(gt::tensor({0.5, -0.5}, {.dtype = gt::f64}) * std::sqrt(2)).rtol(1e-6));
}

TEST_CASE("clip: a transposed gradient, and one on the tape") {
  const gt::Tensor w = gt::parameter(gt::zeros({2, 3}));
  gt::sum(gt::transpose(w) * gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}})).backward();
  clip_grad_value({w}, 3.5);
  CHECK(gt::equal(w.grad(), gt::tensor({{1., 3., 3.5}, {2., 3.5, 3.5}})));

  const gt::Tensor x = gt::parameter(gt::tensor({2.}));
  gt::sum(gt::square(x)).backward({.create_graph = true});
  clip_grad_value({x}, 1);
  CHECK(x.grad().item() == 1);
  CHECK_FALSE(x.grad().requires_grad());
}

TEST_CASE("clip: misuse") {
  CHECK_THROWS_WITH_AS(clip_grad_norm({}, -1), "clip_grad_norm: max_norm is -1; it must not be negative",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(clip_grad_norm({}, not_a_number), "clip_grad_norm: max_norm is nan; it must not be negative",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(clip_grad_norm({}, 1, {.norm_type = 0}), "clip_grad_norm: norm_type is 0; it must be positive",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(clip_grad_value({}, -1), "clip_grad_value: clip_value is -1; it must not be negative",
                       gt::ValueError);
  CHECK_THROWS_AS(clip_grad_value({gt::ones({2})}, 1), gt::GradientError);
}
