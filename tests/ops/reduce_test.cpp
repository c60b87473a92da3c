#include <numeric>

#include <ops/reductions.hpp>

namespace gt = gradtape;
using cases::inf, cases::random, cases::over, cases::kept, cases::dropped;
using gt::Tensor;

namespace {

Tensor max_by_loops(const Tensor& x, unsigned mask) {
  return cases::folded(x, mask, -inf, [](double a, double b) { return std::max(a, b); });
}
Tensor min_by_loops(const Tensor& x, unsigned mask) {
  return cases::folded(x, mask, inf, [](double a, double b) { return std::min(a, b); });
}
Tensor count_by_loops(const Tensor& x, unsigned mask) {
  return cases::folded(x, mask, 0, [](double n, double v) { return n + (v != 0); }).to(gt::i64);
}

/// What is wrong with calls of a reduction `name` of numbers.
template <class Op>
std::vector<cases::Misuse> misuse_of(const std::string& name, Op op) {
  return {{name + ": axis 0 is named twice in {0, 0}",
           [=] {
             op(gt::zeros({2, 3}), {.axes = {0, 0}});
           }},
          {name + ": axis -1 is named twice in {1, -1}",
           [=] {
             op(gt::zeros({2, 3}), {.axes = {1, -1}});
           }},
          {name + ": axis -3 is out of range for rank 2; use -2 to 1",
           [=] {
             op(gt::zeros({2, 3}), {.axes = -3});
           }},
          {name + ": axis 0 of a scalar; a scalar has no axes", [=] { op(gt::zeros({}), {.axes = 0}); }}};
}

template <class Op>
std::vector<cases::Misuse> misuse_of_numbers(const std::string& name, Op op) {
  auto out = misuse_of(name, op);
  out.push_back({name + ": no meaning for boolean; convert with .to(gradtape::f32)",
                 [=] { op(gt::zeros({2}, {.dtype = gt::boolean}), {}); }});
  return out;
}

template <class Op>
std::vector<cases::Misuse> misuse_of_nothing(const std::string& name, Op op) {
  auto out = misuse_of_numbers(name, op);
  out.push_back(
      {name + ": shape [3, 0] has no elements along the reduced axes, and the " + name + " of nothing is undefined",
       [=] {
         op(gt::zeros({3, 0}), {.axes = 1});
       }});
  return out;
}

template <class Op>
cases::Row arg_row(const std::string& name, Op op) {
  const auto along = [=](const Tensor& x, int axis) { return op(x, {.axis = axis, .keepdims = axis == 0}); };
  auto misuse = cases::misuse_of_axis(name, along);
  misuse.push_back({name + ": axis 1 of shape [3, 0] has no elements", [=] { along(gt::zeros({3, 0}), 1); }});
  return {name, cases::along_axes(along, cases::distinct(), false), misuse, 0};
}

const cases::Rows reductions([]() -> std::vector<cases::Row> {
  const auto any = cases::between(-1, 1), distinct = cases::distinct();
  const auto squares = [](auto op) {  // a second derivative
    return [=](const Tensor& x, const gt::ReduceOptions& options) { return gt::square(op(x, options)); };
  };
  auto of_integers = misuse_of_nothing("mean", gt::mean);
  of_integers.push_back({"mean: no meaning for i64; convert with .to(gradtape::f32)",
                         [] { gt::mean(gt::zeros({2}, {.dtype = gt::i64})); }});
  return {
      {"sum", cases::over_axes(squares(gt::sum), any), misuse_of_numbers("sum", gt::sum), 3},
      {"prod", cases::over_axes(gt::prod, cases::some_zero), misuse_of_numbers("prod", gt::prod)},
      {"mean", cases::over_axes(squares(gt::mean), any, false), of_integers},
      {"max", cases::over_axes(squares(gt::max), distinct, false), misuse_of_nothing("max", gt::max)},
      {"min", cases::over_axes(squares(gt::min), distinct, false), misuse_of_nothing("min", gt::min)},
      arg_row("argmax", gt::argmax),
      arg_row("argmin", gt::argmin),
      {"any", cases::over_axes(gt::any, cases::some_zero), misuse_of("any", gt::any), 0},
      {"all", cases::over_axes(gt::all, cases::some_zero), misuse_of("all", gt::all), 0},
      {"count_nonzero", cases::over_axes(gt::count_nonzero, cases::some_zero),
       misuse_of("count_nonzero", gt::count_nonzero), 0},
  };
});

}  // namespace

TEST_CASE("reductions: rows") { reductions.check(); }

TEST_CASE("reductions over any axes of a 4-d tensor equal plain loops") {
  const gt::RandomStream stream(81);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const Tensor& x : cases::layouts(dtype))
      for (unsigned mask = 1; mask < 16; ++mask) {
        CAPTURE(gt::to_string(x.shape()));
        CAPTURE(mask);
        const auto same = [&](auto op, const Tensor& expected, double atol) {
          CHECK(op(x, over(mask, true)) == gt::approx(expected).atol(atol));
          CHECK(op(x, over(mask, false)) == gt::approx(gt::reshape(expected, dropped(x.shape(), mask))).atol(atol));
        };
        const Tensor total = cases::folded(x, mask, 0, std::plus()), count = count_by_loops(x, mask);
        const double n = static_cast<double>(x.numel()) / static_cast<double>(total.numel());
        same(gt::sum, total, dtype == gt::f32 ? 1e-7 * n : 1e-15 * n);
        same(gt::mean, total / n, dtype == gt::f32 ? 1e-6 : 1e-12);
        same(gt::prod, cases::folded(x, mask, 1, std::multiplies()), std::numeric_limits<float>::min());
        same(gt::max, max_by_loops(x, mask), 0);
        same(gt::min, min_by_loops(x, mask), 0);
        same(gt::count_nonzero, count, 0);
        same(gt::any, count != 0, 0);
        same(gt::all, count == static_cast<std::int64_t>(n), 0);
      }
}

TEST_CASE("no axes mean all, negative axes count from the end, and a scalar is its own sum") {
  const Tensor x = random({2, 3, 5});
  CHECK(gt::sum(x).shape() == gt::Shape{});
  CHECK(gt::sum(x, {.keepdims = true}).shape() == gt::Shape{1, 1, 1});
  CHECK(gt::equal(gt::sum(x, {.axes = {-1, 0}}), gt::sum(x, {.axes = {0, 2}})));
  CHECK(gt::equal(gt::max(x, {.axes = -3}), gt::max(x, {.axes = 0})));
  const Tensor scalar = gt::tensor(2.5);
  for (const auto op : {gt::sum, gt::prod, gt::mean, gt::max, gt::min}) CHECK(gt::equal(op(scalar, {}), scalar));
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

TEST_CASE("sums and products of f32 go across lanes in double") {
  CHECK(gt::sum(gt::tensor({1e8f, 1, -1e8f, 0})).item() == 1);
  CHECK(gt::prod(gt::tensor({1e20f, 1e20f, 1e-20f, 1})).item() == doctest::Approx(1e20));
  CHECK(gt::prod(gt::tensor({1e-30f, 1e-30f, 1e30f, 1e30f})).item() == doctest::Approx(1));
}

TEST_CASE("reductions of i64 are exact beyond 2^53 and wrap around beyond 2^63") {
  const std::int64_t big = (std::int64_t{1} << 60) + 1;
  const std::vector<std::int64_t> values{big, -7, big, 3, -big, 11, 1, 2};
  const Tensor x = gt::tensor(std::span(values), {2, 4});
  CHECK(gt::sum(x).item<std::int64_t>() == std::accumulate(values.begin(), values.end(), std::int64_t{0}));
  CHECK(gt::max(x).item<std::int64_t>() == big);
  CHECK(gt::min(x).item<std::int64_t>() == -big);
  CHECK(gt::sum(x, {.axes = 0}).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 4, big + 1, 5});
  CHECK(gt::max(x, {.axes = 1}).to_vector<std::int64_t>() == std::vector<std::int64_t>{big, 11});
  CHECK(gt::max(-gt::abs(x)).item<std::int64_t>() == -1);
  CHECK(gt::argmin(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0});
  CHECK(gt::prod(cases::integers({big, -3, 1})).item<std::int64_t>() == -3 * big);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t n : {2, 3, 37}) {
    CHECK(gt::sum(gt::broadcast_to(cases::integers({most}), {2 * n})).item<std::int64_t>() == -2 * n);
    CHECK(gt::prod(gt::broadcast_to(cases::integers({most}), {2 * n})).item<std::int64_t>() == 1);
  }
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
        for (const auto op : {gt::sum, gt::prod, gt::mean, gt::max, gt::min}) {
          CHECK(std::isnan(op(with(cases::nan), {}).item()));
          CHECK(std::isnan(op(columns(cases::nan), {.axes = 0})[0].item()));
        }
        for (const auto op : {gt::sum, gt::prod, gt::mean, gt::max}) CHECK(op(with(inf), {}).item() == inf);
        for (const auto op : {gt::sum, gt::prod, gt::mean, gt::min}) CHECK(op(with(-inf), {}).item() == -inf);
        CHECK(gt::max(with(-inf)).item() == (n == 1 ? -inf : 1));
        CHECK(gt::min(with(inf)).item() == (n == 1 ? inf : 1));
        CHECK(gt::max(columns(inf), {.axes = 0})[1].item() == inf);
        CHECK(gt::min(columns(-inf), {.axes = 0})[1].item() == -inf);
        const auto place = static_cast<std::int64_t>(at);
        for (const double special : {inf, cases::nan}) CHECK(gt::argmax(with(special)).item<std::int64_t>() == place);
        for (const double special : {-inf, cases::nan}) CHECK(gt::argmin(with(special)).item<std::int64_t>() == place);
        for (const double special : {inf, cases::nan})
          CHECK(gt::count_nonzero(with(special)).item<std::int64_t>() == static_cast<std::int64_t>(n));
      }
  CHECK(std::isnan(gt::sum(cases::vector({inf, -inf})).item()));
  CHECK(std::isnan(gt::prod(cases::vector({inf, 0})).item()));
  CHECK(gt::max(gt::full({5}, -inf)).item() == -inf);
  CHECK(gt::min(gt::full({5}, inf)).item() == inf);
  CHECK(std::isnan(gt::max(cases::vector({inf, cases::nan, -inf})).item()));
  CHECK(gt::any(cases::vector({0, cases::nan})).item() == 1);
  CHECK(gt::any(cases::vector({0, -0.0})).item() == 0);
}

TEST_CASE("argmax and argmin give the first of equals, along any axis") {
  const Tensor x = gt::tensor({{1, 3, 3}, {4, 3, 0}});
  using List = std::vector<std::int64_t>;
  CHECK(gt::argmax(x).to_vector<std::int64_t>() == List{1, 0});
  CHECK(gt::argmin(x).to_vector<std::int64_t>() == List{0, 2});
  CHECK(gt::argmax(x, {.axis = 0}).to_vector<std::int64_t>() == List{1, 0, 0});
  CHECK(gt::argmin(x, {.axis = 0}).to_vector<std::int64_t>() == List{0, 0, 1});
  CHECK(gt::argmax(x, {.axis = -2, .keepdims = true}).shape() == gt::Shape{1, 3});
  CHECK(gt::argmax(gt::transpose(x)).to_vector<std::int64_t>() == List{1, 0, 0});
  CHECK(gt::argmax(gt::tensor({5, 7, 7}, {.dtype = gt::i64})).item<std::int64_t>() == 1);
  CHECK(gt::argmax(gt::tensor({0, 1, 1}, {.dtype = gt::boolean})).item<std::int64_t>() == 1);
  CHECK(gt::argmin(gt::tensor({1, 0, 0}, {.dtype = gt::boolean})).item<std::int64_t>() == 1);
  CHECK(gt::argmax(cases::vector({cases::nan, inf, cases::nan})).item<std::int64_t>() == 0);
  CHECK(gt::argmax(gt::zeros({0, 3})).shape() == gt::Shape{0});
  CHECK_FALSE(gt::argmax(gt::parameter(x)).requires_grad());
}

TEST_CASE("any, all and count_nonzero take every dtype") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean}) {
    const Tensor x = gt::tensor({{0, 2, 1}, {1, 1, -1}, {0, 0, 0}}).to(dtype);
    CHECK(gt::count_nonzero(x, {.axes = 1}).to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 3, 0});
    CHECK(gt::any(x, {.axes = 1}).to_vector<bool>() == std::vector<bool>{true, true, false});
    CHECK(gt::all(x, {.axes = 1}).to_vector<bool>() == std::vector<bool>{false, true, false});
  }
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
        const Tensor top = (x == max_by_loops(x, mask)).to(dtype), low = (x == min_by_loops(x, mask)).to(dtype);
        CHECK(gt::vjp(reduced(gt::max), x, given) == gt::approx(gt::broadcast_to(g, x.shape()) * top));  // no ties
        CHECK(gt::vjp(reduced(gt::min), x, given) == gt::approx(gt::broadcast_to(g, x.shape()) * low));
      }
}

TEST_CASE("elements that tie for the maximum or minimum share its gradient evenly") {
  const Tensor x = gt::tensor({{1, 3, 3}, {2, 2, 2}, {0, -1, -2}}), g = gt::tensor({6, 9, 5});
  CHECK(gt::vjp([](const Tensor& t) { return gt::max(t, {.axes = 1}); }, x, g) ==
        gt::approx(gt::tensor({{0, 3, 3}, {3, 3, 3}, {5, 0, 0}})));
  CHECK(gt::vjp([](const Tensor& t) { return gt::min(-t, {.axes = 1}); }, x, -g) ==
        gt::approx(gt::tensor({{0, 3, 3}, {3, 3, 3}, {5, 0, 0}})));
  CHECK(gt::vjp(gt::max, gt::full({2, 2}, inf), gt::tensor(8)) == gt::approx(gt::full({2, 2}, 2)));
}

TEST_CASE("the gradient of a product is the product of the others, with no zero, one or several") {
  const auto gradient = [](const Tensor& x) {
    return gt::vjp([](const Tensor& t) { return gt::prod(t, {.axes = 1}); }, x, gt::tensor({2, 2, 2, 2}));
  };
  CHECK(gt::equal(gradient(gt::tensor({{2, 3, 5}, {2, 0, 5}, {0, 3, 0}, {0, 0, 0}})),
                  gt::tensor({{30, 20, 12}, {0, 20, 0}, {0, 0, 0}, {0, 0, 0}})));
  const Tensor x = gt::tensor({{2, 3}, {0, 5}}), zeros = gt::tensor({{2, 0}, {0, 5}});
  CHECK(gt::equal(gt::vjp(gt::prod, x, gt::tensor(1)), gt::tensor({{0, 0}, {30, 0}})));
  CHECK(gt::equal(gt::vjp(gt::prod, zeros, gt::tensor(1)), gt::zeros({2, 2})));
  for (const Tensor& at : {x, zeros, gt::zeros({2, 2}), gt::tensor({{0, 0, 2}, {0, 3, 5}})})
    CHECK(gt::gradcheck(gt::prod, at).order(4));
}

TEST_CASE("reductions of nothing") {
  CHECK(gt::sum(gt::zeros({0})).item() == 0);
  CHECK(gt::prod(gt::zeros({0})).item() == 1);
  CHECK(gt::equal(gt::sum(gt::zeros({0, 3}), {.axes = 0}), gt::zeros({3})));
  CHECK(gt::equal(gt::prod(gt::zeros({0, 3}), {.axes = 0}), gt::ones({3})));
  CHECK(gt::equal(gt::sum(gt::zeros({3, 0, 2}), {.axes = {0, 1}}), gt::zeros({2})));
  CHECK(gt::equal(gt::sum(gt::zeros({0, 3}), {.axes = 1}), gt::zeros({0})));
  CHECK(gt::equal(gt::max(gt::zeros({0, 3}), {.axes = 1}), gt::zeros({0})));
  CHECK(gt::equal(gt::sum(gt::zeros({1ll << 40, 1ll << 40, 0, 2}), {.axes = {0, 1, 2}}), gt::zeros({2})));
  CHECK(gt::count_nonzero(gt::zeros({0, 3}), {.axes = 0}).to_vector<std::int64_t>() == std::vector<std::int64_t>(3));
  CHECK(gt::any(gt::zeros({0})).item() == 0);
  CHECK(gt::all(gt::zeros({0})).item() == 1);
}
