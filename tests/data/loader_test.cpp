#include <gradtape/core/error.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/data/loader.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace gt = gradtape;
using gt::data::DataLoader, gt::data::LoaderOptions, gt::data::Sampler, gt::data::TensorDataset;
using Integers = std::vector<std::int64_t>;
using Batches = std::vector<std::vector<double>>;

namespace {

/// Rows i, i + 0.5 and the number i.
TensorDataset<2> rows(std::int64_t n) {
  return TensorDataset(gt::reshape(gt::arange(2 * n) / 2, {n, 2}), gt::arange(n));
}

/// Example i is i and a random number; counts who asks, and fails where it is told to.
struct Noisy {
  std::int64_t n;
  std::int64_t bad = -1;
  std::atomic<int>* asked = nullptr;
  std::int64_t size() const { return n; }
  std::array<gt::Tensor, 2> get(std::int64_t i) const {
    if (asked) ++*asked;
    if (i == bad) throw gt::ValueError("example " + std::to_string(i) + " is bad");
    return {gt::tensor(i).to(gt::f64), gt::uniform({}, {.dtype = gt::f64})};
  }
};

/// What is left of the epoch, a vector a batch.
Batches walk(auto& loader) {
  Batches batches;
  for (const auto& [x, y] : loader) {
    batches.push_back(x.to(gt::f64).template to_vector<double>());
    for (const double number : y.to(gt::f64).template to_vector<double>()) batches.back().push_back(number);
  }
  return batches;
}

}  // namespace

TEST_CASE("DataLoader: batches in order, the last one smaller or dropped") {
  DataLoader loader(rows(5), {.batch_size = 2});
  CHECK(loader.size() == 3);
  CHECK(walk(loader) == Batches{{0, 0.5, 1, 1.5, 0, 1}, {2, 2.5, 3, 3.5, 2, 3}, {4, 4.5, 4}});
  CHECK(loader.sampler().epoch() == 1);
  DataLoader dropping(rows(5), {.batch_size = 2, .drop_last = true});
  CHECK(dropping.size() == 2);
  CHECK(walk(dropping).size() == 2);
  CHECK(dropping.sampler().epoch() == 1);
  CHECK(dropping.sampler().position() == 0);
  CHECK(walk(dropping).size() == 2);

  DataLoader none(rows(0), {.batch_size = 2}), all_dropped(rows(3), {.batch_size = 4, .drop_last = true});
  CHECK(walk(none).empty());
  CHECK(walk(all_dropped).empty());
  CHECK(all_dropped.sampler().epoch() == 1);
}

TEST_CASE("threads: a loader gives the same batches for any number of workers") {
  const auto three_epochs = [](LoaderOptions options) {
    DataLoader loader(Noisy{23}, options);
    Batches all;
    for (int epoch = 0; epoch < 3; ++epoch)
      for (const auto& batch : walk(loader)) all.push_back(batch);
    return all;
  };
  gt::manual_seed(9);
  const auto untouched = gt::uniform({3});
  gt::manual_seed(9);
  const auto expected = three_epochs({.batch_size = 4, .shuffle = true, .seed = 5});
  CHECK(gt::equal(gt::uniform({3}), untouched));
  REQUIRE(expected.size() == 18);
  CHECK(expected[0] != expected[6]);  // another epoch, another order
  for (const std::int64_t workers : {1, 2, 3, 8})
    for (const std::int64_t prefetch : {1, 3})
      CHECK(three_epochs({.batch_size = 4, .shuffle = true, .workers = workers, .prefetch = prefetch, .seed = 5}) ==
            expected);
  CHECK(three_epochs({.batch_size = 4, .shuffle = true, .seed = 6}) != expected);

  DataLoader alone(rows(50), {.batch_size = 3, .shuffle = true}),
      helped(rows(50), {.batch_size = 3, .shuffle = true, .workers = 3});
  CHECK(walk(alone) == walk(helped));
}

TEST_CASE("threads: what a dataset throws is thrown in the loop, at its batch") {
  for (const std::int64_t workers : {0, 1, 3}) {
    DataLoader loader(Noisy{.n = 20, .bad = 9}, {.batch_size = 2, .workers = workers});
    int seen = 0;
    const auto loop = [&] {
      for ([[maybe_unused]] const auto& batch : loader) ++seen;
    };
    CHECK_THROWS_WITH_AS(loop(), "example 9 is bad", gt::ValueError);
    CHECK(seen == 4);
    CHECK(loader.sampler().position() == 8);
    CHECK_THROWS_WITH_AS(loop(), "example 9 is bad", gt::ValueError);  // it stands before that batch still
    CHECK(seen == 4);
    loader.restart();
    CHECK_THROWS_AS(loop(), gt::ValueError);
    CHECK(seen == 8);
  }
}

TEST_CASE("threads: a loop that is left early joins its workers, and the next one goes on") {
  for (const std::int64_t workers : {0, 2}) {
    const LoaderOptions options{.batch_size = 3, .shuffle = true, .workers = workers};
    DataLoader straight(Noisy{20}, options), halting(Noisy{20}, options);
    const Batches expected = walk(straight);
    for ([[maybe_unused]] const auto& batch : halting)
      if (halting.sampler().position() == 6) break;
    CHECK(walk(halting) == Batches(expected.begin() + 2, expected.end()));
    CHECK(walk(halting) == walk(straight));
  }
}

TEST_CASE("threads: workers stay within their bound") {
  std::atomic<int> asked = 0;
  DataLoader loader(Noisy{.n = 100, .asked = &asked}, {.workers = 2, .prefetch = 3});
  int used = 0;
  for ([[maybe_unused]] const auto& batch : loader) {
    ++used;
    CHECK(asked <= used + 6);
    if (used == 20) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      CHECK(asked <= used + 6);
    }
  }
  CHECK(asked == 100);
}

TEST_CASE("threads: a dataset may hand out the tensors that it holds") {
  struct Holder {
    gt::Tensor rows, common;
    std::int64_t size() const { return rows.shape()[0]; }
    std::array<gt::Tensor, 2> get(std::int64_t i) const { return {rows[{i}], common}; }
  };
  const Holder data{gt::reshape(gt::arange(6000.), {3000, 2}), gt::ones({2})};
  for (const std::int64_t workers : {0, 4}) {
    DataLoader loader(data, {.batch_size = 10, .workers = workers});
    double sum = 0;
    for (const auto& [x, y] : loader) sum += gt::sum(x * y).item();
    CHECK(sum == 5999. * 6000 / 2);
  }
  CHECK(data.common.array().exclusive());  // no handle got lost or is left
}

TEST_CASE("DataLoader: restored in the middle of an epoch") {
  DataLoader first(Noisy{20}, {.batch_size = 3, .shuffle = true, .seed = 2});
  DataLoader second(Noisy{20}, {.batch_size = 3, .shuffle = true, .seed = 3});
  walk(first);
  gt::State state;
  Batches rest;
  for (const auto& [x, y] : first) {
    if (!state.empty()) rest.push_back({x.to_vector<double>()[0], y.to_vector<double>()[0]});
    if (first.sampler().position() == 9) state = gt::state_of(first);
  }
  CHECK(state[1].first == "sampler.seed");
  gt::load_state(second, state);
  Batches resumed;
  for (const auto& [x, y] : second) resumed.push_back({x.to_vector<double>()[0], y.to_vector<double>()[0]});
  CHECK(resumed.size() == 4);
  CHECK(resumed == rest);
  CHECK(walk(second) == walk(first));
}

TEST_CASE("DataLoader: what is left of an epoch") {
  DataLoader loader(rows(10), {.batch_size = 4});
  CHECK(loader.remaining() == 3);
  for ([[maybe_unused]] const auto& batch : loader) break;
  CHECK(loader.remaining() == 2);
  CHECK(loader.size() == 3);
  walk(loader);
  CHECK(loader.remaining() == 3);
}

TEST_CASE("DataLoader: by hand, a batch that failed is passed over") {
  for (const std::int64_t workers : {0, 2}) {
    DataLoader loader(Noisy{.n = 8, .bad = 3}, {.batch_size = 2, .workers = workers});
    auto at = loader.begin();
    CHECK_THROWS_AS(++at, gt::ValueError);
    CHECK(loader.sampler().position() == 2);
    ++at;
    CHECK((*at)[0].to_vector<double>() == std::vector<double>{4, 5});
    CHECK(loader.sampler().position() == 6);
  }
}

TEST_CASE("threads: a bound on prefetch that no memory holds") {
  DataLoader loader(rows(3), {.workers = 2, .prefetch = std::int64_t{1} << 62});
  CHECK(walk(loader).size() == 3);
}

TEST_CASE("DataLoader: other samplers") {
  const auto weights = gt::tensor({0., 1., 0.});
  DataLoader loader(rows(3), {.batch_size = 4, .sampler = Sampler::weighted(weights, 4, 0)});
  CHECK(walk(loader) == Batches{{1, 1.5, 1, 1.5, 1, 1.5, 1, 1.5, 1, 1, 1, 1}});
  DataLoader wrong(rows(3), {.sampler = Sampler::sequential(4)});
  CHECK_THROWS_WITH_AS(walk(wrong), "DataLoader: the sampler names example 3 of 3", gt::IndexError);
}

TEST_CASE("DataLoader: batches have no history and the loop's default dtype") {
  const gt::DefaultDtype as_f64(gt::f64);
  struct Leafy {
    std::int64_t size() const { return 2; }
    std::array<gt::Tensor, 1> get(std::int64_t) const { return {gt::parameter(gt::ones({1})) * 2}; }
  };
  for (const std::int64_t workers : {0, 1}) {
    DataLoader loader(Leafy{}, {.workers = workers});
    for (const auto& [x] : loader) {
      CHECK_FALSE(x.requires_grad());
      CHECK(x.dtype() == gt::f64);
    }
  }
}

TEST_CASE("DataLoader: what cannot be") {
  const auto fails = [](const LoaderOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(DataLoader(rows(3), options), message, gt::ValueError);
  };
  fails({.batch_size = 0}, "DataLoader: batch_size is 0, workers 0, prefetch 2; expected at least 1, 0, 1");
  fails({.workers = -1}, "DataLoader: batch_size is 1, workers -1, prefetch 2; expected at least 1, 0, 1");
  fails({.prefetch = 0}, "DataLoader: batch_size is 1, workers 0, prefetch 0; expected at least 1, 0, 1");
  fails({.shuffle = true, .sampler = Sampler::sequential(3)},
        "DataLoader: shuffle is true beside a sampler; expected one of the two");
  DataLoader small(rows(3));
  const auto whole = [](std::int64_t n) { return gt::tensor(n, {.dtype = gt::i64}); };
  for (const auto& [position, size] : {std::pair{5, 3}, {-1, 3}, {3, 3}, {1, 4}}) {
    const gt::State state = {{"examples", whole(3)},        {"sampler.seed", whole(0)},
                             {"sampler.epoch", whole(0)},   {"sampler.position", whole(position)},
                             {"sampler.size", whole(size)}, {"seed", whole(0)}};
    CHECK_THROWS_WITH_AS(
        gt::load_state(small, state),
        fmt::format("Sampler: found a state at example {} of {} in epoch 0, expected one of 3 examples", position, size)
            .c_str(),
        gt::ValueError);
    CHECK(walk(small).size() == 3);  // nothing has changed
  }
  DataLoader more(rows(4), {.sampler = Sampler::sequential(3)});
  CHECK_THROWS_WITH_AS(gt::load_state(more, gt::state_of(small)),
                       "DataLoader: found a state of 3 examples, expected one of 4", gt::ValueError);
}
