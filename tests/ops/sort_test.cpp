#include <numeric>

#include <ops/reductions.hpp>

namespace gt = gradtape;
using cases::inf, cases::random, cases::vector;
using gt::Tensor;

namespace {

using List = std::vector<std::int64_t>;

List list(const Tensor& indices) { return indices.to_vector<std::int64_t>(); }

const cases::Rows orders([]() -> std::vector<cases::Row> {
  const auto distinct = cases::distinct();
  const auto sort = [](const Tensor& x, int axis) {
    return gt::square(gt::sort(x, {.axis = axis, .descending = axis == 0}).values);
  };
  const auto argsort = [](const Tensor& x, int axis) { return gt::argsort(x, {axis}); };
  const auto topk = [](const Tensor& x, int axis) {
    return gt::square(gt::topk(x, (x.shape()[axis] + 1) / 2, {.axis = axis, .largest = axis == 0}).values);
  };
  const auto median = [](const Tensor& x, int axis) {
    return gt::square(gt::median(x, {.axis = axis, .keepdims = axis == 0}));
  };

  const auto one = [](const Tensor& x, int axis) { return gt::topk(x, 1, {.axis = axis}); };
  auto misuse_of_topk = cases::misuse_of_axis("topk", one), misuse_of_median = cases::misuse_of_axis("median", median);
  for (const auto& [k, message] : {std::pair{4, "topk: k = 4 of axis 1 of shape [2, 3]; expected 0 to 3"},
                                   std::pair{-1, "topk: k = -1 of axis 1 of shape [2, 3]; expected 0 to 3"}})
    misuse_of_topk.push_back({message, [k = k] { gt::topk(gt::zeros({2, 3}), k); }});
  const std::string rest = " has no elements along the reduced axes, and the median of nothing is undefined";
  misuse_of_median.push_back({"median: shape [3, 0]" + rest, [] { gt::median(gt::zeros({3, 0}), {.axis = 1}); }});
  misuse_of_median.push_back({"median: shape [0]" + rest, [] { gt::median(gt::zeros({0})); }});

  return {
      {"sort", cases::along_axes(sort, distinct), cases::misuse_of_axis("sort", sort)},
      {"argsort", cases::along_axes(argsort, distinct), cases::misuse_of_axis("argsort", argsort), 0},
      {"topk", cases::along_axes(topk, distinct), misuse_of_topk},
      {"median",
       cases::calls({cases::along_axes(median, distinct, false),
                     cases::at({{}, {1}, {6}, {3, 5}, {2, 3, 2}}, distinct, gt::median)}),
       misuse_of_median},
  };
});

/// Stable order of a vector by plain comparison, NaN behind everything else.
List order_of(const std::vector<double>& x, bool descending) {
  List at(x.size());
  std::iota(at.begin(), at.end(), 0);
  const auto key = [&](std::int64_t i) {
    return std::pair(std::isnan(x[static_cast<std::size_t>(i)]), x[static_cast<std::size_t>(i)]);
  };
  std::stable_sort(at.begin(), at.end(), [&](std::int64_t a, std::int64_t b) {
    const auto [nan_a, va] = descending ? key(b) : key(a);
    const auto [nan_b, vb] = descending ? key(a) : key(b);
    return nan_a != nan_b ? nan_b : !nan_a && va < vb;
  });
  return at;
}

}  // namespace

TEST_CASE("orders: rows") { orders.check(); }

TEST_CASE("sort, argsort and topk equal std::stable_sort, with ties, infinities and NaN") {
  const gt::RandomStream stream(84);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const std::int64_t n : {1, 2, 5, 16, 17, 300})
      for (const bool descending : {false, true}) {
        std::vector<double> x = cases::doubles(cases::whole(-3, 4)({n}).to(gt::f64));
        for (std::size_t i = 0; i < x.size(); i += 5) x[i] = i % 3 == 0 ? cases::nan : i % 3 == 1 ? inf : -inf;
        const Tensor t = vector(x, dtype);
        const List order = order_of(x, descending);
        std::vector<double> sorted;
        for (const std::int64_t i : order) sorted.push_back(x[static_cast<std::size_t>(i)]);
        const auto [values, indices] = gt::sort(t, {.descending = descending});
        CHECK(list(indices) == order);
        CHECK(list(gt::argsort(t, {.descending = descending})) == order);
        CHECK(values == gt::approx(vector(sorted, dtype)));
        for (const std::int64_t k : {std::int64_t{0}, std::int64_t{1}, n / 2, n}) {
          CAPTURE(k);
          const auto best = gt::topk(t, k, {.largest = descending}),
                     any = gt::topk(t, k, {.largest = descending, .sorted = false});
          const List first(order.begin(), order.begin() + k);
          CHECK(list(best.indices) == first);
          CHECK(best.values == gt::approx(vector({sorted.begin(), sorted.begin() + k}, dtype)));
          List members = list(any.indices), expected = first;
          std::sort(members.begin(), members.end());
          std::sort(expected.begin(), expected.end());
          CHECK(members == expected);
        }
      }
}

TEST_CASE("sort, topk and median work along every axis, in every layout") {
  const gt::RandomStream stream(85);
  for (const Tensor& x : {random({5, 3, 8}), gt::transpose(random({8, 3, 5}), {0, 2}),
                          random({9, 8, 9})[{gt::Slice{1, 6}, gt::Slice{2, 5}, gt::Slice{1}}]})
    for (int axis = 0; axis < 3; ++axis) {
      const auto n = x.shape()[axis];
      const Tensor lines = gt::contiguous(gt::transpose(x, {axis, 2}));  // along the last axis
      std::vector<double> sorted = cases::doubles(lines), middles;
      for (auto line = sorted.begin(); line != sorted.end(); line += n) {
        std::sort(line, line + n);
        middles.push_back(line[(n - 1) / 2]);
      }
      const Tensor expected = gt::transpose(gt::tensor(std::span<const double>(sorted), lines.shape()), {axis, 2});
      gt::Shape reduced = lines.shape();
      reduced.set(-1, 1);
      const auto [values, indices] = gt::sort(x, {.axis = axis});
      CHECK(gt::equal(values, expected));
      CHECK(gt::equal(gt::take_along_axis(x, indices, {axis}), expected));
      CHECK(gt::equal(gt::topk(x, 2, {.axis = axis, .largest = false}).values,
                      gt::slice(expected, {.axis = axis, .begin = 0, .end = 2})));
      CHECK(gt::equal(gt::median(x, {.axis = axis, .keepdims = true}),
                      gt::transpose(gt::tensor(std::span<const double>(middles), reduced), {axis, 2})));
    }
}

TEST_CASE("orders take every dtype") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean}) {
    const Tensor x = gt::tensor({1, 0, 1, 0}).to(dtype);
    CHECK(list(gt::argsort(x)) == List{1, 3, 0, 2});
    CHECK(gt::equal(gt::sort(x, {.descending = true}).values, gt::tensor({1, 1, 0, 0}).to(dtype)));
    CHECK(list(gt::topk(x, 2).indices) == List{0, 2});
    CHECK(gt::equal(gt::median(x), gt::tensor(0).to(dtype)));
  }
  const std::int64_t big = (std::int64_t{1} << 60) + 1;
  CHECK(list(gt::sort(cases::integers({big, big - 1, big + 1})).values) == List{big - 1, big, big + 1});
}

TEST_CASE("the median is the lower of two middles, and NaN if there is one") {
  CHECK(gt::median(gt::tensor({3, 1, 4, 2})).item() == 2);
  CHECK(gt::median(gt::tensor({{3, 1}, {4, 2}}), {.axis = 0}).to_vector<float>() == std::vector<float>{3, 1});
  CHECK(gt::median(gt::tensor({{3, 1}, {4, 2}}), {.axis = -1, .keepdims = true}).shape() == gt::Shape{2, 1});
  CHECK(gt::median(gt::tensor({{3, 1}, {4, 2}}), {.keepdims = true}).shape() == gt::Shape{1, 1});
  CHECK(gt::median(gt::tensor(5)).item() == 5);
  for (std::size_t at = 0; at < 4; ++at) {
    std::vector<double> x{1, 2, 3, 4};
    x[at] = cases::nan;
    CHECK(std::isnan(gt::median(vector(x)).item()));
  }
  CHECK(gt::median(vector({-inf, inf, inf})).item() == inf);
}

TEST_CASE("gradients go to the elements that were chosen, of equals to the one that comes first") {
  const Tensor x = gt::tensor({2, 1, 2, 1, 3}), g = gt::tensor({10, 20, 30, 40, 50});
  CHECK(gt::equal(gt::vjp([](const Tensor& t) { return gt::sort(t).values; }, x, g), gt::tensor({30, 10, 40, 20, 50})));
  CHECK(gt::equal(gt::vjp([](const Tensor& t) { return gt::topk(t, 2).values; }, x, gt::tensor({7, 8})),
                  gt::tensor({8, 0, 0, 0, 7})));
  CHECK(gt::equal(gt::vjp(gt::median, x, gt::tensor(6)), gt::tensor({6, 0, 0, 0, 0})));
  CHECK_FALSE(gt::sort(gt::parameter(x)).indices.requires_grad());
}
