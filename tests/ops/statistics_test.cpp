#include <numeric>

#include <ops/reductions.hpp>

namespace gt = gradtape;
using cases::inf, cases::random, cases::over, cases::vector;
using gt::Tensor;

namespace {

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
double var_of(const std::vector<double>& x, double correction) {
  const double mean = mean_of(x);
  double total = 0;
  for (const double v : x) total += (v - mean) * (v - mean);
  return total / (static_cast<double>(x.size()) - correction);
}
double logsumexp_of(const std::vector<double>& x) {
  long double total = 0;
  for (const double v : x) total += std::exp(static_cast<long double>(v));
  return static_cast<double>(std::log(total));
}
double norm_of(const std::vector<double>& x, double p) {
  double most = 0, least = inf, total = 0;
  for (const double v : x) {
    most = std::max(most, std::abs(v));
    least = std::min(least, std::abs(v));
    total += p == 0 ? v != 0 : std::pow(std::abs(v), p);
  }
  return p == inf ? most : p == -inf ? least : p == 0 ? total : std::pow(total, 1 / p);
}

/// Of random signs, and of sizes of which no two are near.
Tensor distinct_sizes(const gt::Shape& shape) {
  const Tensor x = gt::distinct(shape, {.dtype = gt::f64}), sign = cases::away_from(0)(shape);
  return gt::where(sign < 0, -1, gt::ones_like(x)) * (x + 50);
}

auto var_with(double correction) {
  return [=](const Tensor& x, const gt::ReduceOptions& o) {
    return gt::var(x, {.axes = o.axes, .correction = correction, .keepdims = o.keepdims});
  };
}
auto std_with(double correction) {
  return [=](const Tensor& x, const gt::ReduceOptions& o) {
    return gt::std(x, {.axes = o.axes, .correction = correction, .keepdims = o.keepdims});
  };
}
auto norm_with(double p) {
  return [=](const Tensor& x, const gt::ReduceOptions& o) {
    return gt::norm(x, {.p = p, .axes = o.axes, .keepdims = o.keepdims});
  };
}

/// Calls of var or std with the correction that leaves most to divide by, also where there is one element.
std::vector<cases::Call> of_spread(auto with) {
  return cases::calls(
      {cases::over_axes(with(-1.0), distinct_sizes, false),
       cases::at({{2, 3}, {37}}, cases::between(-1, 1), [=](const Tensor& x) { return with(1)(x, {.axes = -1}); }),
       cases::at({{3, 4}}, cases::between(-1, 1), [=](const Tensor& x) { return with(0.5)(x, {}); })});
}

std::vector<cases::Call> of_norms() {
  const auto any = cases::between(-1, 1), kink = cases::away_from(0);
  return cases::calls(
      {cases::over_axes(norm_with(2), kink), cases::over_axes(norm_with(1), kink),
       cases::over_axes(norm_with(inf), distinct_sizes, false),
       cases::over_axes(norm_with(-inf), distinct_sizes, false), cases::over_axes(norm_with(3), kink),
       cases::at({{3, 4}, {7}}, any, [](const Tensor& x) { return gt::norm(x, {.p = 4, .axes = 0}); }),
       cases::at({{3, 4}, {7}}, kink, [](const Tensor& x) { return gt::norm(x, {.p = 1.5, .axes = -1}); }),
       cases::at({{3, 4}, {7}}, kink, [](const Tensor& x) { return gt::norm(x, {.p = 0.5}); }),
       cases::at({{3, 4}, {7}}, kink, [](const Tensor& x) { return gt::norm(x, {.p = -1}); })});
}

std::vector<cases::Misuse> misuse_of(const std::string& name, auto op) {
  return {{name + ": axis 2 is out of range for rank 2; use -2 to 1",
           [=] {
             op(gt::zeros({2, 3}), {.axes = 2});
           }},
          {name + ": axis 0 is named twice in {0, 0}",
           [=] {
             op(gt::zeros({2, 3}), {.axes = {0, 0}});
           }},
          {name + ": no meaning for i64; convert with .to(gradtape::f32)",
           [=] { op(gt::zeros({2}, {.dtype = gt::i64}), {}); }},
          {name + ": no meaning for boolean; convert with .to(gradtape::f32)",
           [=] { op(gt::zeros({2}, {.dtype = gt::boolean}), {}); }}};
}

std::vector<cases::Misuse> misuse_of_spread(const std::string& name, auto op) {
  auto out = misuse_of(name, op);
  out.push_back(
      {name + ": shape [0, 3] has no elements along the reduced axes, and the " + name + " of nothing is undefined",
       [=] {
         op(gt::zeros({0, 3}), {.axes = 0});
       }});
  out.push_back({name + ": n = 1 along the reduced axes of [1, 3] and a correction of 1 leave nothing to divide by; "
                        "take more elements or a smaller .correction",
                 [=] {
                   op(gt::zeros({1, 3}), {.axes = 0});
                 }});
  return out;
}

std::vector<cases::Misuse> misuse_of_norm() {
  auto out = misuse_of("norm", gt::norm);
  out.push_back(
      {"norm: p is NaN; expected a number or an infinity", [] { gt::norm(gt::zeros({2}), {.p = cases::nan}); }});
  for (const double p : {inf, -inf, -1.0})
    out.push_back({"norm: shape [0] has no elements along the reduced axes, and the norm of nothing is undefined",
                   [=] { gt::norm(gt::zeros({0}), {.p = p}); }});
  return out;
}

const cases::Rows statistics([]() -> std::vector<cases::Row> {
  return {
      {"var", of_spread(var_with), misuse_of_spread("var", gt::var)},
      {"std", of_spread(std_with), misuse_of_spread("std", gt::std)},
      {"logsumexp", cases::over_axes(gt::logsumexp, cases::between(-3, 3), false),
       misuse_of("logsumexp", gt::logsumexp), 3},
      {"norm", of_norms(), misuse_of_norm()},
  };
});

}  // namespace

TEST_CASE("statistics: rows") { statistics.check(); }

TEST_CASE("statistics over any axes of a 4-d tensor equal plain loops") {
  const gt::RandomStream stream(91);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const Tensor& x : cases::layouts(dtype))
      for (unsigned mask = 1; mask < 16; ++mask) {
        CAPTURE(gt::to_string(x.shape()));
        CAPTURE(mask);
        const auto same = [&](auto op, auto by_loops) {
          const Tensor expected = cases::reduced(x, mask, by_loops);
          CHECK(op(x, over(mask, true)) == gt::approx(expected));
          CHECK(op(x, over(mask, false)) == gt::approx(gt::reshape(expected, cases::dropped(x.shape(), mask))));
        };
        same(var_with(0), [](const auto& group) { return var_of(group, 0); });
        same(std_with(-1), [](const auto& group) { return std::sqrt(var_of(group, -1)); });
        same(gt::logsumexp, logsumexp_of);
        for (const double p : {2.0, 1.0, 3.0, 0.5, -1.5, 0.0, inf, -inf})
          same(norm_with(p), [=](const auto& group) { return norm_of(group, p); });
      }
}

TEST_CASE("statistics: the formulas on paper") {
  const gt::RandomStream stream(92);
  const Tensor x = random({7}), g = random({});
  const Tensor centered = x - gt::sum(x) / 7, variance = gt::sum(centered * centered) / 6;
  CHECK(gt::var(x) == gt::approx(variance));
  CHECK(gt::var(x, {.correction = 0}) == gt::approx(variance * (6.0 / 7)));
  CHECK(gt::vjp(gt::var, x, g) == gt::approx(g * 2 * centered / 6));
  CHECK(gt::std(x) == gt::approx(gt::sqrt(variance)));
  CHECK(gt::vjp(gt::std, x, g) == gt::approx(g * centered / (6 * gt::sqrt(variance))));
  const Tensor weights = gt::exp(x) / gt::sum(gt::exp(x));
  CHECK(gt::vjp(gt::logsumexp, x, g) == gt::approx(g * weights));
  CHECK(gt::norm(gt::tensor({3, -4})).item() == 5);
  CHECK(gt::vjp(gt::norm, x, g) == gt::approx(g * x / gt::sqrt(gt::sum(x * x))));
  CHECK(gt::norm(gt::tensor({3, 0, -4}), {.p = 1}).item() == 7);
  CHECK(gt::norm(gt::tensor({3, 0, -4}), {.p = 0}).item() == 2);
  CHECK(gt::norm(gt::tensor({3, 0, -4}), {.p = inf}).item() == 4);
}

TEST_CASE("the variance of small deviations from a large mean is exact") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const double base = 1e8, step = dtype == gt::f32 ? 8 : 0.25;  // multiples of it are exact
    std::vector<double> values;
    for (int i = 0; i < 1001; ++i) values.push_back(base + step * ((i * 7) % 11));
    for (double& v : values) v = cases::doubles(vector({v}, dtype))[0];
    const Tensor x = vector(values, dtype);
    const double expected = var_of(values, 1);
    CHECK(gt::var(x).item() == doctest::Approx(expected).epsilon(1e-6));
    CHECK(gt::std(x).item() == doctest::Approx(std::sqrt(expected)).epsilon(1e-6));
  }
  CHECK(gt::var(gt::full({1000}, 0.1)).item() == doctest::Approx(0));
}

TEST_CASE("the fused logsumexp equals the composed one, to second order and over any axes") {
  const gt::RandomStream stream(93);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (unsigned mask = 1; mask < 8; ++mask) {
      CAPTURE(mask);
      const Tensor x = random({3, 4, 600}, dtype) * 3;
      const auto fused = [=](const Tensor& t) { return gt::logsumexp(t, over(mask, true)); };
      const auto composed = [=](const Tensor& t) { return gt::log(gt::sum(gt::exp(t), over(mask, true))); };
      const Tensor g = random(cases::kept(x.shape(), mask), dtype), h = random(x.shape(), dtype);
      CHECK(fused(x) == gt::approx(composed(x)));
      CHECK(gt::vjp(fused, x, g) == gt::approx(gt::vjp(composed, x, g)));
      const auto slope = [&](auto f) { return [=](const Tensor& t) { return gt::vjp(f, t, g); }; };
      CHECK(gt::vjp(slope(fused), x, h) == gt::approx(gt::vjp(slope(composed), x, h)).atol(1e-6));
    }
}

TEST_CASE("logsumexp of large, infinite and no elements") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto slope = [&](const std::vector<double>& x) {
      return gt::vjp(gt::logsumexp, vector(x, dtype), vector({2}, dtype)[0]);
    };
    const auto of = [&](const std::vector<double>& x) { return gt::logsumexp(vector(x, dtype)).item(); };
    CHECK(of({1000, 1000}) == doctest::Approx(1000 + std::log(2)));
    CHECK(of({-1000, -1000}) == doctest::Approx(-1000 + std::log(2)));
    CHECK(slope({90, 90}) == gt::approx(vector({1, 1}, dtype)));
    CHECK(slope({-90, -90}) == gt::approx(vector({1, 1}, dtype)));
    CHECK(of({-inf, 3}) == 3);
    CHECK(slope({-inf, 3}) == gt::approx(vector({0, 2}, dtype)));
    CHECK(of({-inf, -inf}) == -inf);
    CHECK(slope({-inf, -inf}) == gt::approx(vector({0, 0}, dtype)));
    CHECK(of({inf, 0, -inf}) == inf);
    CHECK(slope({0, -inf}) == gt::approx(vector({2, 0}, dtype)));
    for (const std::size_t at : {0u, 7u, 20u, 36u}) {
      std::vector<double> x(37, 1.0);
      x[at] = cases::nan;
      CHECK(std::isnan(of(x)));
    }
    CHECK(of({}) == -inf);
    CHECK(gt::logsumexp(gt::zeros({1 << 22}, {.dtype = dtype})).item() ==
          doctest::Approx(22 * std::log(2)).epsilon(1e-7));
  }
  CHECK(gt::equal(gt::logsumexp(gt::zeros({3, 0}), {.axes = 1}), gt::full({3}, -inf)));
  const auto masked = [](const Tensor& x) {
    return gt::logsumexp(gt::where(gt::tensor({1, 0, 1}).to(gt::boolean), x, -inf));
  };
  CHECK(gt::gradcheck(masked, vector({1, 2, 3})).order(3));
}

TEST_CASE("std and the 2-norm have a gradient of 0 where they are 0, at the second order too") {
  const Tensor same = gt::full({2, 3}, 1.5), zero = gt::zeros({2, 3}), g = gt::ones({2});
  const auto std_rows = [](const Tensor& x) { return gt::std(x, {.axes = 1}); };
  const auto norm_rows = [](const Tensor& x) { return gt::norm(x, {.axes = 1}); };
  const auto twice = [&](auto f) { return [=](const Tensor& x) { return gt::vjp(f, x, g); }; };
  CHECK(gt::equal(gt::vjp(std_rows, same, g), zero));
  CHECK(gt::equal(gt::vjp(norm_rows, zero, g), zero));
  CHECK(gt::equal(gt::vjp(twice(std_rows), same, same), zero));
  CHECK(gt::equal(gt::vjp(twice(norm_rows), zero, same), zero));
  for (const double p : {0.5, 1.0, 1.5, 3.0, 4.0}) {
    CAPTURE(p);
    const auto rows = [=](const Tensor& x) { return gt::norm(x, {.p = p, .axes = 1}); };
    CHECK(gt::equal(gt::vjp(rows, zero, g), zero));
    CHECK(gt::equal(gt::vjp(twice(rows), zero, same), zero));
    const Tensor some = gt::vjp(rows, gt::tensor({{0, 2, 0}, {3, 0, 0}}), g);
    CHECK(some == gt::approx(gt::tensor({{0, 1, 0}, {1, 0, 0}})));
  }
}

TEST_CASE("elements that tie for the largest or smallest size share the gradient of the norm") {
  const Tensor x = gt::tensor({3, -3, 1}), g = gt::tensor(8);
  CHECK(gt::vjp([](const Tensor& t) { return gt::norm(t, {.p = inf}); }, x, g) == gt::approx(gt::tensor({4, -4, 0})));
  CHECK(gt::vjp([](const Tensor& t) { return gt::norm(t, {.p = -inf}); }, x, g) == gt::approx(gt::tensor({0, 0, 8})));
}

TEST_CASE("norms of very large, very small, infinite and no elements") {
  CHECK(gt::norm(gt::full({4}, 1e30)).item() == doctest::Approx(2e30));
  CHECK(gt::norm(gt::full({4}, 1e-30)).item() == doctest::Approx(2e-30));
  CHECK(gt::norm(gt::full({8}, 1e30), {.p = 3}).item() == doctest::Approx(2e30));
  CHECK(gt::norm(gt::full({4}, 1e200, {.dtype = gt::f64})).item() == inf);
  CHECK(gt::norm(gt::ones({(1 << 24) + 9})).item() == doctest::Approx(std::sqrt((1 << 24) + 9)).epsilon(1e-7));
  for (const double p : {1.0, 2.0, 3.0, inf}) {
    CHECK(gt::norm(vector({1, -inf}), {.p = p}).item() == inf);
    CHECK(std::isnan(gt::norm(vector({1, cases::nan, inf}), {.p = p}).item()));
    if (p != inf) CHECK(gt::norm(gt::zeros({0}), {.p = p}).item() == 0);
  }
  CHECK(gt::norm(gt::tensor({0, 2}), {.p = -1}).item() == 0);
}
