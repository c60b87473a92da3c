#include <gradtape/xtensor.hpp>

#include "ops/cases.hpp"
#include "ops/tensors.hpp"
#include <xtensor/xindex_view.hpp>
#include <xtensor/xview.hpp>

namespace gt = gradtape;
using cases::message_of, cases::random, cases::integers;
using gt::Slice, gt::Tensor;

namespace {

auto take_of(const std::vector<std::int64_t>& rows) {
  return [=](const Tensor& x) { return gt::take(x, integers(rows)); };
}

}  // namespace

TEST_CASE("take picks rows of tensors of any rank and dtype") {
  const Tensor x = random({5, 3});
  const xt::xarray<double> expected = xt::view(gt::as_xt<double>(x), xt::keep(4, 0, 0, 2), xt::all());
  CHECK(gt::equal(take_of({4, 0, 0, 2})(x), gt::tensor(expected)));
  CHECK(take_of({2, 1})(gt::arange(3)).to_vector<float>() == std::vector<float>{2, 1});
  CHECK(take_of({1, 1, 0})(gt::tensor({7, 9}, {.dtype = gt::i64})).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{9, 9, 7});
  CHECK(take_of({1, 0})(gt::tensor({true, false}, {.dtype = gt::boolean})).to_vector<bool>() ==
        std::vector<bool>{false, true});
  const Tensor deep = random({4, 2, 3});
  CHECK(gt::equal(take_of({3})(deep)[0], deep[3]));
}

TEST_CASE("take of strided tensors and rows") {
  const Tensor x = random({5, 3}), rows = gt::tensor({{0, 9}, {2, 9}, {1, 9}}, {.dtype = gt::i64})[{Slice{}, 0}];
  CHECK(gt::equal(gt::take(gt::transpose(x), rows)[1], x[{Slice{}, 2}]));
  CHECK(gt::equal(gt::take(x[{Slice{1}, Slice{1}}], rows)[2], x[{2, Slice{1}}]));
  CHECK(gt::equal(gt::take(gt::broadcast_to(gt::arange(3), {4, 3}), rows), gt::broadcast_to(gt::arange(3), {3, 3})));
}

TEST_CASE("take of nothing and from rows without elements") {
  CHECK(take_of({})(random({5, 3})).shape() == gt::Shape{0, 3});
  CHECK(take_of({})(random({0, 3})).shape() == gt::Shape{0, 3});
  CHECK(take_of({1, 1})(random({5, 0})).shape() == gt::Shape{2, 0});
}

TEST_CASE("the gradient of take adds up where a row is taken twice") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const Tensor x = random({4, 2}, dtype), g = gt::tensor({{1, 2}, {3, 4}, {5, 6}}, {.dtype = dtype});
    CHECK(gt::equal(gt::vjp(take_of({2, 0, 2}), x, g), gt::tensor({{3, 4}, {0, 0}, {6, 8}, {0, 0}}, {.dtype = dtype})));
    const Tensor w = gt::parameter(x);  // into a gradient that is there already
    (gt::sum(take_of({1})(w)) + gt::sum(take_of({1, 3})(w)) * 10 + gt::sum(w) * 100).backward();
    CHECK(gt::equal(w.grad(), gt::tensor({{100, 100}, {111, 111}, {100, 100}, {110, 110}}, {.dtype = dtype})));
  }
}

TEST_CASE("gradcheck of take") {
  for (const gt::Shape& shape : {gt::Shape{3}, {3, 4}, {3, 2, 5}, {3, 37}, {3, 1}, {3, 0}}) {
    CAPTURE(gt::to_string(shape));
    CHECK(gt::gradcheck(gt::take, {random(shape), integers({2, 0, 2, 1})}));
    CHECK(gt::gradcheck([](const Tensor& x) { return gt::square(take_of({1, 1})(x)); }, random(shape)));
    CHECK(gt::gradcheck(take_of({}), random(shape)));
  }
  CHECK(gt::gradcheck(
      [](const Tensor& x) {
        return gt::square(take_of({3, 0, 3})(gt::transpose(x)));
      },
      random({3, 4})));
  CHECK(gt::gradcheck(
      [](const Tensor& x) {
        return gt::square(take_of({0, 2})(x[{Slice{1}, Slice{1, 3}}]));
      },
      random({4, 5})));
}

TEST_CASE("take names the row, dtype or shape that is wrong") {
  const Tensor x = gt::zeros({5, 3});
  const auto shape = [](const Tensor& from, const Tensor& rows) {
    return message_of<gt::ShapeError>([&] { return gt::take(from, rows); });
  };
  CHECK(message_of<gt::IndexError>([&] {
          return take_of({0, 5})(x);
        }) == "take: row 5 at index 1 is outside of x, which has 5 rows");
  CHECK(message_of<gt::IndexError>([&] { return take_of({-1})(x); }) ==
        "take: row -1 at index 0 is outside of x, which has 5 rows");
  CHECK(message_of<gt::IndexError>([] {
          return take_of({0})(gt::zeros({0, 3}));
        }) == "take: row 0 at index 0 is outside of x, which has 0 rows");
  CHECK(message_of<gt::DtypeError>([&] { return gt::take(x, gt::zeros({2})); }) == "take: rows are f32; expected i64");
  CHECK(shape(x, gt::zeros({2, 1}, {.dtype = gt::i64})) ==
        "take: x [5, 3] and rows [2, 1] do not fit; expected x [n, …] and rows [m]");
  CHECK(shape(gt::zeros({}), integers({0})) == "take: x [] and rows [1] do not fit; expected x [n, …] and rows [m]");
}
