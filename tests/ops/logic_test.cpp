#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::inf, cases::vector;

namespace {

gt::Tensor flags(std::initializer_list<gt::Literal> values) {
  return gt::tensor(gt::Literal(values), {.dtype = gt::boolean});
}

gt::Tensor coin(const gt::Shape& shape) { return gt::uniform(shape) < 0.5; }

template <class F>
cases::Row logical(const std::string& op, F f) {
  return {op,
          cases::binary(f, coin, coin),
          {{op + ": input 0 must be boolean, not f32; compare it with something first",
            [f] { f(gt::zeros({2}), gt::zeros({2})); }},
           {op + ": input 1 must be boolean, not i64; compare it with something first",
            [f] { f(cases::booleans({2}), cases::integers({2})); }},
           {op + ": shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1",
            [f] { f(cases::booleans({2}), cases::booleans({3})); }}},
          0};
}

const cases::Rows logic([]() -> std::vector<cases::Row> {
  const auto any = cases::between(-2, 2);
  // They take every dtype; what is left is a tensor without a value.
  const auto empty = [](const std::string& op, auto f) {
    return std::vector<cases::Misuse>{
        {op + ": this Tensor is empty (default-constructed or moved from); give it a value first",
         [f] { f(gt::Tensor()); }}};
  };
  return {
      {"isnan", cases::unary(gt::isnan, any), empty("isnan", gt::isnan), 0},
      {"isinf", cases::unary(gt::isinf, any), empty("isinf", gt::isinf), 0},
      {"isfinite", cases::unary(gt::isfinite, any), empty("isfinite", gt::isfinite), 0},
      cases::floating("nan_to_num", gt::nan_to_num, any),
      logical("logical_and", gt::logical_and),
      logical("logical_or", gt::logical_or),
      logical("logical_xor", gt::logical_xor),
      {"logical_not",
       cases::unary(gt::logical_not, coin),
       {{"logical_not: input 0 must be boolean, not f64; compare it with something first",
         [] { gt::logical_not(gt::zeros({2}, {.dtype = gt::f64})); }}},
       0},
  };
});

}  // namespace

TEST_CASE("logic: rows") { logic.check(); }

TEST_CASE("logic: what kind of number an element is in every dtype") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({0.0, -0.0, 1, -1e30, 1e-40, inf, -inf, cases::nan, -cases::nan}, dtype);
    CHECK(gt::equal(gt::isnan(x), flags({false, false, false, false, false, false, false, true, true})));
    CHECK(gt::equal(gt::isinf(x), flags({false, false, false, false, false, true, true, false, false})));
    CHECK(gt::equal(gt::isfinite(x), flags({true, true, true, true, true, false, false, false, false})));
    CHECK_FALSE(gt::isnan(gt::parameter(x)).requires_grad());
  }
  const auto n = gt::tensor({std::numeric_limits<std::int64_t>::min(), 0L, std::numeric_limits<std::int64_t>::max()},
                            {.dtype = gt::i64});
  for (const auto& x : {n, flags({true, false, true})}) {
    CHECK(gt::equal(gt::isnan(x), flags({false, false, false})));
    CHECK(gt::equal(gt::isinf(x), flags({false, false, false})));
    CHECK(gt::equal(gt::isfinite(x), flags({true, true, true})));
  }
}

TEST_CASE("logic: truth tables and broadcasting") {
  const auto p = flags({true, true, false, false}), q = flags({true, false, true, false});
  CHECK(gt::equal(gt::logical_and(p, q), flags({true, false, false, false})));
  CHECK(gt::equal(gt::logical_or(p, q), flags({true, true, true, false})));
  CHECK(gt::equal(gt::logical_xor(p, q), flags({false, true, true, false})));
  CHECK(gt::equal(gt::logical_not(p), flags({false, false, true, true})));
  const gt::RandomStream random(71);
  for (const auto& [left, right] : cases::broadcasts()) {
    const auto a = coin(left), b = coin(right), y = gt::logical_xor(a, b);
    const auto av = a.to_vector<bool>(), bv = b.to_vector<bool>(), actual = y.to_vector<bool>();
    bool same = true;
    for (std::int64_t i = 0; i < y.numel(); ++i)
      same = same && actual[static_cast<std::size_t>(i)] ==
                         (av[cases::source(i, y.shape(), left)] != bv[cases::source(i, y.shape(), right)]);
    CHECK(same);
  }
}

TEST_CASE("nan_to_num: every replacement, and a gradient of 0 there") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto x = vector({1.5, cases::nan, inf, -inf, -2}, dtype), g = vector({3, 4, 5, 6, 7}, dtype);
    const double most = dtype == gt::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    CHECK(gt::equal(gt::nan_to_num(x), vector({1.5, 0, most, -most, -2}, dtype)));
    CHECK(gt::equal(gt::nan_to_num(x, {.nan = 9, .posinf = 8, .neginf = 7}), vector({1.5, 9, 8, 7, -2}, dtype)));
    CHECK(gt::equal(gt::vjp(gt::nan_to_num, x, g), vector({3, 0, 0, 0, 7}, dtype)));
    const auto ends = vector({most, -most}, dtype);
    CHECK(gt::equal(gt::nan_to_num(ends, {.posinf = 1, .neginf = 2}), ends));
  }
}
