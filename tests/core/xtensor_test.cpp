#include <gradtape/gradtape.hpp>
#include <gradtape/xtensor.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>
#include <xtensor/xmath.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xview.hpp>

namespace gt = gradtape;

// xtensor 0.24 takes xarray's run-time shape for a compile-time one in C++20; each of these crashed, threw or became
// 4-d without the cure in core/xtensor.hpp.
TEST_CASE("xtensor: immediate evaluation has the right shapes under C++20") {
  const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}}, b{{10, 20, 30}, {40, 50, 60}};
  const std::vector<std::size_t> matrix{2, 3}, row{3}, column{2};
  const auto same_shape = [](const auto& x, const std::vector<std::size_t>& shape) {
    return std::vector<std::size_t>(x.shape().begin(), x.shape().end()) == shape;
  };

  const auto total = xt::sum(a, xt::evaluation_strategy::immediate);
  CHECK(total.dimension() == 0);
  CHECK(total() == 21);
  const auto columns = xt::sum(a, {0}, xt::evaluation_strategy::immediate);
  CHECK(same_shape(columns, row));
  CHECK(columns(2) == 9);
  const auto largest = xt::amax(a, {1}, xt::evaluation_strategy::immediate);
  CHECK(same_shape(largest, column));
  CHECK(largest(1) == 6);
  const auto spread = xt::eval(xt::variance(a, {1}));
  CHECK(same_shape(spread, column));
  CHECK(spread(0) == doctest::Approx(2.0 / 3));
  const auto sum = xt::eval(a + b);
  CHECK(same_shape(sum, matrix));
  CHECK(sum(1, 2) == 66);
  CHECK(std::is_same_v<std::remove_const_t<decltype(xt::eval(a + b))>, xt::xarray<double>>);
  const auto order = xt::argsort(a, 1);
  CHECK(same_shape(order, matrix));
}

TEST_CASE("xtensor: a tensor is a view without a copy") {
  const auto x = gt::tensor({{1., 2., 3.}, {4., 5., 6.}});
  const auto view = gt::as_xt<float>(x);
  CHECK(view.dimension() == 2);
  CHECK(view.shape(1) == 3);
  CHECK(&view(0, 0) == x.array().data<float>());
  CHECK(view(1, 0) == 4);
  CHECK(xt::sum(view)() == 21);
  const auto scalar = gt::tensor(5.), none = gt::zeros({0, 3}), single = gt::tensor({{7.}});
  CHECK(gt::as_xt<float>(scalar)() == 5);
  CHECK(gt::as_xt<float>(none).size() == 0);
  CHECK(gt::as_xt<float>(single)(0, 0) == 7);
}

TEST_CASE("xtensor: a view of another dtype or of strided elements is refused") {
  const auto x = gt::tensor({{1., 2.}, {3., 4.}});
  CHECK_THROWS_WITH_AS(gt::as_xt<double>(x),
                       "as_xt: the tensor is f32, not f64; convert it with .to(gradtape::f64) first", gt::DtypeError);
  const auto t = gt::transpose(x);
  CHECK_THROWS_WITH_AS(
      gt::as_xt<float>(t),
      "as_xt: the tensor is a strided view of shape [2, 2]; make it contiguous with gradtape::contiguous first",
      gt::ShapeError);
}

TEST_CASE("xtensor: an array is a view with its strides, backwards and overlapping ones too") {
  const gt::Tensor x = gt::reshape(gt::arange(12, {.dtype = gt::f64}), {3, 4});
  for (const gt::Tensor& t : {gt::flip(x), gt::flip(x, 0), gt::transpose(gt::flip(x, 1)),
                              gt::unfold(gt::arange(9, {.dtype = gt::f64}), 0, 3, 1)}) {
    const gt::Array from = t.array(), to = gt::Array::make(gt::f64, t.shape());
    const auto in = gt::as_xt<double>(from);
    auto out = gt::as_xt<double>(to);
    xt::noalias(out) = 2 * in + 1;
    CHECK(gt::equal(gt::Tensor(to), 2 * t + 1));
    CHECK(xt::sum(in)() == gt::sum(t).item());
    CHECK(gt::equal(gt::tensor(xt::amax(in, {0})), gt::max(t, {.axes = 0})));
  }
  const gt::Array to = gt::Array::make(gt::f64, {3, 4});
  const gt::Array back = gt::flip(gt::Tensor(to)).array(), from = x.array();
  auto out = gt::as_xt<double>(back);
  xt::noalias(out) = gt::as_xt<double>(from);
  CHECK(gt::equal(gt::Tensor(to), gt::flip(x)));
}

TEST_CASE("xtensor: any expression becomes a tensor") {
  const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
  const auto x = gt::tensor(2 * a + 1);
  CHECK(x.dtype() == gt::f64);
  CHECK(gt::equal(x, gt::tensor({{3., 5., 7.}, {9., 11., 13.}}, {.dtype = gt::f64})));
  CHECK(gt::equal(gt::tensor(xt::transpose(a)), gt::tensor({{1., 4.}, {2., 5.}, {3., 6.}}, {.dtype = gt::f64})));
  CHECK(gt::tensor(xt::view(a, 1, xt::all())).to_vector<double>() == std::vector<double>{4, 5, 6});
  CHECK(gt::tensor(xt::sum(a)).shape() == gt::Shape{});
  CHECK(gt::tensor(xt::sum(a)).item() == 21);

  const xt::xarray<float> f{1.5f};
  CHECK(gt::tensor(f).dtype() == gt::f32);
  CHECK(gt::tensor(a > 3.0).dtype() == gt::boolean);
  CHECK(gt::tensor(a > 3.0).to_vector<bool>() == std::vector<bool>{false, false, false, true, true, true});
  const xt::xarray<int> i{1, -2};
  CHECK(gt::tensor(i).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, -2});
  const xt::xarray<std::int64_t> exact{(std::int64_t{1} << 53) + 1};
  CHECK(gt::tensor(exact).item<std::int64_t>() == (std::int64_t{1} << 53) + 1);
  const xt::xarray<std::uint8_t> bytes{0, 255};
  CHECK(gt::tensor(bytes).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 255});
  const xt::xtensor<float, 2> fixed{{1, 2}, {3, 4}};
  CHECK(gt::equal(gt::tensor(fixed), gt::tensor({{1., 2.}, {3., 4.}})));
  const xt::xarray<double, xt::layout_type::column_major> columns{{1, 2, 3}, {4, 5, 6}};
  CHECK(gt::equal(gt::tensor(columns), gt::tensor(a)));
}

TEST_CASE("xtensor: there and back keeps every element") {
  const auto x = gt::randn({3, 5, 7});
  CHECK(gt::equal(gt::tensor(gt::as_xt<float>(x)), x));
}
