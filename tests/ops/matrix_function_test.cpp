#include <ops/matrices.hpp>

namespace gt = gradtape;
using cases::between, cases::Grid, cases::product, cases::regular;

namespace {

/// Σ aᵏ/k! of a matrix with a norm of about 1, in plain loops.
Grid exp_series(const Grid& a) {
  Grid sum(cases::spread_diagonal({a.rows, a.rows}, 0)), term = sum;
  for (int k = 1; k < 30; ++k) {
    term = product(term, a);
    for (std::size_t i = 0; i < sum.x.size(); ++i) sum.x[i] += term.x[i] /= k;
  }
  return sum;
}

const cases::Rows matrix_functions([]() -> std::vector<cases::Row> {
  const auto any = between(-1, 1);
  const auto zeros = [](const gt::Shape& shape) { return gt::zeros(shape); };
  const auto integers = [](const gt::Shape& shape) { return gt::zeros(shape, {.dtype = gt::i64}); };
  const auto power = [](std::int64_t n) { return [=](const gt::Tensor& a) { return gt::matrix_power(a, n); }; };
  std::vector<cases::Call> powers;
  for (const std::int64_t n : {-3, -1, 0, 1, 2, 5})
    for (cases::Call& call : cases::at(cases::squares(), n < 0 ? cases::Sampler(regular) : any, power(n)))
      powers.push_back(std::move(call));
  return {
      {"trace",
       cases::at(cases::rectangles(), any, gt::trace),
       {{"trace: shape [3]; expected matrices […, m, n]", [=] { gt::trace(zeros({3})); }},
        {"trace: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::trace(integers({2, 2}));
         }}}},
      {"matrix_power",
       powers,
       {{"matrix_power: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::matrix_power(zeros({2, 3}), 2);
         }},
        {"inv: the matrix is singular: pivot 0 is 0; pinv takes such a matrix",
         [=] {
           gt::matrix_power(zeros({2, 2}), -1);
         }}}},
      {"matrix_exp",
       cases::calls({cases::at(cases::squares(), any, gt::matrix_exp),
                     cases::at({{3, 3}, {3, 2, 2}}, between(-9, 9), gt::matrix_exp)}),
       {{"matrix_exp: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::matrix_exp(zeros({2, 3}));
         }},
        {"matrix_exp: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::matrix_exp(integers({2, 2}));
         }}}},
  };
});

}  // namespace

TEST_CASE("matrix functions: rows") { matrix_functions.check(); }

TEST_CASE("trace and matrix_power against plain loops") {
  const gt::RandomStream random(91);
  const auto a = between(-1, 1)({2, 3, 5});
  const std::vector<double> x = a.to_vector<double>();
  CHECK(gt::trace(a) == gt::approx(cases::vector({x[0] + x[6] + x[12], x[15] + x[21] + x[27]})));
  CHECK(gt::equal(gt::trace(gt::zeros({2, 0, 3})), gt::zeros({2})));
  const auto b = 0.25 * regular({4, 4});
  Grid power(cases::spread_diagonal({4, 4}, 0));
  for (std::int64_t n = 0; n < 20; ++n) {
    CHECK(gt::matrix_power(b, n) == gt::approx(power.tensor()));
    CHECK(gt::matmul(gt::matrix_power(b, -n), power.tensor()) ==
          gt::approx(cases::spread_diagonal({4, 4}, 0)).atol(1e-6));
    power = product(power, Grid(b));
  }
  const auto minus = gt::tensor({{-1., 0.}, {0., 1.}});
  CHECK(gt::equal(gt::matrix_power(minus, std::numeric_limits<std::int64_t>::max()), minus));
  CHECK(gt::equal(gt::matrix_power(minus, std::numeric_limits<std::int64_t>::min()), gt::matmul(minus, minus)));
}

TEST_CASE("matrix_exp against its series") {
  const gt::RandomStream random(92);
  const auto a = between(-0.5, 0.5)({4, 4});
  Grid expected = exp_series(Grid(a));
  for (int doublings = 0; doublings < 7; ++doublings) {
    const double scale = std::exp2(doublings);
    CHECK(gt::matrix_exp(scale * a) == gt::approx(expected.tensor()).rtol(1e-12 * scale));
    CHECK(gt::matrix_exp((scale * a).to(gt::f32)) ==
          gt::approx(expected.tensor().to(gt::f32)).rtol(1e-5 * scale).atol(1e-5));
    expected = product(expected, expected);
  }
  // Each matrix of a batch is scaled by itself.
  const auto batch = gt::where(gt::reshape(gt::arange(3), {3, 1, 1}) == 1, 100 * a, a);
  CHECK(gt::matrix_exp(batch)[0] == gt::approx(gt::matrix_exp(a)).rtol(1e-15));
  CHECK(gt::matrix_exp(batch)[1] == gt::approx(gt::matrix_exp(100 * a)).rtol(1e-15));
}

TEST_CASE("matrix_exp: the derivative along E is a block of exp [[A, E], [0, A]]") {
  const gt::RandomStream random(93);
  for (const double scale : {0.1, 1.0, 10.0}) {
    const auto a = scale * between(-1, 1)({3, 3}), e = between(-1, 1)({3, 3}), g = between(-1, 1)({3, 3});
    const auto block =
        gt::concatenate({gt::concatenate({a, e}, {.axis = 1}), gt::concatenate({0 * a, a}, {.axis = 1})}, {.axis = 0});
    const auto along = gt::matrix_exp(block)[{gt::Slice{0, 3}, gt::Slice{3, 6}}];
    CHECK(gt::sum(e * gt::vjp(gt::matrix_exp, a, g)).item() ==
          doctest::Approx(gt::sum(g * along).item()).epsilon(1e-10));
  }
  CHECK(gt::gradcheck(gt::matrix_exp, between(-1, 1)({3, 3})).order(3));
}

TEST_CASE("matrix_exp: extreme numbers") {
  const auto f64 = [](const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::f64}); };
  CHECK(gt::equal(gt::matrix_exp(f64({{1000., 0.}, {0., -1000.}})), f64({{cases::inf, 0.}, {0., 0.}})));
  CHECK(gt::matrix_exp(f64({{0., 1e6}, {0., 0.}})) == gt::approx(f64({{1., 1e6}, {0., 1.}})));
  const auto y =
      gt::matrix_exp(f64({{{cases::nan, 0.}, {0., 0.}}, {{cases::inf, 0.}, {0., 0.}}, {{0., 0.}, {0., 0.}}}));
  CHECK(std::isnan(y[0][0][0].item()));
  CHECK(std::isnan(y[1][0][0].item()));
  CHECK(y[2] == gt::approx(f64({{1., 0.}, {0., 1.}})));
}
