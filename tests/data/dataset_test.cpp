#include <gradtape/core/error.hpp>
#include <gradtape/data/dataset.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
namespace data = gradtape::data;
using data::split, data::Subset, data::TensorDataset;
using Integers = std::vector<std::int64_t>;

namespace {

Integers integers(const gt::Tensor& x) { return x.to(gt::i64).to_vector<std::int64_t>(); }

/// Example i is i and its square, computed when asked for.
struct Squares {
  std::int64_t n;
  std::int64_t size() const { return n; }
  std::array<gt::Tensor, 2> get(std::int64_t i) const { return {gt::tensor(i), gt::tensor({i * i})}; }
};

TensorDataset<2> ten() { return TensorDataset(gt::reshape(gt::arange(20), {10, 2}), gt::arange(10)); }

}  // namespace

TEST_CASE("TensorDataset: rows of each tensor, one or several") {
  const auto columns = gt::transpose(gt::tensor({{0, 2, 4}, {1, 3, 5}}));  // strided
  const TensorDataset set(columns, gt::tensor({7., 8., 9.}), gt::zeros({3, 0}));
  CHECK(set.size() == 3);
  const auto [x, y, none] = set.get(1);
  CHECK(x.shape() == gt::Shape{2});
  CHECK(integers(x) == Integers{2, 3});
  CHECK(y.shape() == gt::Shape{});
  CHECK(y.item() == 8);
  CHECK(none.shape() == gt::Shape{0});
  const auto [xs, ys, nones] = set.batch(std::vector<std::int64_t>{2, 0, 2, 1});
  CHECK(xs.shape() == gt::Shape{4, 2});
  CHECK(integers(xs) == Integers{4, 5, 0, 1, 4, 5, 2, 3});
  CHECK(integers(ys) == Integers{9, 7, 9, 8});
  CHECK(nones.shape() == gt::Shape{4, 0});
  CHECK_THROWS_WITH_AS(set.get(3), "TensorDataset: there is no row 3 of 3", gt::IndexError);
  CHECK_THROWS_WITH_AS(set.get(-1), "TensorDataset: there is no row -1 of 3", gt::IndexError);
  CHECK_THROWS_WITH_AS(TensorDataset(columns, gt::zeros({2})),
                       "TensorDataset: found shapes [3, 2] and [2], expected first axes of the same size",
                       gt::ShapeError);
  CHECK_THROWS_AS(TensorDataset(gt::tensor(1)), gt::ShapeError);
}

TEST_CASE("batch_of: a dataset of one's own is stacked") {
  const Integers rows{3, 1};
  const auto [x, y] = data::batch_of(Squares{4}, rows);
  CHECK(x.shape() == gt::Shape{2});
  CHECK(integers(x) == Integers{3, 1});
  CHECK(y.shape() == gt::Shape{2, 1});
  CHECK(integers(y) == Integers{9, 1});
}

TEST_CASE("Subset: some examples in their order") {
  const Subset odd(Squares{6}, {5, 1, 3});
  CHECK(odd.size() == 3);
  CHECK(odd.get(0)[1].item() == 25);
  const Integers rows{2, 0};
  CHECK(integers(odd.batch(rows)[0]) == Integers{3, 5});
  CHECK(integers(Subset(ten(), {9, 4}).batch(Integers{1, 0})[1]) == Integers{4, 9});
  CHECK_THROWS_WITH_AS(odd.get(3), "Subset: there is no row 3", gt::IndexError);
  CHECK_THROWS_WITH_AS(Subset(Squares{6}, {6}), "Subset: there is no row 6", gt::IndexError);
}

TEST_CASE("split: random parts by fraction or count") {
  gt::manual_seed(5);
  const auto untouched = gt::uniform({3});
  gt::manual_seed(5);
  const auto [train, valid, test] = split(ten(), {0.5, 0.25, 0.25});
  CHECK(gt::equal(gt::uniform({3}), untouched));
  CHECK(train.size() == 6);  // 5 and the first of what rounding left
  CHECK(valid.size() == 2);
  CHECK(test.size() == 2);
  Integers all = train.rows();
  all.insert(all.end(), valid.rows().begin(), valid.rows().end());
  all.insert(all.end(), test.rows().begin(), test.rows().end());
  CHECK_FALSE(std::ranges::is_sorted(all));
  std::ranges::sort(all);
  CHECK(all == Integers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

  CHECK(split(ten(), {0.5, 0.25, 0.25})[0].rows() == train.rows());
  CHECK(split(ten(), {0.5, 0.25, 0.25}, {.seed = 1})[0].rows() != train.rows());
  const auto [seven, three, none] = split(ten(), {7, 3, 0});
  CHECK(seven.size() == 7);
  CHECK(three.size() == 3);
  CHECK(none.size() == 0);
  CHECK(split(ten(), {0.1, 0.2, 0.7})[2].size() == 7);
  CHECK(split(ten(), {1})[0].size() == 10);
  CHECK(split(Squares{0}, {0.5, 0.5})[1].size() == 0);
  CHECK_THROWS_WITH_AS(split(ten(), {0.5, 0.4}),
                       "split: parts are [0.5, 0.4], expected fractions that add up to 1 or counts that add up to 10",
                       gt::ValueError);
  CHECK_THROWS_AS(split(ten(), {1.5, -0.5}), gt::ValueError);
  CHECK_THROWS_AS(split(ten(), {5, 4}), gt::ValueError);
}
