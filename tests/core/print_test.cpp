#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace gt = gradtape;

TEST_CASE("print: every dtype") {
  CHECK(gt::to_string(gt::tensor({1., 2.5, -0.1})) == "[1, 2.5, -0.1]  f32 [3]");
  CHECK(gt::to_string(gt::tensor({1e-10, 123456789.}, {.dtype = gt::f64})) == "[1e-10, 1.23457e+08]  f64 [2]");
  CHECK(gt::to_string(gt::tensor({std::int64_t{1234567890123}}, {.dtype = gt::i64})) == "[1234567890123]  i64 [1]");
  CHECK(gt::to_string(gt::tensor({true, false}, {.dtype = gt::boolean})) == "[true, false]  boolean [2]");
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(gt::to_string(gt::tensor({inf, -inf, nan})) == "[inf, -inf, nan]  f32 [3]");
}

TEST_CASE("print: every rank") {
  CHECK(gt::to_string(gt::tensor(7.)) == "7  f32 []");
  CHECK(gt::to_string(gt::tensor({{1., 2.}, {3., 4.}})) == "[[1, 2],\n [3, 4]]  f32 [2, 2]");
  CHECK(gt::to_string(gt::tensor({{{1.}, {2.}}, {{3.}, {4.}}})) == "[[[1],\n  [2]],\n [[3],\n  [4]]]  f32 [2, 2, 1]");
  CHECK(gt::to_string(gt::zeros({0})) == "[]  f32 [0]");
  CHECK(gt::to_string(gt::zeros({2, 0})) == "[[],\n []]  f32 [2, 0]");
  CHECK(gt::to_string(gt::transpose(gt::tensor({{1., 2.}, {3., 4.}}))) == "[[1, 3],\n [2, 4]]  f32 [2, 2]");
}

TEST_CASE("print: a long tensor shows the ends of its axes") {
  CHECK(gt::to_string(gt::arange(2000)) == "[0, 1, 2, …, 1997, 1998, 1999]  f32 [2000]");
  const std::string text = gt::to_string(gt::reshape(gt::arange(2000), {100, 20}));
  CHECK(text.starts_with("[[0, 1, 2, …, 17, 18, 19],\n [20, 21, 22, …, 37, 38, 39],\n [40, "));
  CHECK(text.ends_with("[1980, 1981, 1982, …, 1997, 1998, 1999]]  f32 [100, 20]"));
  CHECK(gt::to_string(gt::arange(1000)).find("…") == std::string::npos);
  CHECK(gt::to_string(gt::zeros({400, 5})).find("[0, 0, 0, 0, 0]") != std::string::npos);  // short axes stay whole
}

TEST_CASE("print: fmt and streams say the same") {
  const auto x = gt::tensor({1., 2.});
  std::ostringstream out;
  out << x;
  CHECK(out.str() == "[1, 2]  f32 [2]");
  CHECK(fmt::format("{}", x) == "[1, 2]  f32 [2]");
  CHECK(gt::to_string(gt::Tensor()) == "(empty Tensor)");
  CHECK(gt::to_string(gt::parameter(x)) == "[1, 2]  f32 [2]");
}

TEST_CASE("tape: newest first with what each node saves") {
  const auto w = gt::parameter(gt::ones({2, 3})), b = gt::parameter(gt::ones({3}));
  const auto x = gt::ones({4, 2});
  const auto y = gt::sum(gt::sigmoid(gt::matmul(x, w) + b));
  CHECK(gt::tape_string(y) ==
        "#5   sum(#4)                      f32 []           saves nothing\n"
        "#4   sigmoid(#3)                  f32 [4, 3]       saves output [4, 3]\n"
        "#3   add(#2, #1)                  f32 [4, 3]       saves nothing\n"
        "#2   matmul(·, #0)                f32 [4, 3]       saves input 0 [4, 2]\n"
        "#1   leaf                         f32 [3]\n"
        "#0   leaf                         f32 [2, 3]\n");
  y.backward();
  CHECK(gt::tape_string(y).starts_with("#5   sum(#4)                      f32 []           released\n"));
  CHECK(gt::tape_string(x) == "no tape: this tensor depends on no parameter\n");
}

TEST_CASE("tape: a shared node stands once") {
  const auto w = gt::parameter(gt::tensor(2.));
  auto y = w * w;
  for (int i = 0; i < 40; ++i) y = y + y;
  const std::string text = gt::tape_string(y);
  CHECK(std::count(text.begin(), text.end(), '\n') == 42);
}
