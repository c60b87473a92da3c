#include <gradtape/gradtape.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("literals: f32 unless told") {
  const auto x = gt::tensor({{0., 1.}, {2., 3.}, {4., 5.}});
  CHECK(x.dtype() == gt::f32);
  CHECK(x.shape() == gt::Shape{3, 2});
  CHECK(x.to_vector<float>() == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(gt::tensor({{0.}, {1.}}).shape() == gt::Shape{2, 1});
  CHECK(gt::tensor({1, 2, 3}).dtype() == gt::f32);
  CHECK(gt::tensor({1., 2.5}, {.dtype = gt::f64}).to_vector<double>() == std::vector<double>{1, 2.5});
  CHECK(gt::tensor({true, false}, {.dtype = gt::boolean}).to_vector<bool>() == std::vector<bool>{true, false});
  CHECK(gt::tensor({{{1.}}}).shape() == gt::Shape{1, 1, 1});
  CHECK(gt::tensor(3.5).shape() == gt::Shape{});
  CHECK(gt::tensor(3.5).item() == 3.5);
}

TEST_CASE("literals: the default dtype of this thread applies while it is set") {
  {
    const gt::DefaultDtype f64(gt::f64);
    CHECK(gt::tensor({1.}).dtype() == gt::f64);
    CHECK(gt::tensor({1.}, {.dtype = gt::f32}).dtype() == gt::f32);
  }
  CHECK(gt::tensor({1.}).dtype() == gt::f32);
}

TEST_CASE("literals: empty lists") {
  CHECK(gt::tensor({}).shape() == gt::Shape{0});
  CHECK(gt::tensor({{}, {}}).shape() == gt::Shape{2, 0});
  CHECK(gt::tensor({{}, {}}).to_vector<float>().empty());
}

TEST_CASE("literals: ragged ones name the index") {
  CHECK_THROWS_WITH_AS(
      gt::tensor({{1., 2.}, {3.}}),
      "tensor: ragged literal: a list of 1 at index [1], where a list of 2 is expected as in the first row",
      gt::ShapeError);
  CHECK_THROWS_WITH_AS(
      gt::tensor({{1., 2.}, 3.}),
      "tensor: ragged literal: a number at index [1], where a list of 2 is expected as in the first row",
      gt::ShapeError);
  CHECK_THROWS_WITH_AS(
      gt::tensor({{{1., 2.}, {3., 4.}}, {{5., 6.}, {7., {8., 9.}}}}),
      "tensor: ragged literal: a list of 2 at index [1, 1, 1], where a number is expected as in the first row",
      gt::ShapeError);
  CHECK_THROWS_WITH_AS(
      gt::tensor({{}, {1.}}),
      "tensor: ragged literal: a list of 1 at index [1], where a list of 0 is expected as in the first row",
      gt::ShapeError);
}

TEST_CASE("literals: i64 is exact") {
  const std::int64_t big = (std::int64_t{1} << 53) + 1, low = std::numeric_limits<std::int64_t>::min();
  const auto x = gt::tensor({big, low, std::int64_t{-1}}, {.dtype = gt::i64});
  CHECK(x.to_vector<std::int64_t>() == std::vector<std::int64_t>{big, low, -1});
  CHECK(gt::tensor({2.0}, {.dtype = gt::i64}).item<std::int64_t>() == 2);
  CHECK_THROWS_WITH_AS(gt::tensor({{1., 2.5}}, {.dtype = gt::i64}),
                       "tensor: 2.5 at index [0, 1] is no whole number; ask for .dtype = f32 or f64", gt::DtypeError);
}

TEST_CASE("tensor: a span is copied and keeps its dtype") {
  std::vector<float> buffer{1, 2, 3, 4, 5, 6};
  const auto x = gt::tensor(std::span<const float>(buffer), {2, 3});
  buffer[0] = 100;
  CHECK(x.dtype() == gt::f32);
  CHECK(gt::equal(x, gt::tensor({{1., 2., 3.}, {4., 5., 6.}})));
  const std::vector<std::int64_t> labels{7, 8};
  CHECK(gt::tensor(std::span(labels), {2}).dtype() == gt::i64);
  CHECK(gt::equal(gt::tensor(labels), gt::tensor(std::span(labels), {2})));
  CHECK(gt::equal(gt::tensor(labels, {2, 1}), gt::tensor(std::span(labels), {2, 1})));
  CHECK(gt::tensor(std::vector<double>{}).shape() == gt::Shape{0});
  CHECK(gt::tensor(std::span<const double>(), {0, 4}).shape() == gt::Shape{0, 4});
  CHECK_THROWS_WITH_AS(gt::tensor(std::span(buffer), {2, 4}),
                       "tensor: 6 elements do not fill shape [2, 4], which has 8", gt::ShapeError);
}

TEST_CASE("to_vector: row-major whatever the strides, and of the tensor's dtype only") {
  const auto x = gt::tensor({{1., 2., 3.}, {4., 5., 6.}});
  CHECK(gt::transpose(x).to_vector<float>() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(x[{gt::Slice{}, 1}].to_vector<float>() == std::vector<float>{2, 5});
  CHECK(gt::broadcast_to(gt::tensor({1., 2.}), {2, 2}).to_vector<float>() == std::vector<float>{1, 2, 1, 2});
  CHECK_THROWS_WITH_AS(x.to_vector<double>(),
                       "to_vector: the tensor is f32, not f64; convert it with .to(gradtape::f64) first",
                       gt::DtypeError);
}

TEST_CASE("span: no copy, and refuses other dtypes and strides with the cure") {
  const auto x = gt::tensor({{1., 2., 3.}, {4., 5., 6.}});
  const auto view = x.span<float>();
  CHECK(view.data() == x.array().data<float>());
  CHECK(view.size() == 6);
  CHECK(view[4] == 5);
  CHECK_THROWS_WITH_AS(x.span<double>(), "span: the tensor is f32, not f64; convert it with .to(gradtape::f64) first",
                       gt::DtypeError);
  const auto t = gt::transpose(x);
  CHECK_THROWS_WITH_AS(
      t.span<float>(),
      "span: the tensor is a strided view of shape [3, 2]; make it contiguous with gradtape::contiguous first",
      gt::ShapeError);
  const auto cured = gt::contiguous(t);
  CHECK(cured.span<float>()[1] == 4);
}

TEST_CASE("item: one element of any rank") {
  CHECK(gt::tensor(2.5).item() == 2.5);
  CHECK(gt::tensor({{{2.5}}}).item() == 2.5);
  CHECK(gt::tensor({true}, {.dtype = gt::boolean}).item<bool>());
  CHECK(gt::tensor({0.1}).item<float>() == 0.1f);
  const std::int64_t exact = (std::int64_t{1} << 53) + 1;
  CHECK(gt::tensor({exact}, {.dtype = gt::i64}).item<std::int64_t>() == exact);
  CHECK(gt::tensor({1., 2.})[-1].item() == 2);
  CHECK_THROWS_WITH_AS(gt::tensor({1., 2.}).item(), "item: shape [2] has 2 elements; item() reads exactly one",
                       gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::zeros({0}).item(), "item: shape [0] has 0 elements; item() reads exactly one",
                       gt::ShapeError);
  CHECK_THROWS_AS(gt::tensor({1, 2}, {.dtype = gt::i64}).item<std::int64_t>(), gt::ShapeError);
}

TEST_CASE("equal: shape, dtype and every element, exactly") {
  const auto x = gt::tensor({{1., 2.}, {3., 4.}});
  CHECK(gt::equal(x, gt::tensor({{1., 2.}, {3., 4.}})));
  CHECK(gt::equal(gt::transpose(x), gt::tensor({{1., 3.}, {2., 4.}})));
  CHECK_FALSE(gt::equal(x, gt::tensor({{1., 2.}, {3., 5.}})));
  CHECK_FALSE(gt::equal(x, gt::tensor({1., 2., 3., 4.})));
  CHECK_FALSE(gt::equal(x, x.to(gt::f64)));
  const auto nan = gt::tensor({std::numeric_limits<double>::quiet_NaN()});
  CHECK_FALSE(gt::equal(nan, nan));
}

TEST_CASE("empty Tensor: every use throws and says what it is") {
  const gt::Tensor empty;
  const char* message = "this Tensor is empty (default-constructed or moved from); give it a value first";
  CHECK_FALSE(empty.defined());
  CHECK_FALSE(empty.requires_grad());
  CHECK_THROWS_WITH_AS(empty.shape(), message, gt::Error);
  CHECK_THROWS_WITH_AS(empty.item(), message, gt::Error);
  CHECK_THROWS_WITH_AS(empty + empty, (std::string("add: ") + message).c_str(), gt::Error);
  CHECK_THROWS_WITH_AS(gt::matmul(empty, gt::ones({2, 2})), message, gt::Error);
  CHECK_THROWS_WITH_AS(gt::parameter(empty), message, gt::Error);
  CHECK_THROWS_WITH_AS(empty.detach(), message, gt::Error);
  CHECK_THROWS_WITH_AS(empty.backward(), "backward: the output is an empty Tensor (default-constructed or moved from)",
                       gt::GradientError);
  gt::Tensor from = gt::ones({2}), to = std::move(from);
  CHECK_THROWS_WITH_AS(from.numel(), message, gt::Error);  // NOLINT(bugprone-use-after-move): that is the test
  CHECK(to.numel() == 2);
}

TEST_CASE("tensor: mixing f32 and f64 says which conversion is missing") {
  CHECK_THROWS_WITH_AS(gt::ones({2}) + gt::ones({2}, {.dtype = gt::f64}),
                       "add: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)", gt::DtypeError);
  CHECK_THROWS_AS(gt::matmul(gt::ones({2, 2}), gt::ones({2, 2}, {.dtype = gt::f64})), gt::DtypeError);
}

TEST_CASE("tensor: a number takes the dtype of the tensor it meets") {
  CHECK((gt::ones({2}) * 0.5).dtype() == gt::f32);
  CHECK((2 - gt::ones({2}, {.dtype = gt::f64})).dtype() == gt::f64);
  CHECK((gt::tensor({3}, {.dtype = gt::i64}) + 1).item<std::int64_t>() == 4);
  CHECK_THROWS_WITH_AS(gt::tensor({3}, {.dtype = gt::i64}) * 0.5,
                       "mul: the number 0.5 is not whole, and the tensor is i64; convert it with .to(gradtape::f32)",
                       gt::DtypeError);
}
