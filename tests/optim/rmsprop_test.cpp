#include <cmath>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::RMSprop, gt::optim::RMSpropOptions;
using one_leaf::size, one_leaf::slope;

namespace {

/// The recurrence of RMSprop's docstring, element by element in double. The rate of step t is lr / (t + 1).
std::vector<double> reference(const RMSpropOptions& o, int steps) {
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    double s = 0, a = 0, b = 0;
    for (int t = 0; t < steps; ++t) {
      const double d = slope(t, i) + o.weight_decay * w[i];
      s = o.alpha * s + (1 - o.alpha) * d * d;
      a = o.centered ? o.alpha * a + (1 - o.alpha) * d : 0;
      b = o.momentum * b + d / (std::sqrt(s - a * a) + o.eps);
      w[i] -= o.lr / (t + 1) * b;
    }
  }
  return w;
}

void check_against_reference(const RMSpropOptions& options) {
  CAPTURE(options.weight_decay);
  CAPTURE(options.momentum);
  CAPTURE(options.centered);
  one_leaf::check_steps<RMSprop>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<RMSprop, RMSpropOptions>;

}  // namespace

TEST_CASE("RMSprop: the recurrence in plain loops") {
  check_against_reference({});
  check_against_reference({.alpha = 0.6, .eps = 0.1});
  check_against_reference({.weight_decay = 0.3});
  check_against_reference({.momentum = 0.9});
  check_against_reference({.eps = 0.1, .centered = true});
  check_against_reference({.alpha = 0.9, .eps = 0.1, .weight_decay = 0.3, .momentum = 0.5, .centered = true});
}

TEST_CASE("RMSprop: a gradient that never changes has no negative variance") {
  const gt::Tensor w = gt::parameter(gt::full({9}, 0.3));
  RMSprop opt({w}, {.alpha = 0.5, .centered = true});
  for (int i = 0; i < 100; ++i) {
    w.zero_grad();
    gt::sum(w * 0.1).backward();
    opt.step();
  }
  CHECK(gt::all(gt::isfinite(w)).item<bool>());
}

TEST_CASE("RMSprop: options outside of their domain") {
  check_option_error({.lr = -1}, "RMSprop: lr is -1; it must not be negative");
  check_option_error({.alpha = 1}, "RMSprop: alpha is 1; it must be in [0, 1)");
  check_option_error({.eps = -1}, "RMSprop: eps is -1; it must not be negative");
  check_option_error({.weight_decay = -1}, "RMSprop: weight_decay is -1; it must not be negative");
  check_option_error({.momentum = -1}, "RMSprop: momentum is -1; it must not be negative");
}

TEST_CASE("RMSprop: works in place, on leaves") {
  one_leaf::check_in_place<RMSprop, RMSpropOptions>({.momentum = 0.9, .centered = true});
  one_leaf::check_wants_leaves<RMSprop>("RMSprop");
}
