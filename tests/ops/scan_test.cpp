#include <numeric>

#include <ops/reductions.hpp>

namespace gt = gradtape;
using cases::inf, cases::random;
using gt::Tensor;

namespace {

template <class Op>
cases::Row scan_row(const std::string& name, Op op, int order) {
  const auto along = [=](const Tensor& x, int axis) { return op(x, {.axis = axis}); };
  auto misuse = cases::misuse_of_axis(name, along);
  misuse.push_back({name + ": no meaning for boolean; convert with .to(gradtape::f32)",
                    [=] { op(gt::zeros({2}, {.dtype = gt::boolean}), {}); }});
  const auto curved = [=](const Tensor& x, int axis) { return gt::square(along(x, axis)); };
  return {name, cases::along_axes(curved, cases::some_zero), misuse, order};
}

const cases::Rows scans([]() -> std::vector<cases::Row> {
  return {scan_row("cumsum", gt::cumsum, 2), scan_row("cumprod", gt::cumprod, 3)};
});

/// Folds `combine` along an axis by plain loops in double, writing down every total.
template <class F>
Tensor running(const Tensor& x, int axis, F combine) {
  const gt::Shape& shape = x.shape();
  std::int64_t inner = 1;
  for (int a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
  std::vector<double> out = cases::doubles(x);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    if (i / inner % shape[axis] > 0)
      out[static_cast<std::size_t>(i)] =
          combine(out[static_cast<std::size_t>(i - inner)], out[static_cast<std::size_t>(i)]);
  return gt::tensor(std::span<const double>(out), shape).to(x.dtype());
}

}  // namespace

TEST_CASE("scans: rows") { scans.check(); }

TEST_CASE("scans along every axis equal plain loops, in every layout") {
  const gt::RandomStream stream(82);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const Tensor& x : {random({2, 3, 5}, dtype), gt::transpose(random({7, 3, 4}, dtype), {0, 2}),
                            random({5, 6, 9}, dtype)[{gt::Slice{1, 4}, gt::Slice{2}, gt::Slice{1, -1}}],
                            gt::broadcast_to(random({4, 1}, dtype), {3, 4, 600}), random({2, 70, 1}, dtype)})
      for (int axis = 0; axis < 3; ++axis) {
        CAPTURE(gt::to_string(x.shape()));
        CAPTURE(axis);
        CHECK(gt::cumsum(x, {.axis = axis}) ==
              gt::approx(running(x, axis, std::plus())).atol(dtype == gt::f32 ? 1e-6 : 1e-13));
        CHECK(gt::cumprod(x, {.axis = axis}) ==
              gt::approx(running(x, axis, std::multiplies())).atol(std::numeric_limits<float>::min()));
      }
}

TEST_CASE("scans: the formulas on paper") {
  const gt::RandomStream stream(83);
  const Tensor x = random({5}), g = random({5});
  // y = L·x with ones on and below the diagonal, so the gradient is Lᵀ·g.
  CHECK(gt::cumsum(gt::tensor({1, 2, 3})).to_vector<float>() == std::vector<float>{1, 3, 6});
  const auto gv = cases::doubles(g), xv = cases::doubles(x);
  std::vector<double> sums(5), products(5);
  for (std::size_t k = 0; k < 5; ++k)
    for (std::size_t i = k; i < 5; ++i) {
      sums[k] += gv[i];
      double others = 1;
      for (std::size_t j = 0; j <= i; ++j) others *= j == k ? 1 : xv[j];
      products[k] += gv[i] * others;
    }
  CHECK(gt::vjp(gt::cumsum, x, g) == gt::approx(cases::vector(sums)));
  CHECK(gt::vjp(gt::cumprod, x, g) == gt::approx(cases::vector(products)));
  CHECK(gt::equal(gt::vjp(gt::cumprod, gt::tensor({2, 0, 3, 0, 5}), gt::tensor({1, 1, 1, 1, 1})),
                  gt::tensor({1, 8, 0, 0, 0})));
}

TEST_CASE("scans of i64 are exact and wrap around, those of f32 add up in double") {
  using List = std::vector<std::int64_t>;
  const std::int64_t big = (std::int64_t{1} << 62) + 1, most = std::numeric_limits<std::int64_t>::max();
  CHECK(gt::cumsum(cases::integers({big, 2, -big})).to_vector<std::int64_t>() == List{big, big + 2, 2});
  CHECK(gt::cumsum(cases::integers({most, most})).to_vector<std::int64_t>() == List{most, -2});
  CHECK(gt::cumprod(cases::integers({3, -5, 0, 7})).to_vector<std::int64_t>() == List{3, -15, 0, 0});
  CHECK(gt::cumprod(cases::integers({most, most})).to_vector<std::int64_t>() == List{most, 1});
  const std::int64_t n = (1 << 24) + 10;
  CHECK(gt::cumsum(gt::ones({n}))[-1].item() == static_cast<double>(n));
}

TEST_CASE("scans pass inf and NaN on from where they stand") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const double special : {inf, -inf, cases::nan}) {
      const Tensor x = cases::vector({1, 2, special, 4}, dtype);
      CHECK(gt::cumsum(x) == gt::approx(cases::vector({1, 3, special, special}, dtype)));
      CHECK(gt::cumprod(x) == gt::approx(cases::vector({1, 2, special, special}, dtype)));
    }
  CHECK(gt::cumprod(cases::vector({0, inf, 1})) == gt::approx(cases::vector({0, cases::nan, cases::nan})));
}
