#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::Adam, gt::optim::AdamOptions;
using one_leaf::set_gradient, one_leaf::size, one_leaf::slope, one_leaf::start;

namespace {

/// Algorithm 1 of Kingma and Ba (2015), element by element in double. The rate of step t is lr / (t + 1).
std::vector<double> reference(const AdamOptions& o, int steps) {
  const auto [beta1, beta2] = o.betas;
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    double m = 0, v = 0, largest = 0;
    for (int t = 0; t < steps; ++t) {
      const double lr = o.lr / (t + 1), g = slope(t, i) + (o.decoupled_weight_decay ? 0 : o.weight_decay * w[i]);
      if (o.decoupled_weight_decay) w[i] -= lr * o.weight_decay * w[i];
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      largest = std::max(largest, v);
      const double m_hat = m / (1 - std::pow(beta1, t + 1)), second = o.amsgrad ? largest : v;
      w[i] -= lr * m_hat / (std::sqrt(second / (1 - std::pow(beta2, t + 1))) + o.eps);
    }
  }
  return w;
}

void check_against_reference(const AdamOptions& options) {
  CAPTURE(options.betas.first);
  CAPTURE(options.eps);
  CAPTURE(options.weight_decay);
  CAPTURE(options.amsgrad);
  CAPTURE(options.decoupled_weight_decay);
  one_leaf::check_steps<Adam>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<Adam, AdamOptions>;

}  // namespace

TEST_CASE("Adam: the recurrence in plain loops") {
  check_against_reference({});
  check_against_reference({.lr = 0.1});
  check_against_reference({.lr = 0.1, .betas = {0.5, 0.7}});
  check_against_reference({.lr = 0.1, .betas = {0, 0.9}});
  check_against_reference({.lr = 0.1, .betas = {0.9, 0.9}, .eps = 0.3});
  check_against_reference({.lr = 0.1, .weight_decay = 0.3});
  check_against_reference({.lr = 0.1, .betas = {0.9, 0.6}, .amsgrad = true});
  check_against_reference({.lr = 0.1, .betas = {0.9, 0.6}, .weight_decay = 0.3, .amsgrad = true});
  check_against_reference({.lr = 0.1, .weight_decay = 0.3, .decoupled_weight_decay = true});
  check_against_reference(
      {.lr = 0.1, .betas = {0.9, 0.6}, .weight_decay = 0.3, .amsgrad = true, .decoupled_weight_decay = true});
}

TEST_CASE("Adam: the first step is lr against the sign of the gradient") {
  const gt::Tensor w = gt::parameter(gt::zeros({4}));
  gt::sum(w * gt::tensor({1e-3, -1e-3, 1e3, -1e3})).backward();
  Adam({w}, {.lr = 0.5, .eps = 0}).step();
  CHECK(w == gt::approx(gt::tensor({-0.5, 0.5, -0.5, 0.5})));
}

TEST_CASE("Adam: options outside of their domain") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  check_option_error({.lr = -0.5}, "Adam: lr is -0.5; it must not be negative");
  check_option_error({.lr = nan}, "Adam: lr is nan; it must not be negative");
  check_option_error({.betas = {1, 0.9}}, "Adam: betas are 1 and 0.9; both must be in [0, 1)");
  check_option_error({.betas = {0.9, -0.1}}, "Adam: betas are 0.9 and -0.1; both must be in [0, 1)");
  check_option_error({.betas = {nan, 0.9}}, "Adam: betas are nan and 0.9; both must be in [0, 1)");
  check_option_error({.eps = -1}, "Adam: eps is -1; it must not be negative");
  check_option_error({.weight_decay = nan}, "Adam: weight_decay is nan; it must not be negative");
}

TEST_CASE("AdamW: Adam with decoupled weight decay") {
  const gt::optim::AdamWOptions defaults;
  one_leaf::check_steps<gt::optim::AdamW>(defaults, 50,
                                          reference({.weight_decay = 0.01, .decoupled_weight_decay = true}, 50));
  one_leaf::check_steps<gt::optim::AdamW>(
      gt::optim::AdamWOptions{.lr = 0.1, .betas = {0.9, 0.6}, .eps = 0.1, .weight_decay = 0.3, .amsgrad = true}, 50,
      reference({.lr = 0.1,
                 .betas = {0.9, 0.6},
                 .eps = 0.1,
                 .weight_decay = 0.3,
                 .amsgrad = true,
                 .decoupled_weight_decay = true},
                50));
  one_leaf::check_option_error<gt::optim::AdamW, gt::optim::AdamWOptions>({.lr = -1},
                                                                          "AdamW: lr is -1; it must not be negative");
  one_leaf::check_wants_leaves<gt::optim::AdamW>("AdamW");
}

TEST_CASE("Adam: a tensor that is no leaf") { one_leaf::check_wants_leaves<Adam>("Adam"); }

TEST_CASE("Adam: a parameter without a gradient is left alone, and its steps are not counted") {
  const gt::Tensor used = start(), late = start(), alone = start();
  Adam both({used, late}, {.lr = 0.1, .weight_decay = 0.1}), single({alone}, {.lr = 0.1, .weight_decay = 0.1});
  set_gradient(used, 0);
  both.step();
  CHECK(gt::equal(late, start()));
  CHECK_FALSE(gt::equal(used, start()));
  set_gradient(late, 1), set_gradient(alone, 1);
  both.step(), single.step();
  CHECK(gt::equal(late, alone));
  both.zero_grad();
  CHECK_FALSE(used.has_grad());
}

TEST_CASE("Adam: works in place and leaves a live graph its values") {
  one_leaf::check_in_place<Adam, AdamOptions>({.lr = 0.1, .amsgrad = true});
}

TEST_CASE("Adam: starts anew after the module is converted") {
  const gt::RandomStream stream(3);
  gt::nn::Linear layer(2, 1);
  const gt::nn::Linear fresh = [&] {
    gt::nn::Linear copy = layer;
    copy.to(gt::f64);
    return copy;
  }();
  const auto step = [](const gt::nn::Linear& net, Adam& opt, gt::Dtype dtype) {
    opt.zero_grad();
    gt::sum(gt::square(net(gt::ones({1, 2}, {.dtype = dtype})))).backward();
    opt.step();
  };
  Adam opt(layer.parameters(), {.lr = 0}), other(fresh.parameters(), {.lr = 0.1});
  step(layer, opt, gt::f32);
  layer.to(gt::f64);
  opt.lr = 0.1;
  for (int i = 0; i < 3; ++i) step(layer, opt, gt::f64), step(fresh, other, gt::f64);
  CHECK(gt::equal(layer.weight, fresh.weight));
}

TEST_CASE("Adam: an empty parameter") {
  const gt::Tensor w = gt::parameter(gt::zeros({0, 3}));
  gt::sum(w).backward();
  CHECK_NOTHROW(Adam({w}).step());
}
