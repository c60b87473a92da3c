#include <gradtape/ops/extend.hpp>

#include <array>

#include <ops/rows.hpp>

namespace gt = gradtape;
using cases::between;

namespace {

const auto gate = [](auto a, auto b) { return sigmoid(a * b + a); };
gt::Tensor mapped_gate(const gt::Tensor& a, const gt::Tensor& b) { return gt::map(gate, a, b); }

/// An expression with a branch, a kink, a number and a power, and what it is in ops.
const auto mixed = [](auto x, auto y) {
  return where(x > 0, pow(x, 2) * tanh(y), exp(-abs(x)) / (2 + cos(y))) + maximum(x, y) * sign(y);
};
gt::Tensor mapped_mixed(const gt::Tensor& x, const gt::Tensor& y) { return gt::map(mixed, x, y); }

/// Every elementwise function, of numbers in (0.2, 0.8): an expression of values, and of tensors.
const auto of_math = [](auto x) {
  return exp(x) + expm1(x) * log(x) + log1p(x) * sqrt(x) - rsqrt(x) / square(x) + reciprocal(x) * abs(x) +
         sign(x) * pow(x, 1.5) + hypot(x, 2 * x) * logaddexp(x, 1) + lerp(x, 3, x);
};
const auto of_angles = [](auto x) {
  return sin(x) * cos(x) + tan(x) - asin(x) * acos(x) + atan(x) * atan2(x, 2) + sinh(x) * cosh(x) - tanh(x) * asinh(x) +
         acosh(1 + x) * atanh(x);
};
const auto of_special = [](auto x) {
  return erf(x) * erfc(x) + lgamma(x) * digamma(x) - polygamma(2, x) + floor(x) + ceil(x) * x - round(x + 0.9) * x +
         trunc(3.5 - x) * x + remainder(x, 2);
};
const auto of_activations = [](auto x) {
  const auto s = sigmoid(x) * log_sigmoid(x) + softplus(x) * softplus(x, {.beta = 2}) + softsign(x) * relu(x) -
                 leaky_relu(x - 1, {.negative_slope = 0.3});
  return s + elu(x - 1) * selu(x - 1) + gelu(x) * gelu(x, {.approximate = gt::GeluOptions::tanh}) + silu(x) * mish(x) +
         hardtanh(x) * hardswish(x);
};
const auto of_choices = [](auto x) {
  const auto inside = logical_and(x > 0.3, logical_not(logical_or(x >= 0.7, isnan(x))));
  const auto odd = logical_xor(logical_or(x < 0.4, isinf(x)), logical_and(isfinite(x), x <= 0.6));
  const auto chosen = where(inside, x * x, 3 * x) + where(odd, 2 * x, x) + where(logical_or(x == 2, x != x), 1, x);
  return chosen + maximum(x, 0.5) * minimum(0.5, x) + clamp(x, {.min = 0.3, .max = 0.7}) * nan_to_num(x);
};

}  // namespace

TEST_CASE("map: value and gradients are those of the same expression in ops") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const gt::RandomStream random(3);
    const auto a = cases::away_from(0)({5, 37}).to(dtype), b = cases::away_from(0)({37}).to(dtype),
               g = between(-1, 1)({5, 37}).to(dtype);
    CHECK(mapped_gate(a, b) == gt::approx(gate(a, b)));
    CHECK(mapped_mixed(a, b) == gt::approx(mixed(a, b)));
    for (const auto& [fused, composed] : {std::pair{gt::vjp(mapped_gate, {a, b}, g), gt::vjp(gate, {a, b}, g)},
                                          std::pair{gt::vjp(mapped_mixed, {a, b}, g), gt::vjp(mixed, {a, b}, g)}})
      for (std::size_t i = 0; i < 2; ++i)
        CHECK(fused[i] == gt::approx(composed[i]).atol(dtype == gt::f32 ? 1e-5 : 1e-12));
  }
}

TEST_CASE("map: any order, over every broadcast and view") {
  cases::gradcheck_all(mapped_gate, between(-2, 2), between(-2, 2));
  CHECK(gt::gradcheck(mapped_gate, {between(-2, 2)({3, 4}), between(-2, 2)({4})}).order(3));
  CHECK(gt::gradcheck(mapped_mixed, {cases::away_from(0)({3, 40}), between(3, 4)({3, 40})}).order(3));
}

TEST_CASE("map: every elementwise function is what it is in ops, to the second order") {
  const gt::RandomStream random(4);
  const auto check = [](const auto& f) {
    const auto fused = [&](const gt::Tensor& x) { return gt::map(f, x); };
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      const auto x = between(0.2, 0.8)({3, 37}).to(dtype), g = between(-1, 1)({3, 37}).to(dtype);
      CHECK(fused(x) == gt::approx(f(x)));
      CHECK(gt::vjp(fused, x, g) == gt::approx(gt::vjp(f, x, g)).atol(dtype == gt::f32 ? 1e-4 : 1e-12));
    }
    CHECK(gt::gradcheck(fused, between(0.72, 0.78)({40})));  // a range without kinks
  };
  check(of_math);
  check(of_angles);
  check(of_special);
  check(of_activations);
  check(of_choices);
}

TEST_CASE("map: a node saves what some gradient reads, and an input that is ignored gets zeros") {
  const auto a = gt::parameter(gt::ones({3})), b = gt::parameter(gt::ones({3}));
  CHECK(gt::tape_string(gt::map([](auto x, auto y) { return x * 3 + y; }, a, b)).find("saves nothing") !=
        std::string::npos);
  CHECK(gt::tape_string(gt::map([](auto x, auto y) { return exp(x) + y; }, a, b)).find("saves input 0 [3]\n") !=
        std::string::npos);
  const auto first = [](const gt::Tensor& x, const gt::Tensor& y) {
    return gt::map([](auto u, auto) { return u * u; }, x, y);
  };
  const auto [da, db] = gt::vjp(first, {a.detach(), b.detach()}, gt::ones({3}));
  CHECK(gt::equal(da, gt::full({3}, 2)));
  CHECK(gt::equal(db, gt::zeros({3})));
}

TEST_CASE("map: comparisons give booleans, and numbers that are captured keep the dtype") {
  const auto x = gt::tensor({-1.0, 0.5, 2.0});
  CHECK(gt::equal(gt::map([](auto v) { return v > 0; }, x), x > 0));
  const double slope = 0.1;
  const auto leaky = gt::map([slope](auto v) { return where(v > 0, v, slope * v); }, x);
  CHECK(leaky == gt::approx(gt::tensor({-0.1, 0.5, 2.0})));
}

TEST_CASE("map: an expression may have variables that are set later") {
  const auto cube = [](auto x) {
    decltype(x) y;
    std::array<decltype(x * x), 2> powers{};
    y = x;
    powers[0] = y * y;
    powers[1] = powers[0] * y;
    return powers[1];
  };
  const auto x = gt::parameter(gt::tensor({1., -2., 3.}));
  const auto y = gt::map(cube, x);
  CHECK(gt::equal(y, gt::tensor({1., -8., 27.})));
  const auto first = gt::grad(gt::sum(y), {x}, {.create_graph = true})[0];
  CHECK(gt::equal(first, gt::tensor({3., 12., 27.})));
  CHECK(gt::equal(gt::grad(gt::sum(first), {x})[0], gt::tensor({6., -12., 18.})));
}

TEST_CASE("map: errors") {
  using cases::message_of;
  CHECK(message_of<gt::ShapeError>([] {
          return mapped_gate(gt::zeros({2, 3}), gt::zeros({2}));
        }) == "map: shapes [2, 3] and [2] do not broadcast: axis -1 has 3 against 2; sizes must be equal or 1");
  CHECK(message_of<gt::DtypeError>([] { return mapped_gate(gt::zeros({2}), gt::zeros({2}, {.dtype = gt::f64})); }) ==
        "map: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
}
