#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::Index, cases::integers, cases::random;
using gt::MeshIndexing, gt::Tensor;

namespace {

constexpr gt::Dtype every_dtype[] = {gt::f32, gt::f64, gt::i64, gt::boolean};

/// Calls of a function of a shape.
template <class F>
std::vector<cases::Call> of_shapes(F f) {
  std::vector<cases::Call> out;
  for (const gt::Shape& shape : cases::shapes())
    out.push_back(cases::made(gt::to_string(shape), [=] { return f(shape); }));
  return out;
}

std::vector<cases::Call> grids(const gt::MeshgridOptions& options, const gt::Shape& a, const gt::Shape& b) {
  const auto any = cases::between(-1, 1);
  std::vector<cases::Call> out;
  for (const std::size_t i : {0, 1})
    for (cases::Call& call : cases::on({{a, any}, {b, any}}, [=](const Tensor& x, const Tensor& y) {
           return gt::meshgrid({x, y}, options)[i];
         }))
      out.push_back(std::move(call));
  return out;
}

const cases::Rows creations([]() -> std::vector<cases::Row> {
  const auto any = cases::between(-1, 1);
  const std::vector<cases::Misuse> negative_shape{
      {"shape: [2, -1] has a negative dimension; every dimension must be >= 0",
       [] {
         gt::zeros({2, -1});
       }},
      {"array: shape [1099511627776, 1000] of f32 is larger than any memory", [] {
         gt::ones({std::int64_t{1} << 40, 1000});
       }}};
  const std::vector<cases::Misuse> empty_tensor{
      {"this Tensor is empty (default-constructed or moved from); give it a value first",
       [] { gt::zeros_like(Tensor()); }}};
  return {
      {"zeros", of_shapes([](const gt::Shape& s) { return gt::zeros(s); }), negative_shape, 0},
      {"ones", of_shapes([](const gt::Shape& s) { return gt::ones(s); }), negative_shape, 0},
      {"full", of_shapes([](const gt::Shape& s) { return gt::full(s, 7); }), negative_shape, 0},
      {"zeros_like", cases::at(cases::shapes(), any, gt::zeros_like), empty_tensor, 0},
      {"ones_like", cases::at(cases::shapes(), any, gt::ones_like), empty_tensor, 0},
      {"full_like", cases::at(cases::shapes(), any, [](const Tensor& x) { return gt::full_like(x, 7); }), empty_tensor,
       0},
      {"arange",
       {cases::made("[0]", [] { return gt::arange(0); }), cases::made("[5]", [] { return gt::arange(5); })},
       {{"arange: from 0 to 5 by 0 never ends", [] { gt::arange(5, {.step = 0}); }},
        {"arange: from 0 to inf by 1 never ends", [] { gt::arange(cases::inf); }},
        {"arange: from 0 to nan by 1 never ends", [] { gt::arange(cases::nan); }}},
       0,
       false,
       true},
      {"linspace",
       {cases::made("[0]", [] { return gt::linspace(0, 1, 0); }),
        cases::made("[5]", [] { return gt::linspace(0, 1, 5); })},
       {{"linspace: -1 numbers; expected at least 0", [] { gt::linspace(0, 1, -1); }},
        {"linspace: no meaning for i64; convert with .to(gradtape::f32)",
         [] { gt::linspace(0, 1, 3, {.dtype = gt::i64}); }}},
       0,
       false,
       true},
      {"meshgrid",
       cases::calls({grids({}, {3}, {4}), grids({.indexing = MeshIndexing::xy}, {3}, {4}), grids({}, {0}, {4})}),
       {{"meshgrid: axis 1 has shape [1, 2]; expected a vector",
         [] {
           gt::meshgrid({gt::ones({3}), gt::ones({1, 2})});
         }},
        {"meshgrid: 9 axes; at most 8 are supported", [] { gt::meshgrid(std::vector<Tensor>(9, gt::ones({1}))); }}},
       2,
       false,
       true},
  };
});

}  // namespace

TEST_CASE("creating: rows") { creations.check(); }

TEST_CASE("zeros, ones and full in every dtype and shape") {
  for (const gt::Dtype dtype : every_dtype)
    for (const gt::Shape& shape : cases::shapes()) {
      const auto all = [&](const Tensor& x, double value) {
        CHECK(x.shape() == shape);
        CHECK(x.dtype() == dtype);
        CHECK(cases::doubles(x) == std::vector<double>(static_cast<std::size_t>(shape.numel()), value));
      };
      const Tensor x = gt::full(shape, 1, {.dtype = dtype});
      all(x, 1);
      all(gt::zeros(shape, {.dtype = dtype}), 0);
      all(gt::ones(shape, {.dtype = dtype}), 1);
      all(gt::zeros_like(x), 0);
      all(gt::ones_like(gt::zeros_like(x)), 1);
      all(gt::full_like(x, 7), dtype == gt::boolean ? 1 : 7);
    }
  CHECK(gt::full({2}, 0.1).to_vector<float>() == std::vector<float>(2, 0.1F));
  CHECK(gt::zeros_like(gt::transpose(gt::ones({2, 3}))).array().packed());
  CHECK_FALSE(gt::ones_like(gt::parameter(gt::zeros({2}))).requires_grad());
}

TEST_CASE("the default dtype is that of whoever does not ask for one") {
  CHECK(gt::zeros({}).dtype() == gt::f32);
  const gt::DefaultDtype all_f64(gt::f64);
  for (const Tensor& x : {gt::zeros({}), gt::ones({}), gt::full({}, 2), gt::arange(3), gt::uniform({}), gt::randn({})})
    CHECK(x.dtype() == gt::f64);
  CHECK(gt::zeros({}, {.dtype = gt::f32}).dtype() == gt::f32);
}

TEST_CASE("arange ends below its end") {
  const auto list = [](double end, const gt::ArangeOptions& options) {
    return cases::doubles(gt::arange(end, options));
  };
  using Doubles = std::vector<double>;
  CHECK(list(4, {}) == Doubles{0, 1, 2, 3});
  CHECK(list(3.5, {.start = 1}) == Doubles{1, 2, 3});
  CHECK(list(1, {.step = 0.25, .dtype = gt::f64}) == Doubles{0, 0.25, 0.5, 0.75});
  CHECK(list(-1, {.start = 3, .step = -2}) == Doubles{3, 1});
  CHECK(list(0, {}).empty());
  CHECK(list(-5, {}).empty());
  CHECK(gt::arange(5, {.start = 2, .dtype = gt::i64}).to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 3, 4});
  CHECK(gt::arange(2e19, {.start = 1e19, .step = 5e18, .dtype = gt::i64}).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>(2, std::numeric_limits<std::int64_t>::max()));  // the nearest there is
}

TEST_CASE("linspace meets both ends") {
  CHECK(gt::linspace(0, 1, 5).to_vector<float>() == std::vector<float>{0, 0.25F, 0.5F, 0.75F, 1});
  CHECK(gt::linspace(3, -1, 3).to_vector<float>() == std::vector<float>{3, 1, -1});
  CHECK(gt::linspace(2, 5, 1).to_vector<float>() == std::vector<float>{2});
  CHECK(gt::linspace(2, 5, 0).numel() == 0);
  for (const std::int64_t n : {2, 3, 10, 1001}) {
    const std::vector<double> x = gt::linspace(0.1, 0.7, n, {.dtype = gt::f64}).to_vector<double>();
    CHECK(x.front() == 0.1);
    CHECK(x.back() == 0.7);
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(x[i] == doctest::Approx(0.1 + 0.6 * static_cast<double>(i) / static_cast<double>(n - 1)).epsilon(1e-15));
  }
}

TEST_CASE("meshgrid gives the coordinates of a grid as views") {
  const Tensor x = random({3}), y = random({4}), z = random({2});
  const auto ij = gt::meshgrid({x, y, z}), xy = gt::meshgrid({x, y, z}, {.indexing = MeshIndexing::xy});
  CHECK(gt::equal(ij[0], by_index({3, 4, 2}, [&](const Index& i) { return at(x, {i[0]}); })));
  CHECK(gt::equal(ij[1], by_index({3, 4, 2}, [&](const Index& i) { return at(y, {i[1]}); })));
  CHECK(gt::equal(ij[2], by_index({3, 4, 2}, [&](const Index& i) { return at(z, {i[2]}); })));
  CHECK(gt::equal(xy[0], by_index({4, 3, 2}, [&](const Index& i) { return at(x, {i[1]}); })));
  CHECK(gt::equal(xy[1], by_index({4, 3, 2}, [&](const Index& i) { return at(y, {i[0]}); })));
  CHECK(gt::equal(xy[2], by_index({4, 3, 2}, [&](const Index& i) { return at(z, {i[2]}); })));
  CHECK(cases::shares_data(ij[1], y));
  CHECK(gt::equal(gt::meshgrid({x}, {.indexing = MeshIndexing::xy})[0], x));
  CHECK(gt::meshgrid({}).empty());
}

TEST_CASE("what an integer tensor cannot hold becomes the nearest it can") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  const auto whole = [](double value) { return gt::full({}, value, {.dtype = gt::i64}).item<std::int64_t>(); };
  CHECK(whole(1e300) == most);
  CHECK(whole(-cases::inf) == least);
  CHECK(whole(cases::nan) == 0);
  CHECK(gt::tensor(1e300, {.dtype = gt::i64}).item<std::int64_t>() == most);
}
