// Run by run.sh once for each level of x86-64: the library that was loaded is the one for it, and computes what plain
// loops do.
#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;

namespace {

using Values = std::vector<double>;

/// Where the library was loaded from.
std::string library() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (const auto at = line.find('/'); line.find("/libgradtape.so") != line.npos) return line.substr(at);
  return "";
}

gt::Tensor sample(const gt::Shape& shape, gt::Dtype dtype) {
  return gt::uniform(shape, {.low = -2, .high = 2, .dtype = dtype});
}

Values values(const gt::Tensor& x) { return x.to(gt::f64).to_vector<double>(); }

/// Each element may be off by some roundings for each of the terms, of magnitude 1, that were added up for it.
void check_near(const gt::Tensor& got, const Values& expected, std::size_t terms = 1) {
  const double tolerance =
      8 * (got.dtype() == gt::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon());
  const Values actual = values(got);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (!(std::abs(actual[i] - expected[i]) <= tolerance * (static_cast<double>(terms) + std::abs(expected[i]))))
      FAIL("element " << i << " is " << actual[i] << ", not " << expected[i]);
}

constexpr std::size_t rows = 37, columns = 53, inner = 29;  // no multiple of any lane
const gt::Dtype dtypes[] = {gt::f32, gt::f64};

}  // namespace

TEST_CASE("the library is the one for the level") {
  const char* const level = std::getenv("GRADTAPE_TEST_LEVEL");
  REQUIRE_MESSAGE(level, "run by tests/portable/run.sh");
  const std::string folder = std::string("/glibc-hwcaps/") + level + "/", path = library();
  INFO(path);
  CHECK(!path.empty());
  if (level == std::string("x86-64-v2"))
    CHECK(path.find("glibc-hwcaps") == path.npos);
  else
    CHECK(path.find(folder) != path.npos);
}

TEST_CASE("elementwise, with gradients") {
  for (const auto dtype : dtypes) {
    const auto a = sample({rows, columns}, dtype), b = sample({columns}, dtype);
    const Values x = values(a), y = values(b);
    Values value(x.size()), exponential(x.size()), tangent(x.size()), slope(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double s = 1 / (1 + std::exp(-(x[i] * y[i % columns] + x[i])));
      value[i] = s;
      exponential[i] = std::exp(x[i]);
      tangent[i] = std::tanh(x[i]);
      slope[i] = s * (1 - s) * (y[i % columns] + 1);
    }
    const auto f = [&](const gt::Tensor& t) { return gt::sigmoid(t * b + t); };
    check_near(f(a), value);
    check_near(gt::exp(a), exponential);
    check_near(gt::tanh(a), tangent);
    check_near(gt::vjp(f, a, gt::ones({rows, columns}, {.dtype = dtype})), slope);
  }
}

TEST_CASE("reductions") {
  for (const auto dtype : dtypes) {
    const auto a = sample({rows, columns}, dtype);
    const Values x = values(a);
    Values by_row(rows), by_column(columns), largest(rows, -INFINITY);
    double total = 0;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < columns; ++j) {
        const double element = x[i * columns + j];
        total += element;
        by_row[i] += element;
        by_column[j] += element;
        largest[i] = std::max(largest[i], element);
      }
    check_near(gt::sum(a), {total}, x.size());
    check_near(gt::sum(a, {.axes = {1}}), by_row, columns);
    check_near(gt::sum(a, {.axes = {0}}), by_column, rows);
    check_near(gt::max(a, {.axes = {1}}), largest);
  }
}

TEST_CASE("softmax") {
  for (const auto dtype : dtypes) {
    const auto a = sample({rows, columns}, dtype);
    const Values x = values(a);
    Values expected(x.size());
    for (std::size_t i = 0; i < rows; ++i) {
      double total = 0;
      for (std::size_t j = 0; j < columns; ++j) total += std::exp(x[i * columns + j]);
      for (std::size_t j = 0; j < columns; ++j) expected[i * columns + j] = std::exp(x[i * columns + j]) / total;
    }
    check_near(gt::softmax(a), expected);
  }
}

TEST_CASE("products, small and large") {
  for (const auto dtype : dtypes)
    for (const std::size_t scale : {1u, 8u}) {
      const std::size_t m = rows * scale, k = inner * scale, n = columns * scale;
      const auto a = sample({m, k}, dtype), b = sample({k, n}, dtype);
      const Values x = values(a), y = values(b);
      Values expected(m * n);
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t l = 0; l < k; ++l)
          for (std::size_t j = 0; j < n; ++j) expected[i * n + j] += x[i * k + l] * y[l * n + j];
      check_near(gt::matmul(a, b), expected, k);
      check_near(gt::matmul(gt::transpose(gt::contiguous(gt::transpose(a))), b), expected, k);
    }
}

TEST_CASE("an error crosses into the program as what it is") {
  CHECK_THROWS_AS(gt::matmul(gt::ones({2, 3}), gt::ones({2, 3})), gt::ShapeError);
  CHECK_THROWS_AS(gt::ones({2}) + gt::ones({2}, {.dtype = gt::f64}), gt::DtypeError);
  CHECK_THROWS_AS(gt::data::read_npy("/nowhere.npy"), gt::FileError);
  try {
    gt::ones({2, 3}).item();
    FAIL("two by three are no single element");
  } catch (const gt::Error&) {
  }
}

TEST_CASE("the program and the library share what belongs to a thread") {
  const auto w = gt::parameter(gt::ones({3}));
  CHECK(gt::sum(w).requires_grad());
  {
    const gt::NoGrad off;
    CHECK(!gt::sum(w).requires_grad());
  }
  const gt::DefaultDtype guard(gt::f64);
  CHECK(gt::ones({1}).dtype() == gt::f64);
}
