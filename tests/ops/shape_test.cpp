#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::counting, cases::for_each_index, cases::Index, cases::random,
    cases::shares_data;
using gt::Slice, gt::Tensor;

namespace {

const auto any = cases::between(-1, 1);
const std::vector<gt::Shape> some_axes{{1}, {37}, {3, 4}, {1, 1}, {2, 3, 5}, {0}, {3, 0}, {0, 3}};

/// The function of one tensor that an op is with these arguments.
auto transpose(const gt::TransposeOptions& options) {
  return [=](const Tensor& x) { return gt::transpose(x, options); };
}
auto swapaxes(int axis0, int axis1) {
  return [=](const Tensor& x) { return gt::swapaxes(x, axis0, axis1); };
}
auto permute(const gt::IntegerList& axes) {
  return [=](const Tensor& x) { return gt::permute(x, axes); };
}
auto moveaxis(const gt::IntegerList& source, const gt::IntegerList& destination) {
  return [=](const Tensor& x) { return gt::moveaxis(x, source, destination); };
}
auto reshape(const gt::NewShape& shape) {
  return [=](const Tensor& x) { return gt::reshape(x, shape); };
}
auto flatten(const gt::FlattenOptions& options) {
  return [=](const Tensor& x) { return gt::flatten(x, options); };
}
auto squeeze(const gt::Axes& axes) {
  return [=](const Tensor& x) { return gt::squeeze(x, axes); };
}
auto unsqueeze(int axis) {
  return [=](const Tensor& x) { return gt::unsqueeze(x, axis); };
}
auto broadcast_to(const gt::Shape& shape) {
  return [=](const Tensor& x) { return gt::broadcast_to(x, shape); };
}
/// First transposed.
template <class F>
auto turned(F f) {
  return [=](const Tensor& x) { return f(gt::transpose(x)); };
}

template <class F>
std::vector<cases::Call> at_each(const std::vector<gt::Shape>& shapes, F f) {
  return cases::at(shapes, any, f);
}
template <class F>
cases::Misuse wrong(const std::string& message, F f, const gt::Shape& shape = {3, 4}) {
  return {message, [=] { f(gt::zeros(shape)); }};
}

const cases::Rows shapes([]() -> std::vector<cases::Row> {
  constexpr std::int64_t big = std::int64_t{1} << 32;
  const gt::Shape full{1, 1, 1, 1, 1, 1, 1, 1};
  std::vector<cases::Call> stretched;
  for (const auto& [from, to] : cases::broadcasts())
    for (cases::Call& call : at_each({from, to}, broadcast_to(gt::broadcast("test", from, to))))
      stretched.push_back(std::move(call));
  return {
      {"transpose",
       cases::calls({at_each({{3, 4}, {1, 1}, {2, 3, 5}, {37, 2}, {3, 0}, {0, 3}}, gt::transpose),
                     at_each({{2, 3, 5}}, transpose({0, -1}))}),
       {wrong("transpose: shape [3] has fewer than two axes; reshape it to a row or column first", transpose({}), {3}),
        wrong("transpose: axis 2 is out of range for rank 2; use -2 to 1", transpose({0, 2}))}},
      {"swapaxes",
       at_each(some_axes, swapaxes(0, -1)),
       {wrong("swapaxes: axis 2 is out of range for rank 2; use -2 to 1", swapaxes(2, 0)),
        wrong("swapaxes: axis 0 of a scalar; a scalar has no axes", swapaxes(0, 0), {})}},
      {"permute",
       cases::calls({at_each({{}}, permute({})), at_each({{3}, {0}}, permute(0)),
                     at_each({{2, 3, 5}, {1, 0, 4}}, permute({2, 0, -2})),
                     at_each({{2, 1, 3, 2}}, permute({1, 3, 0, 2}))}),
       {wrong("permute: 1 axes in {1} for shape [3, 4]; name each of its 2 once", permute(1)),
        wrong("permute: axis -2 is named twice in {0, -2}", permute({0, -2})),
        wrong("permute: axis 2 is out of range for rank 2; use -2 to 1", permute({0, 2}))}},
      {"moveaxis",
       cases::calls({at_each(some_axes, moveaxis(0, -1)), at_each({{2, 3, 5}}, moveaxis({0, 1}, {-1, 0}))}),
       {wrong("moveaxis: 2 axes in {0, 1} for 1 places in {0}; they must be as many", moveaxis({0, 1}, 0)),
        wrong("moveaxis: axis 0 is named twice in {0, 0}", moveaxis({0, 1}, {0, 0})),
        wrong("moveaxis: axis -3 is out of range for rank 2; use -2 to 1", moveaxis(-3, 0))}},
      {"reshape",
       cases::calls(
           {at_each(cases::shapes(), reshape({1, -1, 1})), at_each({{3, 4}, {2, 3, 2}}, turned(reshape({2, -1})))}),
       {wrong("reshape: [3, 4] has 12 elements, [5, 2] has 10; they must be as many", reshape({5, 2})),
        wrong("reshape: [3, 4] has 12 elements, which [5, -1] does not divide", reshape({5, -1})),
        wrong("reshape: [0] has 0 elements, which [0, -1] does not divide", reshape({0, -1}), {0}),
        wrong("reshape: only one dimension can be -1", reshape({-1, -1})),
        wrong("shape: [-2, -6] has a negative dimension; every dimension must be >= 0", reshape({-2, -6})),
        wrong("reshape: [4294967296, 4294967296] has more elements than can be counted", reshape({big, big}), {0}),
        wrong("reshape: [3] has 3 elements, which [4294967296, 4294967296, -1] does not divide",
              reshape({big, big, -1}), {3})}},
      {"flatten",
       cases::calls({at_each(cases::shapes(), gt::flatten),
                     at_each({{2, 3, 5}, {2, 0, 3}}, turned(flatten({.start_axis = 1})))}),
       {wrong("flatten: start_axis 1 comes after end_axis 0 in shape [3, 4]",
              flatten({.start_axis = 1, .end_axis = 0})),
        wrong("flatten: axis 2 is out of range for rank 2; use -2 to 1", flatten({.end_axis = 2})),
        wrong("flatten: [4294967296, 4294967296] has more elements than can be counted", flatten({.end_axis = 1}),
              {big, big, 0})}},
      {"squeeze",
       cases::calls({at_each(cases::shapes(), gt::squeeze), at_each({{1, 3, 1, 2}, {1, 0, 1, 1}}, squeeze({0, 1}))}),
       {wrong("squeeze: axis 2 is out of range for rank 2; use -2 to 1", squeeze(2)),
        wrong("squeeze: axis -2 is named twice in {0, -2}", squeeze({0, -2}))}},
      {"unsqueeze",
       cases::calls({at_each(cases::shapes(), unsqueeze(0)), at_each({{3, 4}}, turned(unsqueeze(-1)))}),
       {wrong("unsqueeze: axis 3 is out of range for rank 3; use -3 to 2", unsqueeze(3)),
        wrong("unsqueeze: the result of shape [1, 1, 1, 1, 1, 1, 1, 1] would have 9 axes; at most 8 are supported",
              unsqueeze(0), full)}},
      {"broadcast_to",
       stretched,
       {wrong("broadcast_to: shapes [3, 4] and [2, 4] do not broadcast: axis -2 has 3 against 2; sizes must be equal "
              "or 1",
              broadcast_to({2, 4})),
        wrong("broadcast_to: [3, 4] does not stretch to [3, 1]; only axes of 1 and missing leading axes do",
              broadcast_to({3, 1})),
        wrong("broadcast_to: [3, 4] does not stretch to [4]; only axes of 1 and missing leading axes do",
              broadcast_to({4})),
        wrong("broadcast_to: [4294967296, 4294967296] has more elements than can be counted", broadcast_to({big, big}),
              {1, 1})}},
      {"contiguous",
       cases::calls({at_each(cases::shapes(), gt::contiguous), at_each({{3, 4}}, turned(gt::contiguous))}),
       {{"this Tensor is empty (default-constructed or moved from); give it a value first",
         [] { gt::contiguous(Tensor()); }}}},
  };
});

}  // namespace

TEST_CASE("views: rows") { shapes.check(); }

TEST_CASE("transpose swaps two axes without a copy") {
  const Tensor x = counting({2, 3, 4, 5});
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) {
      const Tensor y = gt::transpose(x, {a, b}), back = gt::transpose(x, {a - 4, b - 4});
      CHECK(y.array().data() == x.array().data());
      CHECK(gt::equal(y, back));
      for_each_index(x.shape(), [&](const Index& index) {
        Index swapped = index;
        std::swap(swapped[static_cast<std::size_t>(a)], swapped[static_cast<std::size_t>(b)]);
        REQUIRE(at(y, swapped) == at(x, index));
      });
    }
  CHECK(gt::transpose(x).shape() == gt::Shape{2, 3, 5, 4});
  CHECK(gt::transpose(gt::zeros({3, 0})).shape() == gt::Shape{0, 3});
}

TEST_CASE("permute and moveaxis put axes where they are told") {
  const Tensor x = counting({2, 3, 4, 5});
  const Tensor y = gt::permute(x, {2, 0, -1, 1});
  CHECK(gt::equal(y, by_index({4, 2, 5, 3}, [&](const Index& i) { return at(x, {i[1], i[3], i[0], i[2]}); })));
  CHECK(y.array().data() == x.array().data());
  CHECK(gt::permute(x, {0, 1, 2, 3}).array().packed());
  const auto moved = [&](const gt::IntegerList& from, const gt::IntegerList& to) {
    return gt::moveaxis(x, from, to).shape();
  };
  CHECK(moved(0, -1) == gt::Shape{3, 4, 5, 2});
  CHECK(moved(-1, 0) == gt::Shape{5, 2, 3, 4});
  CHECK(moved({0, 1}, {-1, -2}) == gt::Shape{4, 5, 3, 2});
  CHECK(moved({2, 0}, {0, 2}) == gt::Shape{4, 3, 2, 5});
  CHECK(moved({}, {}) == x.shape());
  CHECK(gt::equal(gt::moveaxis(x, 1, 3), gt::permute(x, {0, 2, 3, 1})));
  CHECK(gt::equal(gt::swapaxes(x, 1, -1), gt::transpose(x, {1, 3})));
}

TEST_CASE("flatten, squeeze and unsqueeze change axes of the same elements") {
  const Tensor x = counting({2, 1, 3, 1});
  const auto same_data = [&](const Tensor& y, const gt::Shape& shape) {
    CHECK(y.shape() == shape);
    CHECK(y.array().data() == x.array().data());
    CHECK(y.to_vector<double>() == x.to_vector<double>());
  };
  same_data(gt::flatten(x), {6});
  same_data(gt::flatten(x, {.start_axis = 1}), {2, 3});
  same_data(gt::flatten(x, {.start_axis = -3, .end_axis = 2}), {2, 3, 1});
  same_data(gt::flatten(x, {.start_axis = 1, .end_axis = 1}), {2, 1, 3, 1});
  same_data(gt::squeeze(x), {2, 3});
  same_data(gt::squeeze(x, -1), {2, 1, 3});
  same_data(gt::squeeze(x, {1, 0}), {2, 3, 1});  // the axis of 2 stays
  same_data(gt::unsqueeze(x, 0), {1, 2, 1, 3, 1});
  same_data(gt::unsqueeze(x, -1), {2, 1, 3, 1, 1});
  same_data(gt::unsqueeze(x, -3), {2, 1, 1, 3, 1});
  CHECK(gt::flatten(gt::tensor(7)).shape() == gt::Shape{1});
  CHECK(gt::squeeze(gt::ones({1, 1})).shape() == gt::Shape{});
  CHECK(gt::flatten(gt::zeros({3, 0, 2})).shape() == gt::Shape{0});
  CHECK_FALSE(shares_data(gt::flatten(gt::transpose(counting({3, 4}))), x));
}

TEST_CASE("reshape keeps the row-major order, and copies only where strides force it") {
  const Tensor x = counting({4, 6});
  const auto keeps_order = [](const Tensor& from, const gt::Shape& shape) {
    const Tensor y = gt::reshape(from, shape);
    CHECK(y.shape() == shape);
    CHECK(y.to_vector<double>() == from.to_vector<double>());
    return shares_data(y, from);
  };
  for (const gt::Shape& shape : {gt::Shape{24}, {2, 12}, {2, 2, 3, 2}, {24, 1}, {1, 4, 1, 6}})
    CHECK(keeps_order(x, shape));
  // Rows of a wider matrix: splitting an axis is a view, joining two is not.
  const Tensor part = counting({4, 8})[{Slice{}, Slice{1, 7}}];
  CHECK(keeps_order(part, {2, 2, 6}));
  CHECK(keeps_order(part, {4, 3, 2}));
  CHECK(keeps_order(part, {4, 1, 6}));
  CHECK_FALSE(keeps_order(part, {24}));
  CHECK_FALSE(keeps_order(part, {3, 8}));
  const Tensor turned = gt::transpose(x);  // [6, 4]
  CHECK(keeps_order(turned, {3, 2, 4}));
  CHECK(keeps_order(turned, {6, 2, 2}));
  CHECK_FALSE(keeps_order(turned, {24}));
  const Tensor stretched = gt::broadcast_to(counting({3, 1}), {3, 4});
  CHECK(keeps_order(stretched, {3, 2, 2}));
  CHECK_FALSE(keeps_order(stretched, {12}));
  CHECK(keeps_order(gt::broadcast_to(gt::tensor(7, {.dtype = gt::f64}), {3, 4}), {12}));
  const Tensor block = counting({2, 5, 3, 4})[{Slice{}, Slice{1, 4}}];  // the last three axes join, the first does not
  CHECK(keeps_order(block, {2, 36}));
  CHECK(keeps_order(block, {2, 9, 2, 2}));
  CHECK_FALSE(keeps_order(block, {72}));
}

TEST_CASE("one dimension of a reshape may be left open") {
  const Tensor x = counting({4, 6});
  CHECK(gt::reshape(x, {-1}).shape() == gt::Shape{24});
  CHECK(gt::reshape(x, {3, -1, 2}).shape() == gt::Shape{3, 4, 2});
  CHECK(gt::reshape(gt::tensor(1.0), {-1, 1}).shape() == gt::Shape{1, 1});
  CHECK(gt::reshape(gt::zeros({0, 3}), {-1, 3}).shape() == gt::Shape{0, 3});
  CHECK(gt::reshape(gt::zeros({1, 1}), {}).shape() == gt::Shape{});
  CHECK(gt::reshape(gt::zeros({0, 3}), {5, 0}).shape() == gt::Shape{5, 0});
  CHECK(gt::reshape(x, 24).shape() == gt::Shape{24});
  CHECK(gt::reshape(gt::zeros({0}), {std::int64_t{1} << 32, std::int64_t{1} << 32, 0}).numel() == 0);
}

TEST_CASE("broadcast_to stretches without a copy") {
  for (const auto& [from, to] : std::vector<std::pair<gt::Shape, gt::Shape>>{{{}, {2, 3}},
                                                                             {{1}, {4}},
                                                                             {{3}, {2, 3}},
                                                                             {{2, 1}, {2, 5}},
                                                                             {{3, 1, 1}, {2, 3, 4, 5}},
                                                                             {{1, 3}, {1, 3}},
                                                                             {{1}, {0}},
                                                                             {{1, 3}, {0, 3}}}) {
    const Tensor x = counting(from), y = gt::broadcast_to(x, to);
    CHECK(y.shape() == to);
    CHECK(y.array().data() == x.array().data());
    for_each_index(to, [&](const Index& index) {
      Index source(index.end() - from.rank(), index.end());
      for (std::size_t axis = 0; axis < source.size(); ++axis)
        source[axis] = from[static_cast<int>(axis)] == 1 ? 0 : source[axis];
      REQUIRE(at(y, index) == at(x, source));
    });
  }
}

TEST_CASE("contiguous copies what is strided and nothing else") {
  const Tensor x = counting({3, 4});
  CHECK(gt::contiguous(x).array().data() == x.array().data());
  for (const cases::View& view : cases::views()) {
    CAPTURE(view.name);
    const Tensor from = view.of(counting(view.base)), y = gt::contiguous(from);
    CHECK(y.array().packed());
    CHECK(shares_data(y, from) == from.array().packed());
    for_each_index(from.shape(), [&](const Index& index) { REQUIRE(at(y, index) == at(from, index)); });
  }
}

TEST_CASE("the gradients of views put the elements back where they came from") {
  const Tensor x = random({3, 4});
  const Tensor turned = random({4, 3}), flat = random({2, 6}), column = random({3});
  CHECK(gt::equal(gt::vjp([](const Tensor& t) { return gt::transpose(t); }, x, turned), gt::transpose(turned)));
  CHECK(gt::equal(gt::vjp([](const Tensor& t) { return gt::reshape(t, {2, 6}); }, x, flat), gt::reshape(flat, {3, 4})));
  CHECK(gt::equal(gt::vjp([](const Tensor& t) { return gt::contiguous(gt::transpose(t)); }, x, turned),
                  gt::transpose(turned)));
  const Tensor stretched = gt::vjp([](const Tensor& t) { return gt::broadcast_to(t, {3, 4}); }, column[0], x);
  CHECK(stretched == gt::approx(gt::sum(x)));
  const Tensor rows = gt::vjp([](const Tensor& t) { return gt::broadcast_to(t, {3, 4}); }, random({3, 1}), x);
  CHECK(rows == gt::approx(gt::sum(x, {.axes = 1, .keepdims = true})));
}

TEST_CASE("every dtype has views") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean}) {
    const Tensor x = gt::tensor({{1, 0, 1}, {0, 0, 1}}, {.dtype = dtype});
    const Tensor turned = gt::tensor({{1, 0}, {0, 0}, {1, 1}}, {.dtype = dtype});
    CHECK(gt::equal(gt::contiguous(gt::transpose(x)), turned));
    CHECK(gt::equal(gt::reshape(turned, {6}), gt::tensor({1, 0, 0, 0, 1, 1}, {.dtype = dtype})));
    CHECK(gt::broadcast_to(x, {4, 2, 3}).dtype() == dtype);
  }
}
