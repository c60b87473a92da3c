#include <ops/rows.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::inf, cases::integers;
using gt::Tensor;

namespace {

const cases::Rows conversions([]() -> std::vector<cases::Row> {
  return {
      {"one_hot",
       cases::at(cases::shapes(), cases::whole(0, 4), [](const Tensor& x) { return gt::one_hot(x, 4); }),
       {{"one_hot: label 3 at index 1 is no class; expected 0 to 2",
         [] {
           gt::one_hot(integers({0, 3}), 3);
         }},
        {"one_hot: label -1 at index 0 is no class; expected 0 to 2", [] { gt::one_hot(integers({-1}), 3); }},
        {"one_hot: -1 classes; expected at least 0", [] { gt::one_hot(integers({}), -1); }},
        {"one_hot: labels are f32; expected i64", [] { gt::one_hot(gt::zeros({2}), 3); }},
        {"one_hot: the result of shape [1, 1, 1, 1, 1, 1, 1, 1] would have 9 axes; at most 8 are supported",
         [] {
           gt::one_hot(gt::zeros({1, 1, 1, 1, 1, 1, 1, 1}, {.dtype = gt::i64}), 3);
         }}},
       0},
  };
});

}  // namespace

TEST_CASE("conversions: rows") { conversions.check(); }

TEST_CASE("to converts as C++ does between every pair of dtypes") {
  const std::vector<double> values{0, 1, -2.75, 3.999, 16777217, -0.0};
  const Tensor x = cases::vector(values);
  CHECK(x.to(gt::f32).to_vector<float>() == std::vector<float>(values.begin(), values.end()));
  CHECK(x.to(gt::i64).to_vector<std::int64_t>() == std::vector<std::int64_t>(values.begin(), values.end()));
  CHECK(x.to(gt::boolean).to_vector<bool>() == std::vector<bool>(values.begin(), values.end()));
  CHECK(x.to(gt::boolean).to(gt::f64).to_vector<double>() == std::vector<double>{0, 1, 1, 1, 1, 0});
  CHECK(x.to(gt::boolean).to(gt::i64).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 1, 1, 1, 0});
  const Tensor big = gt::tensor({(std::int64_t{1} << 53) + 1, std::int64_t{-3}}, {.dtype = gt::i64});
  CHECK(big.to(gt::f64).to_vector<double>() == std::vector<double>{0x1p53, -3});
  CHECK(big.to(gt::f32).to_vector<float>() == std::vector<float>{0x1p53F, -3});
  const Tensor special = cases::vector({inf, -inf, cases::nan, 1e300, 1e-300});
  CHECK(cases::same_bits(special.to(gt::f32), cases::vector({inf, -inf, cases::nan, inf, 0}, gt::f32)));
  CHECK(special.to(gt::boolean).to_vector<bool>() == std::vector<bool>(5, true));
}

TEST_CASE("to i64 is defined for every number: the nearest it can hold, and 0 for NaN") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  const double below = 0x1p63 - 1024;  // the largest number of f64 that fits
  const std::vector<double> values{inf, -inf, cases::nan, 0x1p63, -0x1p63, below, -1.5e19, 1e300, -0.9, 5e-324, 0x1p62};
  const std::vector<std::int64_t> expected{
      most, least, 0, most, least, most - 1023, least, most, 0, 0, std::int64_t{1} << 62};
  CHECK(cases::vector(values).to(gt::i64).to_vector<std::int64_t>() == expected);
  const Tensor strided = gt::flip(cases::vector({values.rbegin(), values.rend()}));
  CHECK(strided.to(gt::i64).to_vector<std::int64_t>() == expected);
  const Tensor f32 = gt::tensor({inf, -inf, cases::nan, 0x1p63, -0x1p63, 0x1p62});
  CHECK(f32.to(gt::i64).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{most, least, 0, most, least, std::int64_t{1} << 62});
  CHECK(gt::tensor(cases::nan).item<int>() == 0);
  CHECK(gt::tensor(1e10).item<int>() == std::numeric_limits<int>::max());
  CHECK(gt::tensor(-1e10).item<unsigned>() == 0);
}

TEST_CASE("to keeps shapes, reads views, and does nothing where there is nothing to do") {
  for (const gt::Shape& shape : cases::shapes()) CHECK(gt::zeros(shape).to(gt::f64).shape() == shape);
  for (const cases::View& view : cases::views()) {
    CAPTURE(view.name);
    const Tensor x = gt::reshape(gt::arange(view.base.numel()), view.base);
    const std::vector<float> expected = view.of(x).to_vector<float>();
    CHECK(view.of(x).to(gt::f64).to_vector<double>() == std::vector<double>(expected.begin(), expected.end()));
    CHECK(view.of(x).to(gt::i64).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>(expected.begin(), expected.end()));
  }
  const Tensor x = gt::randn({3});
  CHECK(same(x.to(gt::f32).array(), x.array()));
}

TEST_CASE("the gradient of to comes back in the dtype of its input, none through integers") {
  const auto to = [](gt::Dtype dtype) { return [=](const Tensor& x) { return x.to(dtype); }; };
  const Tensor g = cases::vector({0.1, 2, -3});
  CHECK(gt::equal(gt::vjp(to(gt::f64), gt::zeros({3}), g), cases::vector({0.1, 2, -3}, gt::f32)));
  CHECK(gt::equal(gt::vjp(to(gt::f32), gt::zeros({3}, {.dtype = gt::f64}), g.to(gt::f32)), g.to(gt::f32).to(gt::f64)));
  const Tensor w = gt::parameter(gt::ones({2}));
  CHECK_FALSE(w.to(gt::i64).requires_grad());
  CHECK_FALSE(w.to(gt::boolean).requires_grad());
  (gt::sum(w.to(gt::f64) * 3) + gt::sum(w).to(gt::f64)).backward();
  CHECK(gt::equal(w.grad(), gt::full({2}, 4)));
}

TEST_CASE("gradcheck of to") {
  // Through f32 differences would see its rounding: a detour over the same dtype, and the order above on f32 exactly.
  cases::gradcheck_all([](const Tensor& x) { return gt::square(x.to(gt::f64)); }, cases::between(-1, 1));
  const Tensor w = gt::parameter(gt::tensor({1, 2, 3}));
  const auto [first] = gt::grad(gt::sum(gt::square(w.to(gt::f64)) * w.to(gt::f64)), {w}, {.create_graph = true});
  CHECK(gt::equal(first, gt::tensor({3, 12, 27})));
  const auto [second] = gt::grad(gt::sum(first), {w});
  CHECK(gt::equal(second, gt::tensor({6, 12, 18})));
}

TEST_CASE("one_hot makes rows of the identity") {
  CHECK(gt::equal(gt::one_hot(integers({2, 0}), 3), gt::tensor({{0, 0, 1}, {1, 0, 0}})));
  const Tensor grid = gt::reshape(integers({0, 1, 2, 2, 1, 0}), {2, 3}), hot = gt::one_hot(gt::transpose(grid), 4);
  CHECK(hot.shape() == gt::Shape{3, 2, 4});
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 4; ++k) CHECK(hot[{i, j, k}].item() == (grid[{j, i}].item() == k ? 1 : 0));
  CHECK(gt::equal(gt::one_hot(gt::tensor(1, {.dtype = gt::i64}), 2), gt::tensor({0, 1})));
  CHECK(gt::one_hot(integers({}), 3).shape() == gt::Shape{0, 3});
  CHECK(gt::one_hot(integers({}), 0).shape() == gt::Shape{0, 0});
  const gt::DefaultDtype all_f64(gt::f64);
  CHECK(gt::one_hot(integers({0}), 1).dtype() == gt::f64);
}
