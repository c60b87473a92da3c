#include <cmath>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::NAdam, gt::optim::NAdamOptions;
using one_leaf::size, one_leaf::slope;

namespace {

/// The recurrence of NAdam's docstring, element by element in double. The rate of step t is lr / t.
std::vector<double> reference(const NAdamOptions& o, int steps) {
  const auto [beta1, beta2] = o.betas;
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    double m = 0, v = 0, product = 1;
    for (int t = 1; t <= steps; ++t) {
      const double lr = o.lr / t, d = slope(t - 1, i) + (o.decoupled_weight_decay ? 0 : o.weight_decay * w[i]);
      if (o.decoupled_weight_decay) w[i] -= lr * o.weight_decay * w[i];
      m = beta1 * m + (1 - beta1) * d;
      v = beta2 * v + (1 - beta2) * d * d;
      const double mu = beta1 * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay));
      const double next = beta1 * (1 - 0.5 * std::pow(0.96, (t + 1) * o.momentum_decay));
      product *= mu;
      const double along = (1 - mu) / (1 - product) * d + next / (1 - product * next) * m;
      w[i] -= lr * along / (std::sqrt(v / (1 - std::pow(beta2, t))) + o.eps);
    }
  }
  return w;
}

void check_against_reference(const NAdamOptions& options) {
  CAPTURE(options.betas.first);
  CAPTURE(options.weight_decay);
  CAPTURE(options.momentum_decay);
  CAPTURE(options.decoupled_weight_decay);
  one_leaf::check_steps<NAdam>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<NAdam, NAdamOptions>;

}  // namespace

TEST_CASE("NAdam: the recurrence in plain loops") {
  check_against_reference({});
  check_against_reference({.lr = 0.1, .betas = {0.5, 0.7}});
  check_against_reference({.lr = 0.1, .betas = {0, 0.9}});
  check_against_reference({.lr = 0.1, .eps = 0.3, .momentum_decay = 0.5});
  check_against_reference({.lr = 0.1, .weight_decay = 0.3});
  check_against_reference({.lr = 0.1, .weight_decay = 0.3, .decoupled_weight_decay = true});
}

TEST_CASE("NAdam: options outside of their domain") {
  check_option_error({.lr = -1}, "NAdam: lr is -1; it must not be negative");
  check_option_error({.betas = {1, 0.9}}, "NAdam: betas are 1 and 0.9; both must be in [0, 1)");
  check_option_error({.eps = -1}, "NAdam: eps is -1; it must not be negative");
  check_option_error({.weight_decay = -1}, "NAdam: weight_decay is -1; it must not be negative");
  check_option_error({.momentum_decay = -1}, "NAdam: momentum_decay is -1; it must not be negative");
}

TEST_CASE("NAdam: works in place, on leaves") {
  one_leaf::check_in_place<NAdam, NAdamOptions>({});
  one_leaf::check_wants_leaves<NAdam>("NAdam");
}
