#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::counting, cases::for_each_index, cases::Index, cases::random,
    cases::shares_data;
using gt::Slice, gt::Tensor;

namespace {

const auto any = cases::between(-1, 1);

/// begin:end:step as Python has it, by walking.
std::vector<std::int64_t> indices(const Slice& slice, std::int64_t n) {
  std::vector<std::int64_t> out;
  const auto from_end = [n](std::int64_t i) { return i < 0 ? i + n : i; };
  if (slice.step > 0) {
    const std::int64_t end = slice.end ? from_end(*slice.end) : n;
    for (std::int64_t i = slice.begin ? from_end(*slice.begin) : 0; i < end && i < n; i += slice.step)
      if (i >= 0)
        out.push_back(i);
      else
        i = -slice.step;  // what lies in front is cut off
  } else {
    const std::int64_t end = slice.end ? from_end(*slice.end) : -1;
    for (std::int64_t i = std::min(slice.begin ? from_end(*slice.begin) : n - 1, n - 1); i > end && i >= 0;
         i += slice.step)
      out.push_back(i);
  }
  return out;
}

const cases::Rows slices([]() -> std::vector<cases::Row> {
  const auto x = [] { return gt::zeros({3, 4}); };
  const std::vector<gt::Shape> some_axes{{1}, {37}, {3, 4}, {1, 1}, {4, 3, 5}, {0}, {3, 0}, {0, 3}};
  const gt::Shape full{1, 1, 1, 1, 1, 1, 1, 1};
  return {
      {"slice",
       cases::calls(
           {cases::at(some_axes, any, gt::slice),
            cases::at(some_axes, any,
                      [](const Tensor& t) { return gt::slice(t, {.axis = -1, .begin = 1, .end = 4, .step = 2}); }),
            cases::at(some_axes, any, [](const Tensor& t) { return gt::slice(t, {.step = -2}); })}),
       {{"slice: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::slice(x(), {.axis = 2}); }},
        {"slice: axis 0 of a scalar; a scalar has no axes", [] { gt::slice(gt::zeros({})); }},
        {"slice: a step of 0 never ends; use 1, or -1 to go backwards", [=] { gt::slice(x(), {.step = 0}); }}}},
      {"indexing",
       cases::calls({cases::at({{3}, {3, 4}, {2, 3, 5}, {3, 0}}, any, [](const Tensor& t) { return t[-2]; }),
                     cases::at({{3, 4}, {2, 3, 5}, {0, 3}}, any,
                               [](const Tensor& t) {
                                 return t[{Slice{.step = -1}, Slice{1, 3}}];
                               }),
                     cases::at({{2, 3, 5}}, any,
                               [](const Tensor& t) {
                                 return t[{Slice{}, 1, Slice{4, {}, -2}}] * t[{1, Slice{0, 2}, -1}][0];
                               })}),
       {{"index: 4 is outside axis 1 of shape [3, 4]",
         [=] {
           x()[{1, 4}];
         }},
        {"index: -4 is outside axis 0 of shape [3, 4]", [=] { x()[-4]; }},
        {"index: 0 is outside axis 0 of shape [0]", [] { gt::zeros({0})[0]; }},
        {"index: 3 indices for shape [3, 4], which has 2 axes",
         [=] {
           x()[{1, 2, 3}];
         }},
        {"index: a step of 0 never ends; use 1, or -1 to go backwards", [=] { x()[Slice{.step = 0}]; }}}},
      {"flip",
       cases::calls({cases::at(cases::shapes(), any, gt::flip),
                     cases::at({{3, 4}, {2, 3, 5}}, any, [](const Tensor& t) { return gt::flip(t, {-1}); })}),
       {{"flip: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::flip(x(), 2); }},
        {"flip: axis -2 is named twice in {0, -2}",
         [=] {
           gt::flip(x(), {0, -2});
         }}}},
      {"unfold",
       cases::calls({cases::at({{3}, {37}, {3, 4}, {4, 2, 5}, {3, 0}}, any,
                               [](const Tensor& t) { return gt::unfold(t, 0, 3, 1); }),
                     cases::at({{7}, {3, 8}, {0, 9}}, any, [](const Tensor& t) { return gt::unfold(t, -1, 3, 2); }),
                     cases::at({{6}}, any, [](const Tensor& t) { return gt::unfold(t, 0, 2, 4); })}),
       {{"unfold: axis 1 is out of range for rank 1; use -1 to 0", [] { gt::unfold(gt::zeros({3}), 1, 1, 1); }},
        {"unfold: windows of 5 do not fit into axis 1 of shape [3, 4]", [=] { gt::unfold(x(), 1, 5, 1); }},
        {"unfold: size -1 and step 1; expected at least 0 and 1", [=] { gt::unfold(x(), 1, -1, 1); }},
        {"unfold: size 2 and step 0; expected at least 0 and 1", [=] { gt::unfold(x(), 1, 2, 0); }},
        {"unfold: the result of shape [1, 1, 1, 1, 1, 1, 1, 1] would have 9 axes; at most 8 are supported",
         [=] { gt::unfold(gt::zeros(full), 0, 1, 1); }}}},
  };
});

}  // namespace

TEST_CASE("slices: rows") { slices.check(); }

TEST_CASE("slice takes a range of one axis, cuts what lies outside and counts negative ends from the back") {
  const Tensor x = gt::arange(5), rows = counting({4, 3});
  const auto range = [&](std::int64_t begin, std::int64_t end) {
    return gt::slice(x, {.begin = begin, .end = end}).to_vector<float>();
  };
  using Floats = std::vector<float>;
  CHECK(range(1, 3) == Floats{1, 2});
  CHECK(range(-2, 99) == Floats{3, 4});
  CHECK(range(0, -1) == Floats{0, 1, 2, 3});
  CHECK(range(-99, 2) == Floats{0, 1});
  CHECK(range(3, 1).empty());
  CHECK(range(5, 9).empty());
  CHECK(range(-99, -99).empty());
  CHECK(range(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()) ==
        Floats{0, 1, 2, 3, 4});
  CHECK(gt::slice(rows).array().data() == rows.array().data());
  CHECK(shares_data(gt::slice(rows, {.axis = -1, .begin = 1}), rows));
  CHECK(gt::slice(rows, {.axis = -1, .begin = 1, .end = 2}).to_vector<double>() == std::vector<double>{1, 4, 7, 10});
}

TEST_CASE("slices go by steps, backwards too, as in Python") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  std::vector<std::optional<std::int64_t>> bounds{{}, least, most};
  for (std::int64_t i = -7; i <= 7; ++i) bounds.emplace_back(i);
  for (const std::int64_t n : {0, 1, 2, 5}) {
    const Tensor x = gt::arange(n, {.dtype = gt::i64});
    for (const auto& begin : bounds)
      for (const auto& end : bounds)
        for (const std::int64_t step : {1, 2, 3, 7, -1, -2, -3, -7}) {
          CAPTURE(n);
          CAPTURE(begin.value_or(99));
          CAPTURE(end.value_or(99));
          CAPTURE(step);
          // Python's own bounds saturate; so do those of the walk.
          const Slice walked{begin ? std::optional(std::clamp<std::int64_t>(*begin, -50, 50)) : begin,
                             end ? std::optional(std::clamp<std::int64_t>(*end, -50, 50)) : end, step};
          REQUIRE(x[Slice{begin, end, step}].to_vector<std::int64_t>() == indices(walked, n));
        }
    CHECK(x[Slice{.step = most}].numel() == std::min<std::int64_t>(n, 1));
    CHECK(x[Slice{.step = least}].numel() == std::min<std::int64_t>(n, 1));
  }
  const Tensor y = counting({4, 5}), z = y[{Slice{.step = -1}, Slice{4, 0, -2}}];
  CHECK(gt::equal(z, by_index({4, 2}, [&](const Index& i) { return at(y, {3 - i[0], 4 - 2 * i[1]}); })));
  CHECK(shares_data(z, y));
}

TEST_CASE("flip reverses axes, and twice is nothing") {
  const Tensor x = counting({3, 1, 4});
  CHECK(gt::equal(gt::flip(x), by_index({3, 1, 4}, [&](const Index& i) { return at(x, {2 - i[0], 0, 3 - i[2]}); })));
  CHECK(gt::equal(gt::flip(x, 0), by_index({3, 1, 4}, [&](const Index& i) { return at(x, {2 - i[0], 0, i[2]}); })));
  CHECK(shares_data(gt::flip(x), x));
  CHECK(gt::flip(gt::flip(x)).array().packed());
  CHECK(gt::equal(gt::flip(gt::flip(x)), x));
  CHECK(gt::flip(gt::tensor({true, false, false}, {.dtype = gt::boolean})).to_vector<bool>() ==
        std::vector<bool>{false, false, true});
}

TEST_CASE("unfold slides a window") {
  const Tensor x = counting({3, 7}), y = gt::unfold(x, 1, 3, 2), rows = gt::unfold(x, 0, 2, 1);
  CHECK(gt::equal(y, by_index({3, 3, 3}, [&](const Index& i) { return at(x, {i[0], 2 * i[1] + i[2]}); })));
  CHECK(gt::equal(rows, by_index({2, 7, 2}, [&](const Index& i) { return at(x, {i[0] + i[2], i[1]}); })));
  CHECK(shares_data(y, x));
  CHECK(gt::unfold(x, 1, 7, 100).shape() == gt::Shape{3, 1, 7});
  CHECK(gt::unfold(x, 1, 1, std::numeric_limits<std::int64_t>::max()).shape() == gt::Shape{3, 1, 1});
  CHECK(gt::unfold(x, 1, 0, 1).shape() == gt::Shape{3, 8, 0});
  // A gradient of ones counts the windows that an element is in.
  const auto windows = [](const Tensor& t) { return gt::unfold(t, 0, 3, 1); };
  CHECK(gt::equal(gt::vjp(windows, gt::zeros({6}), gt::ones({4, 3})), gt::tensor({1, 2, 3, 3, 2, 1})));
  const Tensor w = gt::parameter(gt::zeros({5}));  // into a gradient that is there already
  (gt::sum(w) * 100 + gt::sum(gt::unfold(w, 0, 2, 3)) * 10 + gt::sum(gt::flip(w)[Slice{0, 2}])).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({110, 110, 100, 111, 111})));
}

TEST_CASE("negative and overlapping strides are read right by every kernel") {
  const Tensor x = random({6, 70}), flipped = gt::flip(x), windows = gt::unfold(random({40}), 0, 5, 1);
  const std::vector<Tensor> views{flipped,
                                  gt::flip(x, 0),
                                  gt::flip(x, 1),
                                  x[{Slice{.step = -2}, Slice{60, 3, -1}}],
                                  gt::transpose(flipped),
                                  windows,
                                  gt::flip(windows, 1),
                                  gt::transpose(windows),
                                  gt::broadcast_to(gt::flip(random({5})), {7, 5}),
                                  gt::flip(x)[{Slice{}, 3}]};
  for (const Tensor& view : views) {
    CAPTURE(gt::to_string(view.shape()));
    const Tensor packed = by_index(view.shape(), [&](const Index& i) { return at(view, i); });
    CHECK(gt::equal(gt::contiguous(view), packed));
    CHECK(gt::equal(view * 2 + view, packed * 2 + packed));
    CHECK(gt::equal(gt::where(view > 0, view, -view), gt::where(packed > 0, packed, -packed)));
    CHECK(gt::equal(gt::sum(view, {.axes = 0}), gt::sum(packed, {.axes = 0})));
    CHECK(gt::equal(gt::max(view), gt::max(packed)));
    CHECK(gt::equal(gt::softmax(view), gt::softmax(packed)));
    CHECK(gt::equal(view.to(gt::f32), packed.to(gt::f32)));
    CHECK(gt::equal(gt::reshape(view, {-1}), gt::reshape(packed, {-1})));
    CHECK(gt::to_string(view) == gt::to_string(packed));
    const auto f = [](const Tensor& a, const Tensor& b) { return gt::square(a) * b; };
    const auto [ga, gb] = gt::vjp(f, {view, packed}, view);
    CHECK(ga == gt::approx(2 * packed * packed * packed));
    CHECK(gb == gt::approx(packed * packed * packed));
    const Tensor w = gt::parameter(gt::zeros(view.shape(), {.dtype = gt::f64}));
    w.assign(view);
    CHECK(gt::equal(w, packed));
    if (view.rank() != 2) continue;
    CHECK(gt::matmul(view, gt::transpose(view)) == gt::approx(gt::matmul(packed, gt::transpose(packed))));
    CHECK(gt::matmul(gt::transpose(view), view) == gt::approx(gt::matmul(gt::transpose(packed), packed)));
    const Tensor bias = gt::flip(random({view.shape()[0]}));
    CHECK(gt::linear(view, view, bias) == gt::approx(gt::matmul(packed, gt::transpose(packed)) + bias));
    CHECK(gt::cross_entropy(view, gt::flip(gt::arange(view.shape()[0], {.dtype = gt::i64})) * 0) ==
          gt::approx(gt::cross_entropy(packed, gt::zeros({view.shape()[0]}, {.dtype = gt::i64}))));
  }
}

TEST_CASE("the gradient of a slice puts the elements back where they came from") {
  const Tensor x = random({3, 4}), column = random({3});
  const Tensor put = gt::vjp([](const Tensor& t) { return t[{Slice{}, 2}]; }, x, column);
  CHECK(gt::equal(put, by_index({3, 4}, [&](const Index& i) { return i[1] == 2 ? at(column, {i[0]}) : 0; })));
  const Tensor back = gt::vjp([](const Tensor& t) { return t[{Slice{}, Slice{.step = -3}}]; }, x, random({3, 2}));
  for_each_index({3, 4}, [&](const Index& i) { CHECK((at(back, i) == 0) == (i[1] % 3 != 0)); });
  const Tensor w = gt::parameter(x);
  CHECK(gt::tape_string(w[{1, Slice{}}]).starts_with("#1   slice(#0)"));  // one node
}

TEST_CASE("indexing by ranges and integers is a view") {
  const Tensor x = counting({3, 4, 5});
  for (int i = -3; i < 3; ++i)
    for (int j = -4; j < 4; ++j)
      for (int k = -5; k < 5; ++k) REQUIRE(x[{i, j, k}].item() == (i + 3) % 3 * 20 + (j + 4) % 4 * 5 + (k + 5) % 5);
  const Tensor y = x[{Slice{1}, -1, Slice{0, 3}}];
  CHECK(y.shape() == gt::Shape{2, 3});
  CHECK(shares_data(y, x));
  CHECK(y.to_vector<double>() == std::vector<double>{35, 36, 37, 55, 56, 57});
  CHECK(x[1].shape() == gt::Shape{4, 5});
  CHECK(x[Slice{2, 99}].shape() == gt::Shape{1, 4, 5});
  CHECK(x[{Slice{}, Slice{2, 2}}].shape() == gt::Shape{3, 0, 5});
  CHECK((x == 7)[{0, 1, 2}].item() == 1);
  CHECK(x.to(gt::i64)[{2, 3}].to_vector<std::int64_t>() == std::vector<std::int64_t>{55, 56, 57, 58, 59});
}

TEST_CASE("overlapping slices add up in the gradient") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const Tensor x = gt::parameter(gt::zeros({5, 3}, {.dtype = dtype}));
    const Tensor loss = gt::sum(x[{Slice{0, 3}}]) + gt::sum(x[{Slice{1, 5}, Slice{1, 3}}] * 10) +
                        gt::sum(x[{2, 2}] * 100) + gt::sum(gt::transpose(x)[1] * 1000);
    loss.backward();
    CHECK(gt::equal(x.grad(), gt::tensor({{1, 1001, 1}, {1, 1011, 11}, {1, 1011, 111}, {0, 1010, 10}, {0, 1010, 10}},
                                         {.dtype = dtype})));
  }
}
