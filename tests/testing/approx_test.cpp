#include <gradtape/gradtape.hpp>

#include <limits>
#include <sstream>

#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("approx: relative and absolute tolerance, by dtype") {
  CHECK(gt::tensor({1.0f, 100.0f}) == gt::approx(gt::tensor({1.000005, 100.0005})));
  CHECK_FALSE(gt::tensor({1.0f}) == gt::approx(gt::tensor({1.0001})));
  const auto one = gt::tensor({1.0}, {.dtype = gt::f64}), near = gt::tensor({1.0 + 1e-8}, {.dtype = gt::f64});
  CHECK_FALSE(near == gt::approx(one));
  CHECK(near == gt::approx(one).rtol(1e-7));
  CHECK(near == gt::approx(one).atol(1e-7));
  CHECK_FALSE(gt::tensor({0.01}) == gt::approx(gt::tensor({0.0})));
}

TEST_CASE("approx: shapes and dtypes must agree") {
  CHECK(gt::approx(gt::zeros({2, 1})).difference(gt::zeros({2})) == "is f32 [2], expected f32 [2, 1]");
  CHECK(gt::approx(gt::zeros({2}, {.dtype = gt::f64})).difference(gt::zeros({2})) == "is f32 [2], expected f64 [2]");
}

TEST_CASE("approx: infinities and NaN agree with themselves alone") {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(gt::tensor({inf, -inf, nan}) == gt::approx(gt::tensor({inf, -inf, nan})));
  CHECK_FALSE(gt::tensor({inf}) == gt::approx(gt::tensor({-inf})));
  CHECK_FALSE(gt::tensor({1e30}) == gt::approx(gt::tensor({inf})));
  CHECK_FALSE(gt::tensor({inf}) == gt::approx(gt::tensor({1.0})));
  CHECK_FALSE(gt::tensor({nan}) == gt::approx(gt::tensor({0.0})));
  CHECK_FALSE(gt::tensor({0.0}) == gt::approx(gt::tensor({nan})));
}

TEST_CASE("approx: integers and booleans must be equal") {
  CHECK(gt::tensor({1, 2}, {.dtype = gt::i64}) == gt::approx(gt::tensor({1, 2}, {.dtype = gt::i64})));
  CHECK_FALSE(gt::tensor({1000000001}, {.dtype = gt::i64}) == gt::approx(gt::tensor({1000000000}, {.dtype = gt::i64})));
}

TEST_CASE("approx: a failure prints where the tensors differ most") {
  const auto expected = gt::approx(gt::tensor({{1., 2.}, {3., 4.}}));
  CHECK_FALSE(gt::tensor({{1., 2.5}, {3., 9.}}) == expected);
  std::ostringstream out;
  out << expected;
  CHECK(out.str().find("2 of 4 elements differ; worst at [1, 1]: is 9, expected 4") != std::string::npos);
}

TEST_CASE("approx: strided tensors compare by element") {
  const auto a = gt::tensor({{1., 2.}, {3., 4.}});
  CHECK(gt::transpose(a) == gt::approx(gt::tensor({{1., 3.}, {2., 4.}})));
}
