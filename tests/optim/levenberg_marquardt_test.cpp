#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::LevenbergMarquardt, gt::optim::LevenbergMarquardtOptions, gt::optim::Stop;

namespace {

gt::Tensor leaf(const gt::Literal& value) { return gt::parameter(gt::tensor(value, {.dtype = gt::f64})); }

/// Rosenbrock's function as residuals: 10·(y - x²) and 1 - x.
gt::Tensor rosenbrock(const gt::Tensor& w) {
  const gt::Tensor x = w[0], y = w[1];
  return gt::stack({10 * (y - gt::square(x)), 1 - x});
}

constexpr auto check_option_error = one_leaf::check_option_error<LevenbergMarquardt, LevenbergMarquardtOptions>;

}  // namespace

TEST_CASE("LevenbergMarquardt: a line is one step of least squares away") {
  // y = a + b·x at x = 0, 1, 2, 3: by hand a = 1.1 and b = 1.6, with ½·Σr² = ½·(0.01 + 0.09 + 0.09 + 0.01).
  const gt::DefaultDtype f64(gt::f64);
  const auto x = gt::tensor({0, 1, 2, 3}).to(gt::f64), y = gt::tensor({1.2, 2.4, 4.6, 5.8});
  const gt::Tensor a = gt::parameter(gt::zeros({})), b = gt::parameter(gt::zeros({}));
  LevenbergMarquardt opt({a, b}, {.damping = 1e-15});
  const double loss = opt.step([&] { return a + b * x - y; });
  CHECK(opt.stop() == Stop::gradient);
  CHECK(opt.iterations() == 1);
  CHECK(a.item() == doctest::Approx(1.1).epsilon(1e-12));
  CHECK(b.item() == doctest::Approx(1.6).epsilon(1e-12));
  CHECK(loss == doctest::Approx(0.1).epsilon(1e-12));
  CHECK_FALSE(a.has_grad());
}

TEST_CASE("LevenbergMarquardt: Rosenbrock's valley to rounding") {
  const gt::Tensor w = leaf({-1.2, 1.});
  LevenbergMarquardt opt({w}, {.tolerance_grad = 0, .tolerance_change = 0});
  const double loss = opt.step([&] { return rosenbrock(w); });
  CHECK(loss < 1e-25);
  CHECK(w == gt::approx(gt::ones_like(w)).rtol(1e-12));
  CHECK(opt.iterations() <= 30);
  CHECK(opt.evaluations() <= 45);
  MESSAGE("Rosenbrock: ", opt.iterations(), " iterations, ", opt.evaluations(), " evaluations, loss ", loss);
}

TEST_CASE("LevenbergMarquardt: the parameters of an exponential decay") {
  const gt::DefaultDtype f64(gt::f64);
  const gt::Tensor t = gt::linspace(0, 4, 60), y = 3 * gt::exp(-0.7 * t) + 0.5;
  const gt::Tensor amplitude = leaf({1.}), rest = leaf({1., 0.});  // rate and offset
  LevenbergMarquardt opt({amplitude, rest}, {.tolerance_grad = 0, .tolerance_change = 0});
  opt.step([&] { return amplitude * gt::exp(-rest[0] * t) + rest[1] - y; });
  CHECK(amplitude.item() == doctest::Approx(3).epsilon(1e-10));
  CHECK(rest == gt::approx(gt::tensor({0.7, 0.5})).rtol(1e-10));
}

TEST_CASE("LevenbergMarquardt: residuals that do not vanish: Misra1a of NIST's reference datasets") {
  // https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml: y = b1·(1 - exp(-b2·x)), certified to 11 digits.
  const gt::DefaultDtype f64(gt::f64);
  const auto y =
      gt::tensor({10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78});
  const auto x =
      gt::tensor({77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0});
  const gt::Tensor b = leaf({500., 0.0001});  // NIST's first start
  LevenbergMarquardt opt({b}, {.tolerance_grad = 0});
  const double loss = opt.step([&] { return b[0] * (1 - gt::exp(-b[1] * x)) - y; });
  CHECK(b == gt::approx(gt::tensor({2.3894212918e+02, 5.5015643181e-04})).rtol(1e-9));
  CHECK(2 * loss == doctest::Approx(1.2455138894e-01).epsilon(1e-9));
  MESSAGE("Misra1a: ", opt.iterations(), " iterations, ", opt.evaluations(), " evaluations");
}

TEST_CASE("LevenbergMarquardt: a network, with fewer residuals than parameters") {
  const gt::DefaultDtype f64(gt::f64);
  const gt::RandomStream stream(4);
  const gt::nn::MLP net({2, 4, 1}, {.activation = gt::tanh});
  const auto x = gt::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}).to(gt::f64),
             y = gt::tensor({{0}, {1}, {1}, {0}}).to(gt::f64);
  LevenbergMarquardt opt(net.parameters());
  CHECK(opt.step([&] { return net(x) - y; }) < 1e-15);
  CHECK(gt::sum(gt::square(net(x) - y)).item() < 2e-15);
}

TEST_CASE("LevenbergMarquardt: f32, and parameters that nothing depends on") {
  const gt::Tensor w = gt::parameter(gt::tensor({-1.2, 1.})), idle = gt::parameter(gt::ones({3}));
  LevenbergMarquardt opt({w, idle}, {.tolerance_grad = 1e-4});
  opt.step([&] { return rosenbrock(w); });
  CHECK(w == gt::approx(gt::ones_like(w)).rtol(1e-3));
  CHECK(gt::equal(idle, gt::ones({3})));
}

TEST_CASE("LevenbergMarquardt: parameters that only their sum tells apart") {
  const gt::Tensor w = leaf({1., 2.});
  LevenbergMarquardt opt({w}, {.tolerance_grad = 0, .tolerance_change = 0});
  opt.step([&] { return w[0] + w[1] - 7; });
  CHECK((w[0] + w[1]).item() == doctest::Approx(7).epsilon(1e-12));
}

TEST_CASE("LevenbergMarquardt: steps to where a residual is not finite are shortened") {
  const gt::Tensor w = leaf({5.});
  int bad = 0;
  LevenbergMarquardt opt({w}, {.damping = 1e-10});
  opt.step([&] {
    const gt::Tensor r = gt::log(w);
    bad += std::isfinite(r.item()) ? 0 : 1;
    return r;
  });
  CHECK(bad > 0);
  CHECK(w.item() == doctest::Approx(1).epsilon(1e-10));
}

TEST_CASE("LevenbergMarquardt: why it stops") {
  const auto run = [](const LevenbergMarquardtOptions& options) {
    const gt::Tensor w = leaf({-1.2, 1.});
    LevenbergMarquardt opt({w}, options);
    opt.step([&] { return rosenbrock(w); });
    return opt;
  };
  const LevenbergMarquardt few = run({.max_iter = 3});
  CHECK(few.stop() == Stop::iterations);
  CHECK(few.iterations() == 3);
  CHECK(run({}).stop() == Stop::gradient);
  CHECK(run({.tolerance_grad = 0, .tolerance_change = 0.1}).stop() == Stop::change);

  const gt::Tensor w = leaf({1.});
  LevenbergMarquardt opt({w});
  opt.step([&] { return w / 0; });
  CHECK(opt.stop() == Stop::not_finite);
  opt.step([&] { return gt::sqrt(w - 1) + 1; });  // an infinite slope
  CHECK(opt.stop() == Stop::not_finite);
  CHECK(w.item() == 1);
  opt.step([&] { return gt::zeros({0}, {.dtype = gt::f64}) * w; });
  CHECK(opt.stop() == Stop::gradient);
}

TEST_CASE("LevenbergMarquardt: stops where rounding hides the way") {
  const gt::Tensor w = leaf({0.3});
  LevenbergMarquardt opt({w}, {.tolerance_grad = 0, .tolerance_change = 0});
  opt.step([&] { return gt::stack({w - 1, w - 2.3}); });
  CHECK(opt.stop() == Stop::change);
  CHECK(w.item() == doctest::Approx(1.65));
}

TEST_CASE("LevenbergMarquardt: closures that will not do") {
  const gt::Tensor w = leaf({2.});
  LevenbergMarquardt opt({w});
  CHECK_THROWS_WITH_AS(
      opt.step([&] { return w.detach(); }),
      "LevenbergMarquardt: the residuals depend on no parameter; compute them from the parameters in the closure",
      gt::GradientError);
  CHECK_THROWS_AS(LevenbergMarquardt({}), gt::ValueError);
  CHECK_THROWS_AS(opt.step([] { return gt::Tensor(); }), gt::Error);
  const gt::NoGrad off;
  int calls = 0;
  CHECK_THROWS_AS(opt.step([&]() -> gt::Tensor {
    if (++calls == 3) throw std::runtime_error("no");
    return gt::square(w);
  }),
                  std::runtime_error);
  CHECK(w.item() < 2);  // where the second call was
  CHECK(w.item() > 0.9);
}

TEST_CASE("LevenbergMarquardt: options outside of their domain, and no leaves") {
  check_option_error({.damping = 0}, "LevenbergMarquardt: damping is 0; it must be positive");
  check_option_error({.max_iter = 0}, "LevenbergMarquardt: max_iter is 0; it must be at least 1");
  check_option_error({.tolerance_grad = -1},
                     "LevenbergMarquardt: tolerance_grad is -1 and tolerance_change 1e-10; neither may be negative");
  one_leaf::check_wants_leaves<LevenbergMarquardt>("LevenbergMarquardt");
}
