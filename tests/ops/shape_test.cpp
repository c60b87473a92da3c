#include "ops/cases.hpp"
#include "ops/tensors.hpp"

namespace gt = gradtape;
using cases::message_of, cases::random;
using gt::Slice, gt::Tensor;

namespace {

/// 0, 1, 2, … in row-major order.
Tensor counting(const gt::Shape& shape) {
  return gt::reshape(gt::arange(static_cast<double>(shape.numel()), {.dtype = gt::f64}), shape);
}

using Index = std::vector<std::int64_t>;

/// The element at `index`, read through strides by hand.
double at(const Tensor& x, const Index& index) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis) offset += index[axis] * x.array().strides()[axis];
  return x.array().data<double>()[offset];
}

/// Calls `f` with every index of `shape`.
template <class F>
void for_each_index(const gt::Shape& shape, F f) {
  Index index(static_cast<std::size_t>(shape.rank()));
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    std::int64_t rest = i;
    for (int axis = shape.rank() - 1; axis >= 0; rest /= shape[axis--])
      index[static_cast<std::size_t>(axis)] = rest % shape[axis];
    f(index);
  }
}

/// Whether `view` starts among the elements that `base` reaches.
bool shares_data(const Tensor& view, const Tensor& base) {
  std::int64_t reach = 0;
  for (int axis = 0; axis < base.rank(); ++axis)
    reach += (base.shape()[axis] - 1) * base.array().strides()[static_cast<std::size_t>(axis)];
  const std::byte* from = base.array().data();
  return view.array().data() >= from &&
         view.array().data() <= from + static_cast<std::size_t>(reach) * gt::size_of(base.dtype());
}

}  // namespace

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
  const Tensor put = gt::vjp([](const Tensor& t) { return t[{Slice{}, 2}]; }, x, column);
  for_each_index(x.shape(), [&](const Index& i) { CHECK(at(put, i) == (i[1] == 2 ? at(column, {i[0]}) : 0)); });
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

TEST_CASE("gradcheck of views") {
  for (const gt::Shape& shape : {gt::Shape{3, 4}, {1, 1}, {2, 3, 5}, {37, 2}, {3, 0}, {0, 3}}) {
    CAPTURE(gt::to_string(shape));
    const gt::Shape doubled = [&] {
      gt::Shape s = shape;
      s.set(0, 2 * shape[0]);
      return s;
    }();
    CHECK(gt::gradcheck(gt::transpose, random(shape)));
    CHECK(gt::gradcheck([](const Tensor& x) { return gt::square(gt::transpose(x, {0, -1})); }, random(shape)));
    CHECK(gt::gradcheck([](const Tensor& x) { return gt::square(gt::contiguous(gt::transpose(x))); }, random(shape)));
    CHECK(gt::gradcheck([&](const Tensor& x) { return gt::reshape(gt::square(x), {shape.numel()}); }, random(shape)));
    CHECK(gt::gradcheck(
        [&](const Tensor& x) {
          return gt::square(gt::reshape(gt::transpose(x), {shape.numel(), 1}));
        },
        random(shape)));
    CHECK(gt::gradcheck(gt::slice, random(shape)));
    CHECK(gt::gradcheck([](const Tensor& x) { return gt::square(gt::slice(x, {.axis = -1, .begin = 1})); },
                        random(shape)));
    CHECK(gt::gradcheck(
        [](const Tensor& x) {
          return gt::square(x[Slice{1}]) * 3 + gt::square(x[{Slice{0, -1}}]);
        },
        random(doubled)));
  }
  for (const auto& [from, to] : cases::broadcasts()) {
    const gt::Shape shape = gt::broadcast("test", from, to);
    CHECK(gt::gradcheck([&](const Tensor& x) { return gt::square(gt::broadcast_to(x, shape)); }, random(to)));
  }
  CHECK(gt::gradcheck([](const Tensor& x) { return gt::square(gt::reshape(x, {1})); }, random({})));
  CHECK(gt::gradcheck(
      [](const Tensor& x) {
        return x[{Slice{}, 1, Slice{1, 4}}] * x[{1, Slice{0, 2}, -1}][0];
      },
      random({2, 3, 5})));
}

TEST_CASE("views say what does not fit") {
  const Tensor x = gt::zeros({3, 4});
  const auto shape = [](auto f) { return message_of<gt::ShapeError>(f); };
  const auto index = [](auto f) { return message_of<gt::IndexError>(f); };
  CHECK(shape([] { return gt::transpose(gt::zeros({3})); }) ==
        "transpose: shape [3] has fewer than two axes; reshape it to a row or column first");
  CHECK(shape([&] { return gt::transpose(x, {0, 2}); }) == "transpose: axis 2 is out of range for rank 2; use -2 to 1");
  CHECK(shape([&] {
          return gt::reshape(x, {5, 2});
        }) == "reshape: [3, 4] has 12 elements, [5, 2] has 10; they must be as many");
  CHECK(shape([&] {
          return gt::reshape(x, {5, -1});
        }) == "reshape: [3, 4] has 12 elements, which [5, -1] does not divide");
  CHECK(shape([&] {
          return gt::reshape(x, {-1, 0});
        }) == "reshape: [3, 4] has 12 elements, which [-1, 0] does not divide");
  CHECK(shape([&] { return gt::reshape(x, {-1, -1}); }) == "reshape: only one dimension can be -1");
  CHECK(shape([&] {
          return gt::reshape(x, {-2, -6});
        }) == "shape: [-2, -6] has a negative dimension; every dimension must be >= 0");
  CHECK(shape([&] {
          return gt::broadcast_to(x, {3, 5});
        }) ==
        "broadcast_to: shapes [3, 4] and [3, 5] do not broadcast: axis -1 has 4 against 5; sizes must be equal or 1");
  CHECK(shape([&] {
          return gt::broadcast_to(x, {3, 1});
        }) == "broadcast_to: [3, 4] does not stretch to [3, 1]; only axes of 1 and missing leading axes do");
  CHECK(shape([&] { return gt::broadcast_to(x, {4}); }) ==
        "broadcast_to: [3, 4] does not stretch to [4]; only axes of 1 and missing leading axes do");
  CHECK(shape([&] { return gt::slice(x, {.axis = 2}); }) == "slice: axis 2 is out of range for rank 2; use -2 to 1");
  CHECK(shape([] { return gt::slice(gt::zeros({})); }) == "slice: axis 0 of a scalar; a scalar has no axes");
  CHECK(index([&] { return x[{1, 4}]; }) == "index: 4 is outside axis 1 of shape [3, 4]");
  CHECK(index([&] { return x[-4]; }) == "index: -4 is outside axis 0 of shape [3, 4]");
  CHECK(index([&] { return x[{1, 2, 3}]; }) == "index: 3 indices for shape [3, 4], which has 2 axes");
}

TEST_CASE("a view of more elements than can be counted is refused") {
  const std::int64_t big = std::int64_t{1} << 32;
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::reshape(gt::zeros({0}), {big, big});
        }) == "reshape: [4294967296, 4294967296] has more elements than can be counted");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::reshape(gt::zeros({3}), {big, big, -1});
        }) == "reshape: [3] has 3 elements, which [4294967296, 4294967296, -1] does not divide");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::broadcast_to(gt::zeros({1, 1}), {big, big});
        }) == "broadcast_to: [4294967296, 4294967296] has more elements than can be counted");
  CHECK(gt::reshape(gt::zeros({0}), {big, big, 0}).numel() == 0);
}
