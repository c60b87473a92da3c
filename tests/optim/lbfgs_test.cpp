#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::LBFGS, gt::optim::LBFGSOptions, gt::optim::LineSearch, gt::optim::Stop;

namespace {

/// A closure as people write it.
template <class Loss>
auto closure(Loss loss) {
  return [loss] {
    const gt::Tensor value = loss();
    value.backward();
    return value;
  };
}

/// 100·(y - x²)² + (1 - x)², from its usual start.
gt::Tensor rosenbrock_start() { return gt::parameter(gt::tensor({-1.2, 1.}, {.dtype = gt::f64})); }
gt::Tensor rosenbrock(const gt::Tensor& w) {
  const gt::Tensor x = w[0], y = w[1];
  return 100 * gt::square(y - gt::square(x)) + gt::square(1 - x);
}
struct Point {
  double x, y, value;
  double gx, gy;
};
Point rosenbrock_at(const gt::Tensor& w) {
  const auto v = w.to_vector<double>();
  const double x = v[0], y = v[1], rise = y - x * x;
  return {x, y, 100 * rise * rise + (1 - x) * (1 - x), -400 * x * rise - 2 * (1 - x), 200 * rise};
}

/// ½ wᵀAw - bᵀw with a random A whose condition is about 100, and the norm of its gradient.
struct Quadratic {
  static constexpr int n = 100;
  gt::Tensor a, b;
  Quadratic() {
    const gt::DefaultDtype f64(gt::f64);
    const gt::RandomStream stream(8);
    const gt::Tensor m = gt::randn({n, n});
    a = gt::matmul(gt::transpose(m), m) / n + 0.04 * (gt::reshape(gt::arange(n), {n, 1}) == gt::arange(n)).to(gt::f64);
    b = gt::randn({n});
  }
  gt::Tensor operator()(const gt::Tensor& w) const {
    const gt::Tensor column = gt::reshape(w, {n, 1});
    return 0.5 * gt::sum(column * gt::matmul(a, column)) - gt::sum(b * w);
  }
  double residual(const gt::Tensor& w) const {
    const gt::Tensor column = gt::reshape(w.detach(), {n, 1});
    return gt::max(gt::abs(gt::matmul(a, column) - gt::reshape(b, {n, 1}))).item();
  }
};

gt::Tensor f64_leaf(double value) { return gt::parameter(gt::tensor({value}, {.dtype = gt::f64})); }

constexpr auto check_option_error = one_leaf::check_option_error<LBFGS, LBFGSOptions>;

}  // namespace

TEST_CASE("LBFGS: Rosenbrock's valley to 1e-10") {
  const gt::Tensor w = rosenbrock_start();
  LBFGS opt({w}, {.max_iter = 100, .tolerance_grad = 1e-10, .tolerance_change = 0});
  const double loss = opt.step(closure([&] { return rosenbrock(w); }));
  CHECK(opt.stop() == Stop::gradient);
  CHECK(opt.iterations() <= 40);
  CHECK(opt.evaluations() <= 50);
  CHECK(loss < 1e-20);
  CHECK(loss == doctest::Approx(rosenbrock_at(w).value));
  CHECK(w == gt::approx(gt::ones_like(w)).rtol(1e-10));
  MESSAGE("Rosenbrock: ", opt.iterations(), " iterations, ", opt.evaluations(), " evaluations, loss ", loss);
}

TEST_CASE("LBFGS: every step meets the strong Wolfe conditions") {
  const gt::Tensor w = rosenbrock_start();
  LBFGS opt({w}, {.max_iter = 1, .tolerance_grad = 1e-10, .tolerance_change = 0});
  int steps = 0;
  for (;; ++steps) {
    const Point from = rosenbrock_at(w);
    opt.step(closure([&] { return rosenbrock(w); }));
    if (opt.iterations() == steps) break;
    const Point to = rosenbrock_at(w);
    const double dx = to.x - from.x, dy = to.y - from.y;
    const double before = from.gx * dx + from.gy * dy, after = to.gx * dx + to.gy * dy;
    CHECK(before < 0);
    CHECK(to.value <= from.value + 1e-4 * before);
    CHECK(std::abs(after) <= 0.9 * std::abs(before) * (1 + 1e-9));
  }
  CHECK(steps > 20);

  const gt::Tensor at_once = rosenbrock_start();  // what it remembers lasts from call to call
  LBFGS single({at_once}, {.max_iter = 100, .tolerance_grad = 1e-10, .tolerance_change = 0});
  single.step(closure([&] { return rosenbrock(at_once); }));
  CHECK(single.iterations() == steps);
  CHECK(gt::equal(w, at_once));
}

TEST_CASE("LBFGS: a quadratic function of 100 parameters") {
  const Quadratic f;
  const gt::Tensor w = gt::parameter(gt::zeros({Quadratic::n}, {.dtype = gt::f64}));
  LBFGS opt({w}, {.max_iter = 500, .tolerance_grad = 1e-9, .tolerance_change = 0});
  opt.step(closure([&] { return f(w); }));
  CHECK(opt.stop() == Stop::gradient);
  CHECK(f.residual(w) <= 1e-9);
  CHECK(opt.iterations() <= Quadratic::n + 5);
  MESSAGE("quadratic: ", opt.iterations(), " iterations, ", opt.evaluations(), " evaluations");
}

TEST_CASE("LBFGS: a short history") {
  const Quadratic f;
  const gt::Tensor w = gt::parameter(gt::zeros({Quadratic::n}, {.dtype = gt::f64}));
  LBFGS opt({w}, {.max_iter = 500, .tolerance_grad = 1e-9, .tolerance_change = 0, .history_size = 5});
  opt.step(closure([&] { return f(w); }));
  CHECK(opt.stop() == Stop::gradient);
  CHECK(f.residual(w) <= 1e-9);
}

TEST_CASE("LBFGS: a fixed length instead of a search") {
  const Quadratic f;
  const gt::Tensor w = gt::parameter(gt::zeros({Quadratic::n}, {.dtype = gt::f64}));
  LBFGS opt({w}, {.max_iter = 500, .tolerance_grad = 1e-9, .tolerance_change = 0, .line_search = LineSearch::none});
  opt.step(closure([&] { return f(w); }));
  CHECK(opt.stop() == Stop::gradient);
  CHECK(opt.evaluations() == opt.iterations() + 1);
  CHECK(f.residual(w) <= 1e-9);
}

TEST_CASE("LBFGS: f32") {
  const gt::Tensor w = gt::parameter(gt::tensor({-1.2, 1.}));
  LBFGS opt({w}, {.max_iter = 100, .tolerance_grad = 1e-4, .tolerance_change = 0});
  opt.step(closure([&] { return rosenbrock(w); }));
  CHECK(opt.stop() == Stop::gradient);
  CHECK(w == gt::approx(gt::ones_like(w)).rtol(1e-3));
}

TEST_CASE("LBFGS: a network of several parameters") {
  const gt::DefaultDtype f64(gt::f64);
  const gt::RandomStream stream(4);
  const gt::nn::MLP net({2, 4, 1}, {.activation = gt::tanh});
  const auto x = gt::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}), y = gt::tensor({{0}, {1}, {1}, {0}});
  const gt::Tensor idle = gt::parameter(gt::ones({3}));
  std::vector<gt::Tensor> parameters = net.parameters();
  parameters.push_back(idle);
  LBFGS opt(parameters, {.max_iter = 200, .tolerance_change = 1e-12});
  const double loss = opt.step(closure([&] { return gt::mse_loss(net(x), y); }));
  CHECK(loss < 1e-10);
  CHECK(loss == gt::mse_loss(net(x), y).item());
  CHECK(gt::equal(idle, gt::ones({3})));

  const auto gradient = gt::grad(gt::mse_loss(net(x), y), net.parameters());  // those that were left are of here
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(gt::equal(net.parameters()[i].grad(), gradient[i]));
  opt.zero_grad();
  CHECK_FALSE(net.layers[0].weight.has_grad());
}

TEST_CASE("LBFGS: goes on after the module is converted") {
  const gt::RandomStream stream(4);
  gt::nn::MLP net({2, 4, 1}, {.activation = gt::tanh});
  const auto x = gt::tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}), y = gt::tensor({{0}, {1}, {1}, {0}});
  LBFGS opt(net.parameters(), {.max_iter = 100, .tolerance_change = 0});
  opt.step(closure([&] { return gt::mse_loss(net(x), y); }));
  net.to(gt::f64);
  CHECK(opt.step(closure([&] { return gt::mse_loss(net(x.to(gt::f64)), y.to(gt::f64)); })) < 1e-10);
}

TEST_CASE("LBFGS: steps to where the loss is not finite are cut short") {
  const gt::Tensor w = f64_leaf(0.01);
  int bad = 0;
  const auto loss = [&] {
    const gt::Tensor value = -5 * gt::log(w) - gt::log(1 - w);
    bad += std::isfinite(value.item()) ? 0 : 1;
    return value;
  };
  LBFGS opt({w}, {.tolerance_grad = 1e-9, .tolerance_change = 0});
  opt.step(closure(loss));
  CHECK(bad > 0);
  CHECK(opt.stop() == Stop::gradient);
  CHECK(w.item() == doctest::Approx(5. / 6).epsilon(1e-10));
}

TEST_CASE("LBFGS: at the optimum already") {
  const gt::Tensor w = gt::parameter(gt::ones({2}, {.dtype = gt::f64}));
  LBFGS opt({w});
  CHECK(opt.step(closure([&] { return rosenbrock(w); })) == 0);
  CHECK(opt.stop() == Stop::gradient);
  CHECK(opt.iterations() == 0);
  CHECK(opt.evaluations() == 1);
  CHECK(gt::equal(w, gt::ones_like(w)));
}

TEST_CASE("LBFGS: why it stops") {
  const auto run = [](const LBFGSOptions& options) {
    const gt::Tensor w = rosenbrock_start();
    LBFGS opt({w}, options);
    opt.step(closure([&] { return rosenbrock(w); }));
    return opt;
  };
  const LBFGS steps = run({.max_iter = 7, .max_eval = 100});
  CHECK(steps.stop() == Stop::iterations);
  CHECK(steps.iterations() == 7);
  const LBFGS calls = run({.max_iter = 100, .max_eval = 12});
  CHECK(calls.stop() == Stop::evaluations);
  CHECK(calls.evaluations() >= 12);
  CHECK(calls.evaluations() < 12 + 25);
  CHECK(run({.max_iter = 100, .tolerance_change = 1e-3}).stop() == Stop::change);
  CHECK(run({.max_iter = 100, .tolerance_change = 0}).stop() == Stop::gradient);
  CHECK(to_string(Stop::gradient) == "gradient");
  CHECK(to_string(Stop::not_finite) == "not_finite");

  const gt::Tensor w = f64_leaf(1);
  LBFGS opt({w});
  opt.step(closure([&] { return gt::sum(w) / 0.; }));
  CHECK(opt.stop() == Stop::not_finite);
  CHECK(opt.evaluations() == 1);
  CHECK(w.item() == 1);
}

TEST_CASE("LBFGS: a wrong gradient ends in place") {
  const gt::Tensor w = f64_leaf(1);
  LBFGS opt({w});
  const double loss = opt.step([&] {
    gt::sum(-w).backward();
    return gt::sum(w);
  });
  CHECK(opt.stop() == Stop::line_search);
  CHECK(loss == 1);
  CHECK(w.item() == 1);
}

TEST_CASE("LBFGS: closures that will not do") {
  const gt::Tensor w = one_leaf::start();
  LBFGS opt({w});
  CHECK_THROWS_WITH_AS(
      opt.step([&] {
        gt::sum(w).backward();
        return 2 * w;
      }),
      "LBFGS: the closure returned a loss of shape [37]; it must have exactly one element: reduce it first (sum, mean)",
      gt::ShapeError);
  CHECK_THROWS_WITH_AS(
      opt.step([&] { return gt::sum(w); }),
      "LBFGS: no parameter has a gradient after the closure; let it call backward() on the loss it returns",
      gt::GradientError);
  CHECK_THROWS_AS(opt.step([] { return gt::Tensor(); }), gt::Error);
}

TEST_CASE("LBFGS: a closure that throws leaves the parameters of the last iteration") {
  const gt::Tensor w = rosenbrock_start();
  LBFGS opt({w}, {.max_iter = 100, .max_eval = 100});
  double lowest = std::numeric_limits<double>::infinity();
  int calls = 0;
  CHECK_THROWS_AS(opt.step([&] {
    if (++calls == 10) throw std::runtime_error("enough");
    const gt::Tensor loss = rosenbrock(w);
    loss.backward();
    lowest = std::min(lowest, loss.item());
    return loss;
  }),
                  std::runtime_error);
  CHECK(opt.iterations() > 3);
  CHECK(rosenbrock_at(w).value == doctest::Approx(lowest));
  opt.step(closure([&] { return rosenbrock(w); }));
  CHECK(rosenbrock_at(w).value < lowest);
}

TEST_CASE("LBFGS: works inside of NoGrad and leaves other handles their values") {
  const gt::Tensor w = rosenbrock_start(), before = w.detach();
  const gt::NoGrad off;
  const auto function = std::function<gt::Tensor()>(closure([&] { return rosenbrock(w); }));
  LBFGS({w}).step(function);
  CHECK(rosenbrock_at(w).value < 1);
  CHECK(gt::equal(before, rosenbrock_start()));
}

TEST_CASE("LBFGS: options outside of their domain") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  check_option_error({.lr = 0}, "LBFGS: lr is 0; it must be positive");
  check_option_error({.lr = nan}, "LBFGS: lr is nan; it must be positive");
  check_option_error({.max_iter = 0}, "LBFGS: max_iter is 0, max_eval 1 and history_size 100; each must be at least 1");
  check_option_error({.max_eval = -1},
                     "LBFGS: max_iter is 20, max_eval -1 and history_size 100; each must be at least 1");
  check_option_error({.history_size = 0},
                     "LBFGS: max_iter is 20, max_eval 1 and history_size 0; each must be at least 1");
  check_option_error({.tolerance_grad = -1},
                     "LBFGS: tolerance_grad is -1 and tolerance_change 1e-09; neither may be negative");
  check_option_error({.tolerance_change = nan},
                     "LBFGS: tolerance_grad is 1e-07 and tolerance_change nan; neither may be negative");
}

TEST_CASE("LBFGS: a tensor that is no leaf") { one_leaf::check_wants_leaves<LBFGS>("LBFGS"); }
