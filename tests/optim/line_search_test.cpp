#include <gradtape/gradtape.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::optim::LinePoint, gt::optim::strong_wolfe, gt::optim::WolfeOptions, gt::optim::WolfePoint;

namespace {

/// Searches from 0 and checks what is promised of the result.
template <class Phi>
WolfePoint search(Phi phi, double first, const WolfeOptions& options = {}) {
  const LinePoint start = phi(0);
  int calls = 0;
  LinePoint last{};
  const WolfePoint found = strong_wolfe(
      [&](double t) {
        ++calls;
        return last = phi(t);
      },
      start, first, options);
  const LinePoint& at = found.point;
  CAPTURE(first);
  CAPTURE(at.step);
  CHECK(found.evaluations == calls);
  CHECK(calls <= options.max_evaluations);
  CHECK(at.value <= start.value + options.decrease * at.step * start.slope + options.noise);
  if (found.strong) {
    CHECK(at.step > 0);
    CHECK(at.step == last.step);
    CHECK(std::abs(at.slope) <= options.curvature * std::abs(start.slope));
  }
  return found;
}

/// The functions of Moré and Thuente (1994), section 5, of which the first three have one minimiser and are not
/// quadratic.
LinePoint more_thuente_1(double t) { return {t, -t / (t * t + 2), (t * t - 2) / ((t * t + 2) * (t * t + 2))}; }
LinePoint more_thuente_2(double t) {
  const double s = t + 0.004;
  return {t, std::pow(s, 5) - 2 * std::pow(s, 4), 5 * std::pow(s, 4) - 8 * std::pow(s, 3)};
}
/// A sum of two hyperbolas, steep at 0 and at 1: equation 5.4 with b1 = 0.001, b2 = 0.01.
LinePoint more_thuente_5(double t) {
  const double b1 = 0.01, b2 = 0.001;
  const auto gamma = [](double b) { return std::sqrt(1 + b * b) - b; };
  const double r1 = std::hypot(1 - t, b2), r2 = std::hypot(t, b1);
  return {t, gamma(b1) * r1 + gamma(b2) * r2, gamma(b1) * (t - 1) / r1 + gamma(b2) * t / r2};
}

constexpr double infinite = std::numeric_limits<double>::infinity(),
                 undefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("strong_wolfe: both conditions hold from first steps of any size") {
  for (const double first : {1e-3, 1e-1, 1e1, 1e3})
    for (const WolfeOptions& options : {WolfeOptions{}, WolfeOptions{.decrease = 1e-3, .curvature = 0.1}}) {
      CHECK(search(more_thuente_1, first, options).strong);
      CHECK(search(more_thuente_2, first, options).strong);
      CHECK(search(more_thuente_5, first, options).strong);
    }
}

TEST_CASE("strong_wolfe: a first step that will do is taken as it is") {
  const WolfePoint found = search([](double t) { return LinePoint{t, (t - 1) * (t - 1), 2 * (t - 1)}; }, 1.1);
  CHECK(found.strong);
  CHECK(found.point.step == 1.1);
  CHECK(found.evaluations == 1);
}

TEST_CASE("strong_wolfe: the cubic finds the minimiser of a parabola at once") {
  const auto parabola = [](double t) { return LinePoint{t, (t - 3) * (t - 3), 2 * (t - 3)}; };
  for (const double first : {1., 20.}) {
    const WolfePoint found = search(parabola, first, {.curvature = 1e-9});
    CHECK(found.point.step == doctest::Approx(3));
    CHECK(found.evaluations == 2);
  }
}

TEST_CASE("strong_wolfe: steps into a region that is not finite are cut short") {
  for (const double bad : {undefined, infinite, -infinite}) {
    CAPTURE(bad);
    const auto wall = [&](double t) { return t < 1 ? LinePoint{t, t * t - t, 2 * t - 1} : LinePoint{t, bad, bad}; };
    const WolfePoint found = search(wall, 100, {.curvature = 0.1});
    CHECK(found.strong);
    CHECK(found.point.step == doctest::Approx(0.5).epsilon(0.1));
  }
  const auto slope_alone = [](double t) { return LinePoint{t, -t, t < 1 ? t - 1 : undefined}; };
  CHECK(search(slope_alone, 8).point.step < 1);
}

TEST_CASE("strong_wolfe: when no point will do it says so") {
  const WolfePoint rising = search(
      [](double t) {
        return LinePoint{t, t, t == 0 ? -1. : 1.};
      },
      1);  // a wrong slope at 0
  CHECK_FALSE(rising.strong);
  CHECK(rising.point.step == 0);
  CHECK(rising.evaluations == 25);

  const WolfePoint falling = search(
      [](double t) {
        return LinePoint{t, -t, -1};
      },
      1, {.max_evaluations = 7});  // without end
  CHECK_FALSE(falling.strong);
  CHECK(falling.point.value < -1e3);
  CHECK(falling.evaluations == 7);

  const WolfePoint narrow = search(
      [](double t) {
        return LinePoint{t, std::abs(t - 1), t < 1 ? -1. : 1.};
      },
      1.5, {.min_width = 1e-2});  // a kink
  CHECK_FALSE(narrow.strong);
  CHECK(narrow.point.value < 1e-2);
  CHECK(narrow.evaluations < 10);
}
