#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using namespace gradtape::optim;
using gradtape::load_state, gradtape::state_of;

namespace {

void check_rates(const Schedule& schedule, const std::vector<double>& expected) {
  for (std::size_t step = 0; step < expected.size(); ++step) {
    CAPTURE(step);
    CHECK(schedule(static_cast<std::int64_t>(step)) == doctest::Approx(expected[step]).epsilon(1e-14));
  }
}

void check_error(const Schedule& schedule, std::int64_t step, const char* message) {
  CHECK_THROWS_WITH_AS(schedule(step), message, gt::ValueError);
}

constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("schedule: steps") {
  check_rates(StepLR{.lr = 8, .step_size = 2, .gamma = 0.5}, {8, 8, 4, 4, 2, 2, 1});
  check_rates(MultiStepLR{.lr = 8, .milestones = {5, 1, 3, 3}, .gamma = 0.5}, {8, 4, 4, 1, 1, 0.5, 0.5});
  check_rates(ExponentialLR{.lr = 8, .gamma = 0.5}, {8, 4, 2, 1});
  CHECK(ExponentialLR{.lr = 8, .gamma = 0.5}(far) == 0);
}

TEST_CASE("schedule: a factor of one's own") {
  check_rates(LambdaLR{.lr = 8, .factor = [](std::int64_t step) { return 1 / (1. + static_cast<double>(step)); }},
              {8, 4, 8. / 3, 2});
}

TEST_CASE("schedule: half a cosine") {
  const double root = std::numbers::sqrt2 / 2;
  check_rates(CosineLR{.lr = 3, .steps = 4, .eta_min = 1}, {3, 2 + root, 2, 2 - root, 1, 1});
  CHECK(CosineLR{.lr = 3, .steps = 4}(far) == 0);
}

TEST_CASE("schedule: a line") {
  check_rates(LinearLR{.lr = 3, .steps = 4}, {1, 1.5, 2, 2.5, 3, 3});
  check_rates(LinearLR{.lr = 2, .steps = 2, .start_factor = 1, .end_factor = 0}, {2, 1, 0, 0});
}

TEST_CASE("schedule: one cycle") {
  // Up in 0.4·10 - 1 = 3 steps from 1 to 25, down in 6 from there to 1/100.
  const OneCycleLR cycle{.max_lr = 25, .total_steps = 10, .pct_start = 0.4, .div_factor = 25, .final_div_factor = 100};
  std::vector<double> expected;
  for (int i = 0; i <= 3; ++i) expected.push_back(13 - 12 * std::cos(std::numbers::pi * i / 3));
  for (int i = 1; i <= 6; ++i)
    expected.push_back((25 + 0.01) / 2 + (25 - 0.01) / 2 * std::cos(std::numbers::pi * i / 6));
  expected.push_back(0.01);
  check_rates(cycle, expected);
  CHECK(cycle(far) == doctest::Approx(0.01));
  check_rates(OneCycleLR{.max_lr = 1, .total_steps = 2, .pct_start = 0}, {0.5 * (1 + 4e-6), 4e-6});
  CHECK(std::isfinite(OneCycleLR{.max_lr = 1, .total_steps = 1, .pct_start = 1}(0)));
}

TEST_CASE("schedule: one after another") {
  const JoinedLR joined{{{LinearLR{.lr = 4, .steps = 2, .start_factor = 0.5}, 3},
                         {[](std::int64_t step) { return 10. + static_cast<double>(step); }, 2},
                         {ExponentialLR{.lr = 1, .gamma = 0.5}}}};
  check_rates(joined, {2, 3, 4, 10, 11, 1, 0.5, 0.25});
  check_rates(JoinedLR{{{StepLR{.lr = 8, .step_size = 1, .gamma = 0.5}, 1}}}, {8, 4, 2});  // the last never ends
}

TEST_CASE("schedule: the rate of an optimizer") {
  const gt::Tensor w = gt::parameter(gt::tensor({0.}, {.dtype = gt::f64}));
  SGD opt({w});
  const StepLR schedule{.lr = 1, .step_size = 1, .gamma = 0.5};
  w.backward();
  for (int step = 0; step < 4; ++step) {
    opt.lr = schedule(step);
    opt.step();
  }
  CHECK(w.item() == -1.875);
}

TEST_CASE("schedule: misuse") {
  check_error(StepLR{.lr = 1, .step_size = 1}, -1, "StepLR: step is -1; it must be at least 0");
  check_error(StepLR{.lr = 1, .step_size = 0}, 1, "StepLR: step_size is 0; it must be at least 1");
  check_error(MultiStepLR{.lr = 1, .milestones = {}}, -1, "MultiStepLR: step is -1; it must be at least 0");
  check_error(ExponentialLR{.lr = 1, .gamma = 0.5}, -1, "ExponentialLR: step is -1; it must be at least 0");
  check_error(LambdaLR{.lr = 1, .factor = [](std::int64_t) { return 1.; }}, -1,
              "LambdaLR: step is -1; it must be at least 0");
  check_error(CosineLR{.lr = 1, .steps = 0}, 1, "CosineLR: steps is 0; it must be at least 1");
  check_error(LinearLR{.lr = 1, .steps = -3}, 1, "LinearLR: steps is -3; it must be at least 1");
  check_error(OneCycleLR{.max_lr = 1, .total_steps = 0}, 1, "OneCycleLR: total_steps is 0; it must be at least 1");
  check_error(OneCycleLR{.max_lr = 1, .total_steps = 9, .pct_start = 2}, 1,
              "OneCycleLR: pct_start is 2, div_factor 25 and final_div_factor 10000; the first must be in [0, 1], the "
              "others positive");
  check_error(JoinedLR{}, 1, "JoinedLR: number of parts is 0; it must be at least 1");
  check_error(JoinedLR{{{StepLR{.lr = 1, .step_size = 1}, 0}}}, 1, "JoinedLR: steps is 0; it must be at least 1");
  CHECK_THROWS_WITH_AS(PlateauLR({.lr = -1}), "PlateauLR: lr is -1 and threshold 0.0001; neither may be negative",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(PlateauLR({.lr = 1, .factor = 1}), "PlateauLR: factor is 1; it must be in [0, 1)",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(PlateauLR({.lr = 1, .patience = -1}), "PlateauLR: patience is -1; it must be at least 0",
                       gt::ValueError);
  CHECK_THROWS_WITH_AS(PlateauLR({.lr = 1, .cooldown = -1}), "PlateauLR: cooldown is -1; it must be at least 0",
                       gt::ValueError);
}

namespace {

std::vector<double> rates(PlateauLR plateau, const std::vector<double>& metrics) {
  std::vector<double> out;
  for (const double metric : metrics) {
    plateau.observe(metric);
    out.push_back(plateau(0));
  }
  return out;
}

}  // namespace

TEST_CASE("schedule: a plateau") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  using Rates = std::vector<double>;
  CHECK(rates(PlateauLR({.lr = 8, .factor = 0.5, .patience = 1}), {3, 2, 2, 2, 1, 1, 1}) == Rates{8, 8, 8, 4, 4, 4, 2});
  CHECK(rates(PlateauLR({.lr = 8, .factor = 0.5, .patience = 0}), {3, nan, 2}) == Rates{8, 4, 4});
  CHECK(rates(PlateauLR({.lr = 8, .higher_is_better = true, .factor = 0.5, .patience = 0}), {1, 2, 1, 3}) ==
        Rates{8, 8, 4, 4});
  CHECK(rates(PlateauLR({.lr = 8, .factor = 0.5, .patience = 0, .threshold = 0.1}), {10, 9.5, 8}) == Rates{8, 4, 4});
  CHECK(rates(PlateauLR({.lr = 8, .factor = 0.5, .patience = 0, .cooldown = 2}), {1, 1, 1, 1, 1, 1}) ==
        Rates{8, 4, 4, 4, 2, 2});
  CHECK(rates(PlateauLR({.lr = 8, .factor = 0.5, .patience = 0, .min_lr = 3}), {1, 1, 1, 1}) == Rates{8, 4, 3, 3});
  CHECK(rates(PlateauLR({.lr = 1, .factor = 0.5, .patience = 0, .min_lr = 3}), {1, 1}) == Rates{1, 1});
}

TEST_CASE("schedule: a plateau goes on where its state was taken") {
  const std::vector<double> metrics{5, 4, 4, 4, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2};
  const PlateauOptions options{.lr = 1, .factor = 0.5, .patience = 1, .cooldown = 1};
  PlateauLR straight(options);
  for (std::size_t stop = 0; stop < metrics.size(); ++stop) {
    PlateauLR other(options);
    load_state(other, state_of(straight));
    straight.observe(metrics[stop]), other.observe(metrics[stop]);
    CHECK(straight(0) == other(0));
  }
  CHECK(straight(0) < 0.2);
}
