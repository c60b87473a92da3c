#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("away_from keeps its distance on both sides") {
  const auto x = gt::away_from(1.0, {1000}, {.distance = 0.25, .spread = 3, .dtype = gt::f64}).to_vector<double>();
  CHECK(std::ranges::all_of(x, [](double v) { return std::abs(v - 1) >= 0.25 && std::abs(v - 1) <= 3; }));
  const auto above = std::ranges::count_if(x, [](double v) { return v > 1; });
  CHECK(above > 400);
  CHECK(above < 600);
}

TEST_CASE("away_from rejects a distance beyond the spread") {
  CHECK_THROWS_WITH_AS(gt::away_from(0, {1}, {.distance = 3}),
                       "away_from: distance 3 and spread 2; expected 0 <= distance <= spread", gt::ValueError);
}

TEST_CASE("distinct leaves a gap between any two elements") {
  auto x = gt::distinct({10, 20}, {.distance = 0.5, .dtype = gt::f64}).to_vector<double>();
  CHECK_FALSE(std::ranges::is_sorted(x));
  std::ranges::sort(x);
  for (std::size_t i = 1; i < x.size(); ++i) CHECK(x[i] - x[i - 1] >= 0.5 - 1e-9);
}
