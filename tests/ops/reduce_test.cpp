#include <gradtape/xtensor.hpp>

#include <numeric>

#include "ops/cases.hpp"
#include "ops/tensors.hpp"
#include <xtensor/xmath.hpp>
#include <xtensor/xsort.hpp>

namespace gt = gradtape;
using cases::inf, cases::message_of, cases::random;
using gt::Slice, gt::Tensor;

namespace {

gt::Axes axes_of(unsigned mask) {
  gt::Axes axes;
  for (int axis = 0; axis < gt::max_rank; ++axis)
    if (mask >> axis & 1) axes.push_back(axis);
  return axes;
}

/// The reduced axes have size 1.
gt::Shape kept(const gt::Shape& shape, unsigned mask) {
  gt::Shape out = shape;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (mask >> axis & 1) out.set(axis, 1);
  return out;
}

gt::Shape dropped(const gt::Shape& shape, unsigned mask) {
  gt::Shape out;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (!(mask >> axis & 1)) out.push_back(shape[axis]);
  return out;
}

/// Folds `combine` over the reduced axes by plain loops, in double, starting from `start`.
template <class F>
Tensor fold(const Tensor& x, unsigned mask, double start, F combine) {
  const gt::Shape& shape = x.shape();
  const gt::Shape to = kept(shape, mask);
  std::vector<double> out(static_cast<std::size_t>(to.numel()), start);
  const std::vector<double> in = cases::doubles(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    std::int64_t rest = i, at = 0, step = 1;
    for (int axis = shape.rank() - 1; axis >= 0; rest /= shape[axis--]) {
      if (to[axis] != 1) at += rest % shape[axis] * step;
      step *= to[axis];
    }
    double& total = out[static_cast<std::size_t>(at)];
    total = combine(total, in[static_cast<std::size_t>(i)]);
  }
  return gt::tensor(std::span(out), to).to(x.dtype());
}

Tensor sum_by_loops(const Tensor& x, unsigned mask) { return fold(x, mask, 0, std::plus()); }
Tensor max_by_loops(const Tensor& x, unsigned mask) {
  return fold(x, mask, -inf, [](double a, double b) { return std::max(a, b); });
}

gt::ReduceOptions over(unsigned mask, bool keepdims) { return {.axes = axes_of(mask), .keepdims = keepdims}; }

/// Layouts of a 4-d tensor: packed, and views of every kind.
std::vector<Tensor> layouts(gt::Dtype dtype) {
  return {random({3, 4, 5, 7}, dtype),
          gt::transpose(random({3, 7, 5, 4}, dtype), {1, 3}),
          random({5, 6, 7, 9}, dtype)[{Slice{1, 4}, Slice{2}, Slice{0, 5}, Slice{1, -1}}],
          gt::broadcast_to(random({4, 1, 7}, dtype), {3, 4, 5, 7}),
          random({2, 1, 600, 3}, dtype),
          random({70, 1, 2, 520}, dtype)};
}

}  // namespace

TEST_CASE("sum, mean and max over any axes of a 4-d tensor equal plain loops") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const Tensor& x : layouts(dtype))
      for (unsigned mask = 1; mask < 16; ++mask) {
        CAPTURE(gt::to_string(x.shape()));
        CAPTURE(mask);
        const Tensor total = sum_by_loops(x, mask), top = max_by_loops(x, mask);
        const double count = static_cast<double>(x.numel()) / static_cast<double>(total.numel());
        const gt::Shape flat = dropped(x.shape(), mask);
        const double atol = dtype == gt::f32 ? 1e-7 * count : 1e-15 * count;
        CHECK(gt::sum(x, over(mask, true)) == gt::approx(total).atol(atol));
        CHECK(gt::sum(x, over(mask, false)) == gt::approx(gt::reshape(total, flat)).atol(atol));
        CHECK(gt::mean(x, over(mask, true)) == gt::approx(total / count));
        CHECK(gt::mean(x, over(mask, false)) == gt::approx(gt::reshape(total / count, flat)));
        CHECK(gt::equal(gt::max(x, over(mask, true)), top));
        CHECK(gt::equal(gt::max(x, over(mask, false)), gt::reshape(top, flat)));
      }
}

TEST_CASE("reductions equal xtensor's") {
  const Tensor x = random({13, 37});
  const xt::xarray<double> a = gt::as_xt<double>(x);
  CHECK(gt::sum(x) == gt::approx(gt::tensor(xt::sum(a))));
  CHECK(gt::sum(x, {.axes = -1}) == gt::approx(gt::tensor(xt::sum(a, {1}))));
  CHECK(gt::mean(x, {.axes = 0}) == gt::approx(gt::tensor(xt::mean(a, {0}))));
  CHECK(gt::equal(gt::max(x, {.axes = {0}, .keepdims = true}), gt::tensor(xt::amax(a, {0}, xt::keep_dims))));
  CHECK(gt::equal(gt::argmax(x, {.axis = 0}), gt::tensor(xt::argmax(a, 0))));
  CHECK(gt::equal(gt::argmax(x), gt::tensor(xt::argmax(a, 1))));
}

TEST_CASE("no axes mean all, negative axes count from the end, and a scalar is its own sum") {
  const Tensor x = random({2, 3, 5});
  CHECK(gt::sum(x).shape() == gt::Shape{});
  CHECK(gt::sum(x, {.keepdims = true}).shape() == gt::Shape{1, 1, 1});
  CHECK(gt::equal(gt::sum(x, {.axes = {-1, 0}}), gt::sum(x, {.axes = {0, 2}})));
  CHECK(gt::equal(gt::max(x, {.axes = -3}), gt::max(x, {.axes = 0})));
  const Tensor scalar = gt::tensor(2.5);
  for (const auto op : {gt::sum, gt::mean, gt::max}) CHECK(gt::equal(op(scalar, {}), scalar));
}

TEST_CASE("long sums of f32 stay exact") {
  for (const std::int64_t n : {(1 << 20) + 3, (1 << 24) + 10}) {
    CHECK(gt::sum(gt::ones({n})).item() == static_cast<double>(static_cast<float>(n)));
    CHECK(gt::mean(gt::ones({n})).item() == 1);
  }
  const std::int64_t n = (1 << 20) + 3;
  CHECK(gt::equal(gt::sum(gt::ones({n, 2}), {.axes = 0}), gt::full({2}, static_cast<double>(n))));
  CHECK(gt::sum(gt::ones({n, 2})).item() == 2.0 * static_cast<double>(n));
  CHECK(gt::sum(gt::broadcast_to(gt::ones({1}), {1 << 10, 1 << 10})).item() == 1 << 20);
  CHECK(gt::sum(gt::full({n}, 0.1)).item() ==
        doctest::Approx(static_cast<double>(n) * static_cast<double>(0.1F)).epsilon(1e-6));
}

TEST_CASE("sums and maxima of i64 are exact beyond 2^53") {
  const std::int64_t big = (std::int64_t{1} << 60) + 1;
  const std::vector<std::int64_t> values{big, -7, big, 3, -big, 11, 1, 2};
  const Tensor x = gt::tensor(std::span(values), {2, 4});
  CHECK(gt::sum(x).item<std::int64_t>() == std::accumulate(values.begin(), values.end(), std::int64_t{0}));
  CHECK(gt::max(x).item<std::int64_t>() == big);
  CHECK(gt::sum(x, {.axes = 0}).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 4, big + 1, 5});
  CHECK(gt::max(x, {.axes = 1}).to_vector<std::int64_t>() == std::vector<std::int64_t>{big, 11});
  CHECK(gt::max(-gt::abs(x)).item<std::int64_t>() == -1);
}

TEST_CASE("inf and NaN in reductions, wherever they stand") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const std::size_t n : {1, 2, 7, 37, 1030})
      for (std::size_t at = 0; at < n; at += 1 + n / 9) {
        CAPTURE(n);
        CAPTURE(at);
        const auto with = [&](double special) {
          std::vector<double> values(n, 1.0);
          values[at] = special;
          return cases::vector(values, dtype);
        };
        const auto columns = [&](double special) {  // two alike
          return gt::transpose(gt::broadcast_to(with(special), {2, static_cast<std::int64_t>(n)})) *
                 gt::tensor({1, 1}, {.dtype = dtype});
        };
        CHECK(std::isnan(gt::max(with(cases::nan)).item()));
        CHECK(std::isnan(gt::sum(with(cases::nan)).item()));
        CHECK(gt::max(with(inf)).item() == inf);
        CHECK(gt::sum(with(inf)).item() == inf);
        CHECK(gt::sum(with(-inf)).item() == -inf);
        CHECK(gt::max(with(-inf)).item() == (n == 1 ? -inf : 1));
        CHECK(std::isnan(gt::max(columns(cases::nan), {.axes = 0})[{0}].item()));
        CHECK(gt::max(columns(inf), {.axes = 0})[{1}].item() == inf);
        CHECK(gt::argmax(with(inf)).item<std::int64_t>() == static_cast<std::int64_t>(at));
        CHECK(gt::argmax(with(cases::nan)).item<std::int64_t>() == static_cast<std::int64_t>(at));
      }
  CHECK(std::isnan(gt::sum(cases::vector({inf, -inf})).item()));
  CHECK(gt::max(gt::full({5}, -inf)).item() == -inf);
  CHECK(std::isnan(gt::max(cases::vector({inf, cases::nan, -inf})).item()));
}

TEST_CASE("argmax gives the first of equals, along any axis") {
  const Tensor x = gt::tensor({{1, 3, 3}, {4, 3, 0}});
  CHECK(gt::argmax(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0});
  CHECK(gt::argmax(x, {.axis = 0}).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0, 0});
  CHECK(gt::argmax(x, {.axis = -2, .keepdims = true}).shape() == gt::Shape{1, 3});
  CHECK(gt::argmax(gt::transpose(x)).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0, 0});
  CHECK(gt::argmax(gt::tensor({5, 7, 7}, {.dtype = gt::i64})).item<std::int64_t>() == 1);
  CHECK(gt::argmax(gt::zeros({0, 3})).shape() == gt::Shape{0});
  CHECK_FALSE(gt::argmax(gt::parameter(x)).requires_grad());
}

TEST_CASE("the gradient of a sum is that of the result, stretched; of a mean the same over the count") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (unsigned mask = 1; mask < 8; ++mask)
      for (const bool keepdims : {false, true}) {
        const Tensor x = random({3, 4, 5}, dtype), g = random(kept(x.shape(), mask), dtype);
        const double count = static_cast<double>(x.numel()) / static_cast<double>(g.numel());
        const auto reduced = [&](auto op) { return [=](const Tensor& t) { return op(t, over(mask, keepdims)); }; };
        const Tensor given = keepdims ? g : gt::reshape(g, dropped(x.shape(), mask));
        CHECK(gt::vjp(reduced(gt::sum), x, given) == gt::approx(gt::broadcast_to(g, x.shape())));
        CHECK(gt::vjp(reduced(gt::mean), x, given) == gt::approx(gt::broadcast_to(g, x.shape()) / count));
        const Tensor top = (x == max_by_loops(x, mask)).to(dtype);  // no ties
        CHECK(gt::vjp(reduced(gt::max), x, given) == gt::approx(gt::broadcast_to(g, x.shape()) * top));
      }
}

TEST_CASE("elements that tie for the maximum share its gradient evenly") {
  const Tensor x = gt::tensor({{1, 3, 3}, {2, 2, 2}, {0, -1, -2}}), g = gt::tensor({6, 9, 5});
  CHECK(gt::vjp([](const Tensor& t) { return gt::max(t, {.axes = 1}); }, x, g) ==
        gt::approx(gt::tensor({{0, 3, 3}, {3, 3, 3}, {5, 0, 0}})));
  CHECK(gt::vjp(gt::max, gt::full({2, 2}, inf), gt::tensor(8)) == gt::approx(gt::full({2, 2}, 2)));
}

TEST_CASE("gradcheck of reductions") {
  cases::gradcheck_all(gt::sum, cases::between(-1, 1));
  const auto axis_sum = [](const Tensor& x) { return gt::sum(gt::square(x), {.axes = {0, -1}}); };
  const auto axis_mean = [](const Tensor& x) { return gt::mean(gt::square(x), {.axes = 1, .keepdims = true}); };
  const auto axis_max = [](const Tensor& x) { return gt::square(gt::max(x, {.axes = 1})); };
  for (const gt::Shape& shape : {gt::Shape{3, 4, 5}, {2, 37, 3}, {1, 1, 1}, {0, 2, 3}, {2, 3, 0}}) {
    CAPTURE(gt::to_string(shape));
    CHECK(gt::gradcheck(axis_sum, random(shape)));
    CHECK(gt::gradcheck(axis_mean, random(shape)));
    CHECK(gt::gradcheck(axis_max, gt::distinct(shape)));
    CHECK(gt::gradcheck([&](const Tensor& x) { return axis_max(gt::transpose(x, {0, 2})); }, gt::distinct(shape)));
  }
  for (const gt::Shape& shape : {gt::Shape{}, {1}, {37}, {3, 4}}) {
    CHECK(gt::gradcheck(gt::mean, random(shape)));
    CHECK(gt::gradcheck(gt::max, gt::distinct(shape)));
  }
}

TEST_CASE("reductions of nothing") {
  CHECK(gt::sum(gt::zeros({0})).item() == 0);
  CHECK(gt::equal(gt::sum(gt::zeros({0, 3}), {.axes = 0}), gt::zeros({3})));
  CHECK(gt::equal(gt::sum(gt::zeros({3, 0, 2}), {.axes = {0, 1}}), gt::zeros({2})));
  CHECK(gt::equal(gt::sum(gt::zeros({0, 3}), {.axes = 1}), gt::zeros({0})));
  CHECK(gt::equal(gt::max(gt::zeros({0, 3}), {.axes = 1}), gt::zeros({0})));
  CHECK(message_of<gt::ValueError>([] {
          return gt::max(gt::zeros({3, 0}));
        }) == "max: shape [3, 0] has no elements along the reduced axes, and the max of nothing is undefined");
  CHECK(message_of<gt::ValueError>([] {
          return gt::max(gt::zeros({3, 0}), {.axes = 1});
        }) == "max: shape [3, 0] has no elements along the reduced axes, and the max of nothing is undefined");
  CHECK(message_of<gt::ValueError>([] {
          return gt::mean(gt::zeros({0, 3}), {.axes = 0});
        }) == "mean: shape [0, 3] has no elements along the reduced axes, and the mean of nothing is undefined");
  CHECK(message_of<gt::ValueError>([] {
          return gt::argmax(gt::zeros({3, 0}));
        }) == "argmax: axis 1 of shape [3, 0] has no elements");
}

TEST_CASE("reductions name the axis or dtype that is wrong") {
  const Tensor x = gt::zeros({2, 3});
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::sum(x, {.axes = {0, 0}});
        }) == "sum: axis 0 is named twice in {0, 0}");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::mean(x, {.axes = {1, -1}});
        }) == "mean: axis -1 is named twice in {1, -1}");
  CHECK(message_of<gt::ShapeError>([&] { return gt::max(x, {.axes = 2}); }) ==
        "max: axis 2 is out of range for rank 2; use -2 to 1");
  CHECK(message_of<gt::ShapeError>([&] { return gt::sum(x, {.axes = -3}); }) ==
        "sum: axis -3 is out of range for rank 2; use -2 to 1");
  CHECK(message_of<gt::ShapeError>([&] { return gt::argmax(x, {.axis = 2}); }) ==
        "argmax: axis 2 is out of range for rank 2; use -2 to 1");
  CHECK(message_of<gt::ShapeError>([] { return gt::sum(gt::zeros({}), {.axes = 0}); }) ==
        "sum: axis 0 of a scalar; a scalar has no axes");
  CHECK(message_of<gt::ShapeError>([] { return gt::argmax(gt::zeros({})); }) ==
        "argmax: axis -1 of a scalar; a scalar has no axes");
  const Tensor flags = x == 0, counts = x.to(gt::i64);
  CHECK(message_of<gt::DtypeError>([&] { return gt::sum(flags); }) ==
        "sum: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::max(flags); }) ==
        "max: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::mean(flags); }) ==
        "mean: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([&] { return gt::mean(counts); }) ==
        "mean: no meaning for i64; convert with .to(gradtape::f32)");
}
