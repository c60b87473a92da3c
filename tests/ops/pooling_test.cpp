#include <cmath>
#include <cstdint>
#include <limits>

#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::Index, cases::random;
using gt::Tensor;

namespace {

auto max_1d(const gt::IntegerList& kernel, const gt::MaxPoolOptions& options = {}) {
  return [=](const Tensor& x) { return gt::max_pool1d(x, kernel, options); };
}
auto max_2d(const gt::IntegerList& kernel, const gt::MaxPoolOptions& options = {}) {
  return [=](const Tensor& x) { return gt::max_pool2d(x, kernel, options); };
}
auto avg_1d(const gt::IntegerList& kernel, const gt::AvgPoolOptions& options = {}) {
  return [=](const Tensor& x) { return gt::avg_pool1d(x, kernel, options); };
}
auto avg_2d(const gt::IntegerList& kernel, const gt::AvgPoolOptions& options = {}) {
  return [=](const Tensor& x) { return gt::avg_pool2d(x, kernel, options); };
}
auto adaptive_1d(const gt::IntegerList& size) {
  return [=](const Tensor& x) { return gt::adaptive_avg_pool1d(x, size); };
}
auto adaptive_2d(const gt::IntegerList& size) {
  return [=](const Tensor& x) { return gt::adaptive_avg_pool2d(x, size); };
}

const cases::Rows rows([]() -> std::vector<cases::Row> {
  using cases::calls, cases::distinct;
  const auto any = cases::between(-1, 1), apart = distinct();
  const auto squared = [](const Tensor& x) { return gt::max_pool2d(x * x, 2, {.stride = 1}); };
  const auto x = [] { return gt::zeros({2, 3, 4, 5}); };
  const auto zeros = [](const gt::Shape& shape) { return gt::zeros(shape); };
  const auto whole = [](const gt::Shape& shape) { return gt::zeros(shape, {.dtype = gt::i64}); };
  return {
      {.op = "max_pool1d",
       .calls = calls({
           cases::at({{7}, {2, 3, 7}, {0, 7}}, apart, max_1d(3)),
           cases::at({{2, 9}}, apart, max_1d(3, {.stride = 2, .padding = 1, .dilation = 2})),
       }),
       .misuse =
           {
               {"max_pool1d: x []; expected (…, l)", [=] { gt::max_pool1d(zeros({}), 1); }},
               {"max_pool1d: kernel is {2, 2}; expected one number",
                [=] {
                  gt::max_pool1d(x(), {2, 2});
                }},
               {"max_pool1d: a kernel of 6 does not fit into axis 3 of [2, 3, 4, 5]", [=] { gt::max_pool1d(x(), 6); }},
               {"max_pool1d: no meaning for i64; convert with .to(gradtape::f32)",
                [=] { gt::max_pool1d(whole({3}), 2); }},
           }},
      {.op = "max_pool2d",
       .calls = calls({
           cases::at({{4, 6}, {2, 3, 5, 4}, {0, 3, 4, 4}, {2, 0, 4, 4}}, apart, max_2d(2)),
           cases::at({{3, 5, 6}}, apart, max_2d({3, 2}, {.stride = {1, 2}, .padding = 1, .dilation = {2, 1}})),
           cases::at({{3, 5, 6}}, apart, max_2d(3, {.stride = {2, 4}, .padding = {0, 1}, .ceil_mode = true})),
           cases::at({{2, 4, 5}}, cases::between(0.5, 2), squared),
       }),
       .misuse =
           {
               {"max_pool2d: x [3]; expected (…, h, w)", [=] { gt::max_pool2d(zeros({3}), 1); }},
               {"max_pool2d: kernel is {}; expected one number, or one for each of two axes",
                [=] { gt::max_pool2d(x(), {}); }},
               {"max_pool2d: kernel is 0; expected at least 1", [=] { gt::max_pool2d(x(), 0); }},
               {"max_pool2d: padding is 2; expected at most half of the kernel, which is 3",
                [=] { gt::max_pool2d(x(), 3, {.padding = 2}); }},
               {"max_pool2d: a window over axis 1 of [1, 1] would see padding alone; use less of it",
                [=] {
                  gt::max_pool2d(zeros({1, 1}), {1, 2}, {.padding = {0, 1}, .dilation = 2});
                }},
               {"max_pool2d: a window over axis 0 of [0, 1] would see padding alone; use less of it",
                [=] {
                  gt::max_pool2d(zeros({0, 1}), 2, {.padding = 1});
                }},
               {"max_pool2d: a window over axis 1 of [3, 0] would see padding alone; use less of it",
                [=] {
                  gt::max_pool2d(zeros({3, 0}), 1, {.stride = 2, .ceil_mode = true});
                }},
               {"max_pool2d: a kernel of 7 does not fit into axis 2 of [2, 3, 4, 5]",
                [=] { gt::max_pool2d(x(), 7, {.stride = 3, .ceil_mode = true}); }},
           }},
      {.op = "avg_pool1d",
       .calls = calls({
           cases::at({{7}, {2, 3, 7}, {0, 7}}, any, avg_1d(3)),
           cases::at({{2, 9}}, any, avg_1d(3, {.stride = 2, .padding = 1, .count_include_pad = false})),
       }),
       .misuse =
           {
               {"avg_pool1d: stride is -1; expected at least 1", [=] { gt::avg_pool1d(x(), 2, {.stride = -1}); }},
           }},
      {.op = "avg_pool2d",
       .calls = calls({
           cases::at({{4, 6}, {2, 3, 5, 4}, {0, 3, 4, 4}, {2, 0, 4, 4}}, any, avg_2d(2)),
           cases::at({{3, 5, 6}}, any, avg_2d({3, 2}, {.stride = {1, 2}, .padding = 1})),
           cases::at({{3, 5, 6}}, any, avg_2d(3, {.padding = 1, .ceil_mode = true})),
           cases::at({{3, 5, 6}}, any, avg_2d(3, {.padding = 1, .count_include_pad = false})),
       }),
       .misuse =
           {
               {"avg_pool2d: padding is 2; expected at most half of the kernel, which is 3",
                [=] { gt::avg_pool2d(x(), 3, {.padding = 2}); }},
               {"avg_pool2d: no meaning for i64; convert with .to(gradtape::f32)",
                [=] {
                  gt::avg_pool2d(whole({3, 3}), 2);
                }},
           }},
      {.op = "adaptive_avg_pool1d",
       .calls = calls({
           cases::at({{7}, {2, 3, 7}, {0, 7}}, any, adaptive_1d(3)),
           cases::at({{4}}, any, adaptive_1d(6)),
           cases::at({{4}}, any, adaptive_1d(1)),
       }),
       .misuse =
           {
               {"adaptive_avg_pool1d: a part of [2, 0] would be of nothing",
                [=] { gt::adaptive_avg_pool1d(zeros({2, 0}), 1); }},
           }},
      {.op = "adaptive_avg_pool2d",
       .calls = calls({
           cases::at({{5, 7}, {2, 3, 5, 7}, {0, 3, 5, 7}, {2, 0, 5, 7}}, any, adaptive_2d({2, 3})),
           cases::at({{2, 3, 5}}, any, adaptive_2d(1)),
           cases::at({{2, 3, 5}}, any, adaptive_2d({7, 5})),
       }),
       .misuse =
           {
               {"adaptive_avg_pool2d: size is 0; expected at least 1", [=] { gt::adaptive_avg_pool2d(x(), 0); }},
               {"adaptive_avg_pool2d: a part of [2, 0, 3] would be of nothing",
                [=] { gt::adaptive_avg_pool2d(zeros({2, 0, 3}), 1); }},
               {"adaptive_avg_pool2d: x [3]; expected (…, h, w)", [=] { gt::adaptive_avg_pool2d(zeros({3}), 1); }},
           }},
  };
});

struct Plain {
  std::int64_t kh, kw, stride, padding = 0, dilation = 1;
  bool ceil_mode = false;
};

/// What a window sees: elements, and places of the image and its padding.
struct Seen {
  double sum = 0, largest = -cases::inf, elements = 0, places = 0;
};

/// f(what it sees) for each window over x [n, h, w].
template <class F>
Tensor over_windows(const Tensor& x, const Plain& p, F f) {
  const std::int64_t h = x.shape()[1], w = x.shape()[2];
  const auto count = [&](std::int64_t n, std::int64_t k) {
    std::int64_t windows = 0;
    const auto fits = [&](std::int64_t first) {
      return p.ceil_mode ? first < n && first - p.stride + p.dilation * (k - 1) + 1 < n + p.padding
                         : first + p.dilation * (k - 1) < n + p.padding;
    };
    for (std::int64_t first = -p.padding; fits(first); first += p.stride) ++windows;
    return windows;
  };
  return by_index({x.shape()[0], count(h, p.kh), count(w, p.kw)}, [&](const Index& i) {
    Seen seen;
    for (std::int64_t a = 0; a < p.kh; ++a)
      for (std::int64_t b = 0; b < p.kw; ++b) {
        const std::int64_t row = i[1] * p.stride - p.padding + a * p.dilation,
                           col = i[2] * p.stride - p.padding + b * p.dilation;
        if (row >= h + p.padding || col >= w + p.padding) continue;
        ++seen.places;
        if (row < 0 || row >= h || col < 0 || col >= w) continue;
        const double value = at(x, {i[0], row, col});
        seen.sum += value;
        seen.largest = std::max(seen.largest, value);
        ++seen.elements;
      }
    return f(seen);
  });
}

}  // namespace

TEST_CASE("pooling: rows") { rows.check(); }

TEST_CASE("pooling equals plain loops") {
  const gt::RandomStream stream(8);
  const Tensor x = random({2, 7, 9});
  const auto largest = [](const Seen& s) { return s.largest; };
  const auto mean = [](const Seen& s) { return s.sum / s.places; };
  const auto mean_of_elements = [](const Seen& s) { return s.sum / s.elements; };
  CHECK(gt::max_pool2d(x, {3, 2}).shape() == gt::Shape{2, 2, 4});
  for (const std::int64_t stride : {1, 2, 3, 4})
    for (const bool ceil : {false, true}) {
      CAPTURE(stride);
      CAPTURE(ceil);
      CHECK(gt::equal(gt::max_pool2d(x, {3, 2}, {.stride = stride, .padding = 1, .dilation = 2, .ceil_mode = ceil}),
                      over_windows(x, {3, 2, stride, 1, 2, ceil}, largest)));
      const Plain plain{3, 2, stride, 1, 1, ceil};
      gt::AvgPoolOptions options{.stride = stride, .padding = 1, .ceil_mode = ceil};
      CHECK(gt::avg_pool2d(x, {3, 2}, options) == gt::approx(over_windows(x, plain, mean)));
      options.count_include_pad = false;
      CHECK(gt::avg_pool2d(x, {3, 2}, options) == gt::approx(over_windows(x, plain, mean_of_elements)));
    }
  const Tensor sequence = x[{gt::Slice{}, gt::Slice{0, 1}}];
  CHECK(gt::equal(gt::max_pool1d(sequence, 3, {.stride = 2}), over_windows(sequence, {1, 3, 2}, largest)));
  CHECK(gt::avg_pool1d(sequence, 3, {.stride = 2}) == gt::approx(over_windows(sequence, {1, 3, 2}, mean)));
  CHECK(gt::avg_pool2d(x, {7, 9}) == gt::approx(gt::adaptive_avg_pool2d(x, 1)));
  CHECK(gt::avg_pool2d(x.to(gt::f32), 2) == gt::approx(gt::avg_pool2d(x, 2).to(gt::f32)));
}

TEST_CASE("pooling: a stride beyond the image leaves one window") {
  const gt::Tensor x = gt::tensor({5., 4., 7., 1., 2.});
  for (const std::int64_t stride :
       {6L, 7L, std::numeric_limits<std::int64_t>::max() / 16, std::numeric_limits<std::int64_t>::max() - 6,
        std::numeric_limits<std::int64_t>::max()}) {
    CAPTURE(stride);
    for (const bool ceil : {false, true}) {
      CHECK(gt::equal(gt::max_pool1d(x, 2, {.stride = stride, .ceil_mode = ceil}), gt::tensor({5.})));
      CHECK(gt::equal(gt::max_pool1d(x.to(gt::f32), 2, {.stride = stride, .ceil_mode = ceil}),
                      gt::tensor({5.}).to(gt::f32)));
      CHECK(gt::equal(gt::max_pool1d(x, 3, {.stride = stride, .padding = 1, .ceil_mode = ceil}), gt::tensor({5.})));
      CHECK(gt::equal(gt::avg_pool1d(x, 2, {.stride = stride, .ceil_mode = ceil}), gt::tensor({4.5})));
    }
  }
}

TEST_CASE("max_pool equals plain loops in rows longer than a register") {
  const gt::RandomStream stream(9);
  const auto largest = [](const Seen& s) { return s.largest; };
  for (const std::int64_t width : {14, 15, 33, 70}) {
    const Tensor x = random({3, 5, width});
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t padding : {0, 1}) {
        CAPTURE(width);
        CAPTURE(stride);
        CAPTURE(padding);
        const Tensor y = gt::max_pool2d(x, 2, {.stride = stride, .padding = padding}),
                     expected = over_windows(x, {2, 2, stride, padding}, largest);
        CHECK(gt::equal(y, expected));
        CHECK(
            gt::equal(gt::max_pool2d(x.to(gt::f32), 2, {.stride = stride, .padding = padding}), expected.to(gt::f32)));
      }
  }
}

TEST_CASE("pooling: ceil_mode on paper") {
  const Tensor x = gt::tensor({1., 2., 3., 4., 5.});
  CHECK(gt::equal(gt::max_pool1d(x, 2, {.ceil_mode = true}), gt::tensor({2., 4., 5.})));
  CHECK(gt::equal(gt::avg_pool1d(x, 2, {.ceil_mode = true}), gt::tensor({1.5, 3.5, 5.})));
  CHECK(gt::equal(gt::avg_pool1d(x, 4, {.stride = 3, .padding = 2, .ceil_mode = true}),
                  gt::tensor({0.75, 3.5, 5. / 3})));  // of the last, a place is beyond the padding
  CHECK(gt::max_pool1d(x, 1, {.stride = 4, .ceil_mode = true}).numel() == 2);
  CHECK(gt::max_pool1d(x, 1, {.stride = 5, .ceil_mode = true}).numel() == 1);  // the next would start at the end
  CHECK(gt::equal(gt::max_pool1d(x, 7, {.ceil_mode = true}), gt::tensor({5.})));
}

TEST_CASE("adaptive pooling takes parts that cover x") {
  const Tensor x = random({5, 7});
  const Tensor y = gt::adaptive_avg_pool2d(x, {3, 4});
  const Tensor expected = by_index({3, 4}, [&](const Index& i) {
    double sum = 0, number = 0;
    for (std::int64_t r = i[0] * 5 / 3; r < ((i[0] + 1) * 5 + 2) / 3; ++r)
      for (std::int64_t c = i[1] * 7 / 4; c < ((i[1] + 1) * 7 + 3) / 4; ++c, ++number) sum += at(x, {r, c});
    return sum / number;
  });
  CHECK(y == gt::approx(expected));
  CHECK(gt::adaptive_avg_pool2d(x, {5, 7}) == gt::approx(x));
  CHECK(gt::adaptive_avg_pool2d(gt::full({3, 1000, 1000}, 0.1), 1) == gt::approx(gt::full({3, 1, 1}, 0.1)));
}

TEST_CASE("max_pool: the first of equals gets the gradient, and NaN wins") {
  const Tensor x = gt::tensor({{1., 3., 3., 2.}, {3., 0., 1., 2.}});
  CHECK(gt::equal(gt::vjp(max_2d(2), x, gt::tensor({{5., 7.}})), gt::tensor({{0., 5., 7., 0.}, {0., 0., 0., 0.}})));
  CHECK(gt::equal(gt::vjp(max_1d(3, {.stride = 1}), x, gt::ones({2, 2})),
                  gt::tensor({{0., 2., 0., 0.}, {1., 0., 0., 1.}})));
  const Tensor odd = cases::vector({1, cases::nan, 2, -cases::inf, -cases::inf, cases::inf});
  const Tensor y = gt::max_pool1d(odd, 2), g = gt::vjp(max_1d(2), odd, gt::ones({3}, {.dtype = gt::f64}));
  CHECK(std::isnan(y[0].item()));
  CHECK(y[1].item() == 2);
  CHECK(y[2].item() == cases::inf);
  CHECK(gt::equal(g, cases::vector({0, 1, 1, 0, 0, 1})));
  CHECK(gt::max_pool1d(gt::full({4}, -cases::inf), 2, {.padding = 1}).to_vector<float>() ==
        std::vector<float>(3, -HUGE_VALF));  // padding is below everything
}

TEST_CASE("max_pool: in rows of many windows the first of equals and the first NaN win too") {
  constexpr std::int64_t n = 53, size = 5, stride = 2, padding = 2, dilation = 3;
  std::vector<double> x(n);
  for (std::int64_t i = 0; i < n; ++i)
    x[static_cast<std::size_t>(i)] = i % 11 == 7 ? cases::nan : static_cast<double>(i * 7 % 4) - 2;
  const auto max = [](const Tensor& v) {
    return gt::max_pool1d(v, size, {.stride = stride, .padding = padding, .dilation = dilation});
  };
  const std::int64_t count = max(cases::vector(x)).numel();
  std::vector<double> expected(n);
  for (std::int64_t w = 0; w < count; ++w) {
    std::int64_t best = -1;
    for (std::int64_t k = 0; k < size; ++k) {
      const std::int64_t at = w * stride - padding + k * dilation;
      if (at < 0 || at >= n) continue;
      const double value = x[static_cast<std::size_t>(at)], most = best < 0 ? 0 : x[static_cast<std::size_t>(best)];
      if (best < 0 || value > most || (std::isnan(value) && !std::isnan(most))) best = at;
    }
    expected[static_cast<std::size_t>(best)] += static_cast<double>(w + 1);
  }
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const Tensor g = gt::vjp(max, cases::vector(x).to(dtype), (gt::arange(count) + 1).to(dtype));
    CHECK(cases::doubles(g.to(gt::f64)) == expected);
  }
}

TEST_CASE("max_pool: windows far larger than the image") {
  const Tensor x = gt::tensor({{1., 4.}, {3., 2.}});
  const std::int64_t size = 200'001;
  CHECK(gt::max_pool2d(x, {1, size}, {.stride = 1, .padding = {0, size / 2}}) ==
        gt::approx(gt::tensor({{4., 4.}, {3., 3.}})));
}

TEST_CASE("avg_pool: what is not finite reaches its own windows only") {
  const Tensor x = cases::vector({1, 2, cases::inf, 4, 5, 6, cases::nan, 8});
  const auto y = cases::doubles(gt::avg_pool1d(x, 2));
  CHECK(y[0] == 1.5);
  CHECK(y[1] == cases::inf);
  CHECK(y[2] == 5.5);
  CHECK(std::isnan(y[3]));
}
