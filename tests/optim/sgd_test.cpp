#include <limits>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::SGD, gt::optim::SGDOptions;
using one_leaf::set_gradient, one_leaf::size, one_leaf::slope, one_leaf::start;

namespace {

/// The recurrence of SGD's docstring, element by element in double. The rate of step t is lr / (t + 1).
std::vector<double> reference(const SGDOptions& o, int steps) {
  std::vector<double> w(size), v(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    for (int t = 0; t < steps; ++t) {
      const double d = slope(t, i) + o.weight_decay * w[i];
      v[i] = t == 0 ? d : o.momentum * v[i] + (1 - o.dampening) * d;
      const double along = o.momentum == 0 ? d : o.nesterov ? d + o.momentum * v[i] : v[i];
      w[i] -= o.lr / (t + 1) * along;
    }
  }
  return w;
}

void check_against_reference(const SGDOptions& options) {
  CAPTURE(options.momentum);
  CAPTURE(options.dampening);
  CAPTURE(options.weight_decay);
  CAPTURE(options.nesterov);
  one_leaf::check_steps<SGD>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<SGD, SGDOptions>;

}  // namespace

TEST_CASE("SGD: the recurrence in plain loops") {
  check_against_reference({.lr = 0.1});
  check_against_reference({.lr = 0.1, .weight_decay = 0.3});
  check_against_reference({.lr = 0.1, .momentum = 0.9});
  check_against_reference({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.3});
  check_against_reference({.lr = 0.1, .momentum = 0.9, .dampening = 0.4});
  check_against_reference({.lr = 0.1, .momentum = 0.9, .dampening = 0.4, .weight_decay = 0.3});
  check_against_reference({.lr = 0.1, .momentum = 0.9, .nesterov = true});
  check_against_reference({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.3, .nesterov = true});
}

TEST_CASE("SGD: options outside of their domain") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  check_option_error({.lr = -0.5}, "SGD: lr is -0.5; it must not be negative");
  check_option_error({.lr = nan}, "SGD: lr is nan; it must not be negative");
  check_option_error({.momentum = -0.1}, "SGD: momentum is -0.1; it must not be negative");
  check_option_error({.weight_decay = -2}, "SGD: weight_decay is -2; it must not be negative");
  check_option_error({.momentum = nan}, "SGD: momentum is nan; it must not be negative");
  check_option_error({.nesterov = true}, "SGD: nesterov needs momentum > 0 and dampening = 0");
  check_option_error({.momentum = 0.9, .dampening = 0.1, .nesterov = true},
                     "SGD: nesterov needs momentum > 0 and dampening = 0");
}

TEST_CASE("SGD: a tensor that is no leaf") { one_leaf::check_wants_leaves<SGD>("SGD"); }

TEST_CASE("SGD: the rate can be assigned between steps") {
  const gt::Tensor w = gt::parameter(gt::tensor({1.}, {.dtype = gt::f64}));
  SGD opt({w}, {.lr = 0.5});
  CHECK(opt.lr == 0.5);
  w.backward();
  opt.step();
  CHECK(w.item() == 0.5);
  opt.lr = 0.25;
  opt.step();
  CHECK(w.item() == 0.25);
  opt.lr = 0;
  opt.step();
  CHECK(w.item() == 0.25);
}

TEST_CASE("SGD: a parameter without a gradient is left alone") {
  const gt::Tensor used = start(), idle = start();
  SGD opt({used, idle}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  set_gradient(used, 0);
  opt.step();
  CHECK(gt::equal(idle, start()));
  CHECK_FALSE(gt::equal(used, start()));
}

TEST_CASE("SGD: zero_grad forgets the gradients") {
  const gt::Tensor w = start();
  const SGD opt({w});
  set_gradient(w, 0);
  CHECK(w.has_grad());
  opt.zero_grad();
  CHECK_FALSE(w.has_grad());
}

TEST_CASE("SGD: works in place and leaves a live graph its values") {
  one_leaf::check_in_place<SGD, SGDOptions>({.lr = 0.1, .momentum = 0.9});
}

TEST_CASE("SGD: a transposed gradient") {
  const gt::Tensor w = gt::parameter(gt::zeros({2, 3}));
  gt::sum(gt::transpose(w) * gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}})).backward();
  SGD({w}, {.lr = 1}).step();
  CHECK(gt::equal(w, gt::tensor({{-1., -3., -5.}, {-2., -4., -6.}})));
}

TEST_CASE("SGD: goes on after the module is converted") {
  gt::nn::Linear layer(2, 1);
  layer.weight.assign(gt::tensor({{1., 2.}}));
  layer.bias.assign(gt::tensor({0.}));
  SGD opt(layer.parameters(), {.lr = 0.5, .momentum = 0.5});
  const auto step = [&](gt::Dtype dtype) {
    opt.zero_grad();
    gt::sum(layer(gt::ones({1, 2}, {.dtype = dtype}))).backward();  // every gradient is 1
    opt.step();
  };
  step(gt::f32);
  CHECK(gt::equal(layer.weight, gt::tensor({{0.5, 1.5}})));
  layer.to(gt::f64);  // velocities of the other dtype start anew
  step(gt::f64);
  CHECK(gt::equal(layer.weight, gt::tensor({{0., 1.}}, {.dtype = gt::f64})));
  step(gt::f64);
  CHECK(gt::equal(layer.weight, gt::tensor({{-0.75, 0.25}}, {.dtype = gt::f64})));
  CHECK(gt::equal(layer.bias, gt::tensor({-1.75}, {.dtype = gt::f64})));
}
