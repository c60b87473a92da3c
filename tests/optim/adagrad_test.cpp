#include <cmath>
#include <vector>

#include "one_leaf.hpp"

namespace gt = gradtape;
using gt::optim::Adagrad, gt::optim::AdagradOptions;
using one_leaf::size, one_leaf::slope;

namespace {

/// The recurrence of Adagrad's docstring, element by element in double. The rate of step t is lr / (t + 1).
std::vector<double> reference(const AdagradOptions& o, int steps) {
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) {
    w[i] = one_leaf::initial(i);
    double s = o.initial_accumulator_value;
    for (int t = 0; t < steps; ++t) {
      const double d = slope(t, i) + o.weight_decay * w[i];
      s += d * d;
      w[i] -= o.lr / (t + 1) / (1 + t * o.lr_decay) * d / (std::sqrt(s) + o.eps);
    }
  }
  return w;
}

void check_against_reference(const AdagradOptions& options) {
  CAPTURE(options.lr_decay);
  CAPTURE(options.weight_decay);
  CAPTURE(options.initial_accumulator_value);
  one_leaf::check_steps<Adagrad>(options, 50, reference(options, 50));
}

constexpr auto check_option_error = one_leaf::check_option_error<Adagrad, AdagradOptions>;

}  // namespace

TEST_CASE("Adagrad: the recurrence in plain loops") {
  check_against_reference({});
  check_against_reference({.lr = 0.1, .eps = 0.1});
  check_against_reference({.lr = 0.1, .lr_decay = 0.2});
  check_against_reference({.lr = 0.1, .weight_decay = 0.3});
  check_against_reference({.lr = 0.1, .lr_decay = 0.2, .weight_decay = 0.3, .initial_accumulator_value = 0.4});
}

TEST_CASE("Adagrad: options outside of their domain") {
  check_option_error({.lr = -1}, "Adagrad: lr is -1; it must not be negative");
  check_option_error({.lr_decay = -1}, "Adagrad: lr_decay is -1; it must not be negative");
  check_option_error({.weight_decay = -1}, "Adagrad: weight_decay is -1; it must not be negative");
  check_option_error({.initial_accumulator_value = -1},
                     "Adagrad: initial_accumulator_value is -1; it must not be negative");
  check_option_error({.eps = -1}, "Adagrad: eps is -1; it must not be negative");
}

TEST_CASE("Adagrad: works in place, on leaves") {
  one_leaf::check_in_place<Adagrad, AdagradOptions>({});
  one_leaf::check_wants_leaves<Adagrad>("Adagrad");
}
