#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("dtype: names and sizes") {
  CHECK(gt::to_string(gt::f32) == "f32");
  CHECK(gt::to_string(gt::f64) == "f64");
  CHECK(gt::to_string(gt::i64) == "i64");
  CHECK(gt::to_string(gt::boolean) == "boolean");
  CHECK(gt::size_of(gt::f32) == 4);
  CHECK(gt::size_of(gt::f64) == 8);
  CHECK(gt::size_of(gt::i64) == 8);
  CHECK(gt::size_of(gt::boolean) == 1);
  CHECK(gt::is_floating(gt::f32));
  CHECK_FALSE(gt::is_floating(gt::i64));
  CHECK_FALSE(gt::is_floating(gt::boolean));
}

TEST_CASE("number_cast: every number has its counterpart") {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  static_assert(gt::number_cast<std::int64_t>(-2.9) == -2);
  static_assert(gt::number_cast<std::int64_t>(inf) == std::numeric_limits<std::int64_t>::max());
  static_assert(gt::number_cast<std::int64_t>(-0x1p63) == std::numeric_limits<std::int64_t>::min());
  static_assert(gt::number_cast<std::int64_t>(nan) == 0);
  static_assert(gt::number_cast<std::int8_t>(127.5F) == 127);
  static_assert(gt::number_cast<std::int8_t>(128.0F) == 127);
  static_assert(gt::number_cast<std::uint64_t>(-1.0) == 0);
  static_assert(gt::number_cast<std::uint64_t>(0x1p64) == std::numeric_limits<std::uint64_t>::max());
  static_assert(gt::number_cast<bool>(nan) && gt::number_cast<bool>(0.5) && !gt::number_cast<bool>(-0.0));
  static_assert(gt::number_cast<float>(0.1) == 0.1F);
}

TEST_CASE("shape: any integer types, printed as a list") {
  const std::size_t n = 3;
  const short m = 4;
  const gt::Shape shape{n, m, 5};
  CHECK(shape.rank() == 3);
  CHECK(shape.numel() == 60);
  CHECK(shape[0] == 3);
  CHECK(shape[-1] == 5);
  CHECK(gt::to_string(shape) == "[3, 4, 5]");
  CHECK(gt::to_string(gt::Shape{}) == "[]");
  CHECK(gt::Shape{}.numel() == 1);
  CHECK(gt::Shape{3, 0}.numel() == 0);
  CHECK(gt::Shape{3, 4} != gt::Shape{3, 4, 1});
  CHECK(gt::Shape(std::vector<std::int64_t>{2, 3}) == gt::Shape{2, 3});
}

TEST_CASE("shape: what is no shape") {
  CHECK_THROWS_WITH_AS((gt::Shape{2, -3}), "shape: [2, -3] has a negative dimension; every dimension must be >= 0",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS((gt::Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), "more than 8 dimensions or axes in one list",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::Shape(std::vector<std::int64_t>(9, 1)),
                       "shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] has 9 axes; at most 8 are supported", gt::ShapeError);
  gt::Shape full{1, 1, 1, 1, 1, 1, 1, 1};
  CHECK_THROWS_WITH_AS(full.push_back(1),
                       "shape: [1, 1, 1, 1, 1, 1, 1, 1] cannot take another axis; at most 8 are supported",
                       gt::ShapeError);
  CHECK_THROWS_AS(gt::zeros({2, -3}), gt::ShapeError);
}

TEST_CASE("shape: a size that overflows is an error and a zero anywhere is not") {
  const std::int64_t big = std::int64_t{1} << 40;
  CHECK_THROWS_WITH_AS(gt::zeros({big, big}),
                       "array: shape [1099511627776, 1099511627776] of f32 is larger than any memory", gt::ShapeError);
  CHECK_THROWS_AS(gt::zeros({std::numeric_limits<std::int64_t>::max()}), gt::ShapeError);
  CHECK(gt::zeros({big, big, 0}).numel() == 0);
}

TEST_CASE("axes: negative ones count from the end") {
  const auto x = gt::tensor({{1., 2., 3.}, {4., 5., 6.}});
  CHECK(gt::equal(gt::sum(x, {.axes = -1}), gt::tensor({6., 15.})));
  CHECK(gt::equal(gt::sum(x, {.axes = {-2}}), gt::tensor({5., 7., 9.})));
  CHECK(gt::sum(x, {.axes = {0, -1}}).item() == 21);
  CHECK_THROWS_WITH_AS(gt::sum(x, {.axes = 2}), "sum: axis 2 is out of range for rank 2; use -2 to 1", gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::sum(x, {.axes = -3}), "sum: axis -3 is out of range for rank 2; use -2 to 1",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::sum(x, {.axes = {1, -1}}), "sum: axis -1 is named twice in {1, -1}", gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::sum(gt::ones({}), {.axes = 0}), "sum: axis 0 of a scalar; a scalar has no axes",
                       gt::ShapeError);
  CHECK_THROWS_AS(gt::sum(x, {.axes = {0, 1, 2, 3, 4, 5, 6, 7, 8}}), gt::ShapeError);
}

TEST_CASE("broadcast: aligned at the last axis") {
  CHECK(gt::broadcast("op", {3, 1}, {4}) == gt::Shape{3, 4});
  CHECK(gt::broadcast("op", {}, {2, 3}) == gt::Shape{2, 3});
  CHECK(gt::broadcast("op", {5, 1, 4}, {3, 1}) == gt::Shape{5, 3, 4});
  CHECK(gt::broadcast("op", {1, 0}, {3, 1}) == gt::Shape{3, 0});
  CHECK_THROWS_WITH_AS(gt::broadcast("add", {2, 3}, {2}),
                       "add: shapes [2, 3] and [2] do not broadcast: axis -1 has 3 against 2; sizes must be equal or 1",
                       gt::ShapeError);
  CHECK_THROWS_AS(gt::broadcast("add", {0}, {2}), gt::ShapeError);
  CHECK_THROWS_WITH_AS(
      gt::ones({4, 2}) + gt::ones({3, 2}),
      "add: shapes [4, 2] and [3, 2] do not broadcast: axis -2 has 4 against 3; sizes must be equal or 1",
      gt::ShapeError);
}

TEST_CASE("product: overflow is told, but for a zero anywhere") {
  using Dims = std::vector<std::int64_t>;
  const std::int64_t big = std::int64_t{1} << 32;
  CHECK(gt::product(Dims{}) == 1);
  CHECK(gt::product(Dims{3, 4}) == 12);
  CHECK(gt::product(Dims{big, big / 2 - 1}) == big * (big / 2 - 1));
  CHECK_FALSE(gt::product(Dims{big, big / 2}));
  CHECK(gt::product(Dims{big, big, 0}) == 0);
  CHECK(gt::product(gt::Shape{2, 5}) == 10);
}

TEST_CASE("index_string: the place of an element") {
  CHECK(gt::index_string({2, 3}, 0) == "[0, 0]");
  CHECK(gt::index_string({2, 3}, 5) == "[1, 2]");
  CHECK(gt::index_string({7}, 3) == "[3]");
  CHECK(gt::index_string({}, 0) == "[]");
}
