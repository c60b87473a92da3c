#include <cmath>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::Adadelta, gt::optim::AdadeltaOptions;
using one_leaf::size, one_leaf::slope;

namespace {

/// Algorithm 1 of Zeiler (2012), element by element in double. The rate of step t is lr / (t + 1).
std::vector<double> reference(const AdadeltaOptions& o, int steps) {
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    double s = 0, a = 0;
    for (int t = 0; t < steps; ++t) {
      const double d = slope(t, i) + o.weight_decay * w[i];
      s = o.rho * s + (1 - o.rho) * d * d;
      const double delta = std::sqrt((a + o.eps) / (s + o.eps)) * d;
      a = o.rho * a + (1 - o.rho) * delta * delta;
      w[i] -= o.lr / (t + 1) * delta;
    }
  }
  return w;
}

void check_against_reference(const AdadeltaOptions& options) {
  CAPTURE(options.rho);
  CAPTURE(options.weight_decay);
  one_leaf::check_steps<Adadelta>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<Adadelta, AdadeltaOptions>;

}  // namespace

TEST_CASE("Adadelta: the recurrence in plain loops") {
  check_against_reference({});
  check_against_reference({.lr = 0.3, .rho = 0.5});
  check_against_reference({.eps = 1e-3});
  check_against_reference({.rho = 0.95, .eps = 1e-3, .weight_decay = 0.3});
}

TEST_CASE("Adadelta: options outside of their domain") {
  check_option_error({.lr = -1}, "Adadelta: lr is -1; it must not be negative");
  check_option_error({.rho = 1}, "Adadelta: rho is 1; it must be in [0, 1)");
  check_option_error({.eps = -1}, "Adadelta: eps is -1; it must not be negative");
  check_option_error({.weight_decay = -1}, "Adadelta: weight_decay is -1; it must not be negative");
}

TEST_CASE("Adadelta: works in place, on leaves") {
  one_leaf::check_in_place<Adadelta, AdadeltaOptions>({});
  one_leaf::check_wants_leaves<Adadelta>("Adadelta");
}
