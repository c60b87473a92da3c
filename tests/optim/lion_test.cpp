#include <limits>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::Lion, gt::optim::LionOptions;
using one_leaf::size, one_leaf::slope;

namespace {

/// Algorithm 2 of Chen et al. (2023), element by element in double. The rate of step t is lr / (t + 1).
std::vector<double> reference(const LionOptions& o, int steps) {
  const auto [beta1, beta2] = o.betas;
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    double m = 0;
    for (int t = 0; t < steps; ++t) {
      const double g = slope(t, i), c = beta1 * m + (1 - beta1) * g;
      w[i] -= o.lr / (t + 1) * ((c > 0) - (c < 0) + o.weight_decay * w[i]);
      m = beta2 * m + (1 - beta2) * g;
    }
  }
  return w;
}

void check_against_reference(const LionOptions& options) {
  CAPTURE(options.betas.first);
  CAPTURE(options.weight_decay);
  one_leaf::check_steps<Lion>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<Lion, LionOptions>;

}  // namespace

TEST_CASE("Lion: the recurrence in plain loops") {
  check_against_reference({.lr = 0.1});
  check_against_reference({.lr = 0.1, .betas = {0.5, 0.7}});
  check_against_reference({.lr = 0.1, .betas = {0, 0.9}, .weight_decay = 0.3});
}

TEST_CASE("Lion: a gradient of 0 does not move, and NaN shows") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const gt::Tensor w = gt::parameter(gt::zeros({4}));
  gt::sum(w * gt::tensor({0., -0.1, nan, 3.})).backward();
  Lion({w}, {.lr = 0.5}).step();
  CHECK(w == gt::approx(gt::tensor({0., 0.5, nan, -0.5})));
}

TEST_CASE("Lion: options outside of their domain") {
  check_option_error({.lr = -1}, "Lion: lr is -1; it must not be negative");
  check_option_error({.betas = {0.9, 1}}, "Lion: betas are 0.9 and 1; both must be in [0, 1)");
  check_option_error({.weight_decay = -1}, "Lion: weight_decay is -1; it must not be negative");
}

TEST_CASE("Lion: works in place, on leaves") {
  one_leaf::check_in_place<Lion, LionOptions>({});
  one_leaf::check_wants_leaves<Lion>("Lion");
}
