#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

namespace gt = gradtape;

namespace {

constexpr std::int64_t in = 300, out = 200;  // 60,000 weights

struct Statistics {
  double mean = 0, deviation = 0, largest = 0;
};

Statistics statistics(const gt::Tensor& weight) {
  Statistics s;
  const auto w = weight.to(gt::f64).to_vector<double>();
  const auto n = static_cast<double>(w.size());
  for (const double x : w) s.mean += x / n, s.largest = std::max(s.largest, std::abs(x));
  for (const double x : w) s.deviation += (x - s.mean) * (x - s.mean) / n;
  s.deviation = std::sqrt(s.deviation);
  return s;
}

/// Uniform in ±bound: variance bound²/3. Margins are four standard errors or more of 60,000 samples.
void check_uniform(const gt::Tensor& weight, double bound) {
  const Statistics s = statistics(weight);
  CHECK(std::abs(s.mean) < 0.01 * bound);
  CHECK(s.deviation == doctest::Approx(bound / std::sqrt(3)).epsilon(0.01));
  CHECK(s.largest <= bound * (1 + 1e-6));
  CHECK(s.largest > 0.999 * bound);
}

void check_normal(const gt::Tensor& weight, double deviation) {
  const Statistics s = statistics(weight);
  CHECK(std::abs(s.mean) < 0.017 * deviation);
  CHECK(s.deviation == doctest::Approx(deviation).epsilon(0.015));
  CHECK(s.largest > 3.5 * deviation);  // no uniform of this deviation reaches 1.8
  CHECK(s.largest < 6 * deviation);
}

gt::Tensor weight(gt::Dtype dtype = gt::f32) { return gt::parameter(gt::zeros({out, in}, {.dtype = dtype})); }

}  // namespace

TEST_CASE("init: a linear layer starts as PyTorch's") {
  const gt::RandomStream random(1);
  const gt::nn::Linear layer(in, out);
  check_uniform(layer.weight, 1 / std::sqrt(in));
  const Statistics bias = statistics(layer.bias);
  CHECK(bias.largest <= 1 / std::sqrt(in) * (1 + 1e-6));
  CHECK(bias.largest > 0.9 / std::sqrt(in));
}

TEST_CASE("init: Xavier") {
  const gt::RandomStream random(2);
  const auto w = weight();
  gt::nn::init::xavier_uniform(w);
  check_uniform(w, std::sqrt(6.0 / (in + out)));
  gt::nn::init::xavier_uniform(w, {.gain = 3});
  check_uniform(w, 3 * std::sqrt(6.0 / (in + out)));
  gt::nn::init::xavier_normal(w);
  check_normal(w, std::sqrt(2.0 / (in + out)));
  gt::nn::init::xavier_normal(w, {.gain = 0.5});
  check_normal(w, 0.5 * std::sqrt(2.0 / (in + out)));
}

TEST_CASE("init: He") {
  const gt::RandomStream random(3);
  const auto w = weight(gt::f64);
  gt::nn::init::he_uniform(w);
  check_uniform(w, std::sqrt(6.0 / in));  // fan_in, and not fan_out
  gt::nn::init::he_normal(w);
  check_normal(w, std::sqrt(2.0 / in));
  CHECK(w.dtype() == gt::f64);
}

TEST_CASE("init: the fans of a convolution's weight count its kernel") {
  const gt::RandomStream random(4);
  const auto w = gt::parameter(gt::zeros({80, 30, 5, 4}));  // fan_in 600, fan_out 1600
  gt::nn::init::xavier_uniform(w);
  check_uniform(w, std::sqrt(6.0 / (600 + 1600)));
  gt::nn::init::xavier_normal(w);
  check_normal(w, std::sqrt(2.0 / (600 + 1600)));
  gt::nn::init::he_uniform(w);
  check_uniform(w, std::sqrt(6.0 / 600));
}

TEST_CASE("init: constants") {
  const auto w = weight(gt::f64);
  gt::nn::init::constant(w, 0.5);
  CHECK(gt::equal(w, gt::full({out, in}, 0.5, {gt::f64})));
  gt::nn::init::ones(w);
  CHECK(gt::equal(w, gt::ones({out, in}, {gt::f64})));
  gt::nn::init::zeros(w);
  CHECK(gt::equal(w, gt::zeros({out, in}, {gt::f64})));
}

TEST_CASE("init: uniform and normal") {
  const gt::RandomStream random(5);
  const auto w = weight();
  gt::nn::init::uniform(w, {.low = -0.5, .high = 0.5});
  check_uniform(w, 0.5);
  gt::nn::init::uniform(w);
  CHECK(statistics(w).mean == doctest::Approx(0.5).epsilon(0.01));
  gt::nn::init::normal(w, {.std = 0.1});
  check_normal(w, 0.1);
  gt::nn::init::normal(w, {.mean = 7, .std = 0.1});
  CHECK(statistics(w).mean == doctest::Approx(7).epsilon(0.001));
}

TEST_CASE("init: truncated normal") {
  const gt::RandomStream random(6);
  const auto w = weight(gt::f64);
  gt::nn::init::truncated_normal(w);  // within two deviations of its own, which leaves a variance of 0.77374...
  const Statistics s = statistics(w);
  CHECK(s.largest <= 2);
  CHECK(s.largest > 1.99);
  CHECK(std::abs(s.mean) < 0.015);
  CHECK(s.deviation == doctest::Approx(std::sqrt(0.7737413)).epsilon(0.01));
  gt::nn::init::truncated_normal(w, {.mean = 1, .std = 2, .a = 0, .b = 1});
  CHECK(gt::min(w).item() >= 0);
  CHECK(gt::max(w).item() <= 1);
  CHECK(statistics(w).mean > 0.5);      // nearer to the mean it is denser
  const auto coarse = weight(gt::f32);  // its numbers near 1e8 lie 8 apart
  gt::nn::init::truncated_normal(coarse, {.mean = 1e8 + 3, .a = 1e8 + 4.5, .b = 1e8 + 5.5});
  CHECK(gt::equal(coarse, gt::full_like(coarse, 1e8 + 8)));
  CHECK_THROWS_WITH_AS(gt::nn::init::truncated_normal(w, {.a = 3, .b = 4}),
                       "truncated_normal: [3, 4] holds less than 1 % of a distribution with mean 0 and std 1",
                       gt::ValueError);
  CHECK_THROWS_AS(gt::nn::init::truncated_normal(w, {.a = 2, .b = -2}), gt::ValueError);
}

TEST_CASE("init: orthogonal") {
  const gt::RandomStream random(7);
  for (const gt::Shape& shape : {gt::Shape{4, 9}, {9, 4}, {6, 6}, {4, 3, 2}, {0, 3}}) {
    CAPTURE(gt::to_string(shape));
    const auto w = gt::parameter(gt::zeros(shape, {gt::f64}));
    gt::nn::init::orthogonal(w, {.gain = 3});
    const std::int64_t rows = shape[0], columns = rows == 0 ? 3 : w.numel() / rows;
    const auto m = gt::reshape(w, {rows, columns}), t = gt::transpose(m);
    const auto square = rows < columns ? gt::matmul(m, t) : gt::matmul(t, m);
    if (rows > 0) CHECK(square == gt::approx(9 * gt::eye(std::min(rows, columns), {.dtype = gt::f64})).atol(1e-12));
  }
  // LAPACK's R has a negative diagonal; were its sign not taken out, the first element would never be positive.
  int positive = 0;
  for (int i = 0; i < 50; ++i) {
    const auto small = gt::parameter(gt::zeros({2, 2}));
    gt::nn::init::orthogonal(small);
    positive += small[{0, 0}].item() > 0;
  }
  CHECK(positive > 10);
  CHECK(positive < 40);
}

TEST_CASE("init: the same seed gives the same bits") {
  gt::manual_seed(11);
  const gt::nn::MLP first({20, 30, 10});
  gt::manual_seed(11);
  const gt::nn::MLP second({20, 30, 10});
  gt::manual_seed(12);
  const gt::nn::MLP third({20, 30, 10});
  for (std::size_t i = 0; i < first.parameters().size(); ++i) {
    CHECK(gt::equal(first.parameters()[i], second.parameters()[i]));
    CHECK_FALSE(gt::equal(first.parameters()[i], third.parameters()[i]));
  }
}

TEST_CASE("init: writes into the leaf") {
  const auto w = weight();
  const gt::Tensor held = w;
  gt::nn::init::he_normal(w);
  CHECK(gt::equal(held, w));
  CHECK(held.is_leaf());
}

TEST_CASE("init: a vector has no fan") {
  const auto w = gt::parameter(gt::zeros({3}));
  const auto message = "init: shape [3] has no fan; expected a weight [out, in]";
  CHECK_THROWS_WITH_AS(gt::nn::init::xavier_uniform(w), message, gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::nn::init::xavier_normal(w), message, gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::nn::init::he_uniform(w), message, gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::nn::init::he_normal(w), message, gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::nn::init::orthogonal(w), message, gt::ShapeError);
  CHECK_THROWS_AS(gt::nn::init::he_normal(gt::zeros({2, 2})), gt::GradientError);
}
