#include <gradtape/core/error.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/data/sampler.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/random.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::data::Sampler;
using Integers = std::vector<std::int64_t>;

TEST_CASE("Sampler: sequential and random orders") {
  CHECK(Sampler::sequential(4).order() == Integers{0, 1, 2, 3});
  CHECK(Sampler::sequential(0).order().empty());

  gt::manual_seed(3);
  const auto untouched = gt::uniform({3});
  gt::manual_seed(3);
  Sampler random = Sampler::random(100, 1);
  const Integers first = random.order();
  CHECK(random.order() == first);
  CHECK(Sampler::random(100, 1).order() == first);
  CHECK(Sampler::random(100, 2).order() != first);
  random.next_epoch();
  Integers second = random.order();
  CHECK(second != first);
  std::ranges::sort(second);
  CHECK(second == Sampler::sequential(100).order());
  CHECK(gt::equal(gt::uniform({3}), untouched));
}

TEST_CASE("Sampler: weighted draws") {
  const auto order = Sampler::weighted(gt::tensor({0., 1., 0., 3.}), 10000, 4).order();
  REQUIRE(order.size() == 10000);
  const auto ones = std::ranges::count(order, 1), threes = std::ranges::count(order, 3);
  CHECK(ones + threes == 10000);
  CHECK(ones > 2500 - 4 * 43);  // four standard deviations of sqrt(10000 * 0.25 * 0.75)
  CHECK(ones < 2500 + 4 * 43);
}

TEST_CASE("Sampler: epochs and positions, restored in the middle") {
  Sampler sampler = Sampler::random(10, 7);
  sampler.advance(10);
  CHECK(sampler.epoch() == 1);
  CHECK(sampler.position() == 0);
  sampler.advance(4);
  const auto state = gt::state_of(sampler);
  REQUIRE(state.size() == 4);
  CHECK(state[1].first == "epoch");
  const Integers order = sampler.order();
  sampler.advance(6);

  Sampler other = Sampler::random(10, 0);
  gt::load_state(other, state);
  CHECK(other.seed() == 7);
  CHECK(other.epoch() == 1);
  CHECK(other.position() == 4);
  CHECK(other.order() == order);
  CHECK_THROWS_WITH_AS(other.advance(7), "Sampler: 7 examples wanted, there are 6 left", gt::ValueError);
  CHECK_THROWS_WITH_AS(other.advance(-1), "Sampler: -1 examples wanted, there are 6 left", gt::ValueError);
}

TEST_CASE("Sampler: what cannot be") {
  const auto weighted = [](const gt::Tensor& weights) { return Sampler::weighted(weights, 1, 0); };
  CHECK_THROWS_WITH_AS(Sampler::random(-1, 0), "Sampler: -1 examples, expected at least 0", gt::ValueError);
  CHECK_THROWS_WITH_AS(weighted(gt::tensor({1., -2.})), "Sampler: weight 1 is -2, expected 0 or more", gt::ValueError);
  CHECK_THROWS_AS(weighted(gt::tensor({std::numeric_limits<double>::quiet_NaN()})), gt::ValueError);
  CHECK_THROWS_WITH_AS(weighted(gt::zeros({3})), "Sampler: weights add up to 0, expected a number above 0",
                       gt::ValueError);
  CHECK_THROWS_AS(weighted(gt::zeros({0})), gt::ValueError);
  CHECK_THROWS_WITH_AS(weighted(gt::zeros({1, 2})), "Sampler: weights have shape [1, 2], expected [n]", gt::ShapeError);
  CHECK_THROWS_AS(weighted(gt::zeros({3}, {.dtype = gt::i64})), gt::DtypeError);
}
