#include <ops/matrices.hpp>

namespace gt = gradtape;
using cases::between, cases::flipped, cases::Grid, cases::message_of, cases::product;

namespace {

// Vectors are determined but for their signs, so what is differentiated must not depend on these: squares of elements,
// or products in which each sign stands twice.
const auto eigenvalues = [](const gt::Tensor& a) { return gt::eigh(a).values; };
const auto eigenvectors = [](const gt::Tensor& a) { return gt::square(gt::eigh(a).vectors); };
const auto matrix_square = [](const gt::Tensor& a) {
  const auto [values, v] = gt::eigh(a);
  return gt::matmul(v * gt::unsqueeze(values * values, -2), gt::transpose(v));
};
const auto left_vectors = [](const gt::Tensor& a) { return gt::square(gt::svd(a).u); };
const auto singular_values = [](const gt::Tensor& a) { return gt::svd(a).s; };
const auto right_vectors = [](const gt::Tensor& a) { return gt::square(gt::svd(a).vt); };
const auto polar_factor = [](const gt::Tensor& a) {
  const auto [u, s, vt] = gt::svd(a);
  return gt::matmul(u, vt);
};
const auto qr_q = [](const gt::Tensor& a) { return gt::qr(a).q; };
const auto qr_r = [](const gt::Tensor& a) { return gt::qr(a).r; };

/// The shape of n x n matrices with the leading axes of `like`.
gt::Shape square_of(gt::Shape like, std::int64_t n) {
  like.set(-1, n);
  like.set(-2, n);
  return like;
}

Grid on_diagonal(const gt::Tensor& x) {
  return Grid(gt::where(cases::spread_diagonal({x.shape()[0], x.shape()[0]}, 0) == 1, x, 0));
}

/// Whether no element along the last axis is larger than the one before.
bool falls(const gt::Tensor& x) {
  const auto n = static_cast<std::size_t>(x.shape()[-1]);
  const std::vector<double> values = cases::doubles(x);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i % n != 0 && values[i] > values[i - 1]) return false;
  return true;
}

const cases::Rows decompositions([]() -> std::vector<cases::Row> {
  const auto zeros = [](const gt::Shape& shape) { return gt::zeros(shape); };
  const auto integers = [](const gt::Shape& shape) { return gt::zeros(shape, {.dtype = gt::i64}); };
  const auto squares = cases::squares(), rectangles = cases::rectangles();
  return {
      {"cholesky",
       cases::calls({cases::at(squares, cases::positive_definite, gt::cholesky),
                     cases::at(squares, cases::positive_definite,
                               [](const gt::Tensor& a) { return gt::cholesky(a, {.upper = true}); })}),
       {{"cholesky: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::cholesky(integers({2, 2}));
         }},
        {"cholesky: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::cholesky(zeros({2, 3}));
         }},
        {"cholesky: the matrix is not positive definite: pivot 1 is -3; all eigenvalues must be positive: add to its "
         "diagonal",
         [] {
           gt::cholesky(gt::tensor({{1., 2.}, {2., 1.}}));
         }},
        {"cholesky: matrix 1 of the batch is not positive definite: pivot 0 is 0; all eigenvalues must be positive: "
         "add to its diagonal",
         [] {
           gt::cholesky(gt::tensor({{{1.}}, {{0.}}}));
         }}}},
      {"qr",
       cases::calls({cases::at(rectangles, cases::regular, qr_q), cases::at(rectangles, cases::regular, qr_r)}),
       {{"qr: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::qr(integers({2, 2}));
         }},
        {"qr: shape [3]; expected matrices […, m, n]", [=] { gt::qr(zeros({3})); }}}},
      {"eigh",
       cases::calls({cases::at(squares, cases::spread, eigenvalues), cases::at(squares, cases::spread, eigenvectors),
                     cases::at(squares, cases::spread, matrix_square)}),
       {{"eigh: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::eigh(integers({2, 2}));
         }},
        {"eigh: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::eigh(zeros({2, 3}));
         }},
        {"eigh: matrix 1 of the batch has an element that is inf; all must be finite",
         [] {
           gt::eigh(gt::tensor({{{1.}}, {{cases::inf}}}));
         }}}},
      {"svd",
       cases::calls(
           {cases::at(rectangles, cases::spread, left_vectors), cases::at(rectangles, cases::spread, singular_values),
            cases::at(rectangles, cases::spread, right_vectors), cases::at(rectangles, cases::spread, polar_factor)}),
       {{"svd: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::svd(integers({2, 2}));
         }},
        {"svd: shape [3]; expected matrices […, m, n]", [=] { gt::svd(zeros({3})); }},
        {"svd: the matrix has an element that is nan; all must be finite",
         [] {
           gt::svd(gt::tensor({{1., cases::nan}}));
         }}}},
  };
});

}  // namespace

TEST_CASE("decompositions: rows") { decompositions.check(); }

TEST_CASE("decompositions: factors of the right form whose product is the matrix") {
  const gt::RandomStream random(81);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const gt::Shape& shape : {gt::Shape{1, 1}, {4, 4}, {7, 3}, {3, 7}, {40, 40}, {2, 3, 6, 4}}) {
      const auto equals = [&](const gt::Tensor& expected) {
        return gt::approx(expected).atol(dtype == gt::f32 ? 1e-4 : 1e-12);
      };
      const auto a = between(-1, 1)(shape).to(dtype);
      const auto one = [&](std::int64_t n) {
        return gt::broadcast_to(gt::eye(n, {.dtype = dtype}), square_of(shape, n));
      };
      const std::int64_t k = std::min(shape[-1], shape[-2]);

      const auto [q, r] = gt::qr(a);
      CHECK(gt::matmul(q, r) == equals(a));
      CHECK(gt::matmul(gt::transpose(q), q) == equals(one(k)));
      CHECK(gt::equal(r, gt::triu(r)));

      const auto [u, s, vt] = gt::svd(a);
      CHECK(gt::matmul(u * gt::unsqueeze(s, -2), vt) == equals(a));
      CHECK(gt::matmul(gt::transpose(u), u) == equals(one(k)));
      CHECK(gt::matmul(vt, gt::transpose(vt)) == equals(one(k)));
      CHECK(falls(s));

      const auto b = gt::matmul(a, gt::transpose(a)) + gt::eye(shape[-2], {.dtype = dtype});
      const auto l = gt::cholesky(b), lt = gt::cholesky(b, {.upper = true});
      CHECK(gt::matmul(l, gt::transpose(l)) == equals(b));
      CHECK(gt::equal(l, gt::tril(l)));
      CHECK(gt::equal(lt, gt::transpose(l)));

      const auto [values, v] = gt::eigh(b);
      CHECK(gt::matmul(v * gt::unsqueeze(values, -2), gt::transpose(v)) == equals(b));
      CHECK(gt::matmul(gt::transpose(v), v) == equals(one(shape[-2])));
      CHECK(falls(-values));
    }
}

TEST_CASE("decompositions: the formulas on paper") {
  const gt::RandomStream random(82);
  const auto f64 = [](const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::f64}); };
  // [[4, 2], [2, 5]] = L·Lᵀ, L = [[2, 0], [1, 2]]: dL of the last element along dA is (dA22 - L21·dA21 + L21²·dA11/4)
  // / 4.
  const auto last = [](const gt::Tensor& a) { return gt::cholesky(a)[1][1]; };
  CHECK(gt::vjp(last, f64({{4., 2.}, {2., 5.}}), f64(1.)) == gt::approx(f64({{0.0625, -0.125}, {-0.125, 0.25}})));
  // An eigenvalue moves by vᵀ·dA·v, a singular one by uᵀ·dA·v.
  const auto a = cases::spread({4, 4}), g = between(-1, 1)({4});
  const auto symmetric = 0.5 * (a + gt::transpose(a));
  const auto [values, v] = gt::eigh(symmetric);
  CHECK(gt::vjp(eigenvalues, a, g) == gt::approx(product(product(Grid(v), on_diagonal(g)), flipped(Grid(v))).tensor()));
  const auto [u, s, vt] = gt::svd(a);
  CHECK(gt::vjp(singular_values, a, g) == gt::approx(product(product(Grid(u), on_diagonal(g)), Grid(vt)).tensor()));
  // Eigenvector i moves by Σ_j v_j·(v_jᵀ·dA·v_i) / (λ_i - λ_j).
  const auto h = between(-1, 1)({4, 4}), direction = between(-1, 1)({4, 4});
  Grid turn(4, 4),
      moved = product(product(flipped(Grid(v)), Grid(0.5 * (direction + gt::transpose(direction)))), Grid(v));
  const std::vector<double> lambda = values.to_vector<double>();
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) turn(j, i) = i == j ? 0 : moved(j, i) / (lambda[i] - lambda[j]);
  const double along = gt::sum(h * product(Grid(v), turn).tensor()).item();
  CHECK(gt::sum(direction * gt::vjp([](const gt::Tensor& x) { return gt::eigh(x).vectors; }, a, h)).item() ==
        doctest::Approx(along));
}

TEST_CASE("decompositions: a symmetric matrix is meant by its symmetric part") {
  const gt::RandomStream random(83);
  const auto a = cases::positive_definite({4, 4}), skew = between(-1, 1)({4, 4}),
             b = a + 0.1 * (skew - gt::transpose(skew));
  CHECK(gt::cholesky(b) == gt::approx(gt::cholesky(a)));
  CHECK(gt::eigh(b).values == gt::approx(gt::eigh(a).values));
  CHECK(gt::gradcheck(gt::cholesky, b));
  CHECK(gt::gradcheck(matrix_square, b));
}

TEST_CASE("decompositions: third derivatives") {
  const gt::RandomStream random(84);
  CHECK(gt::gradcheck(gt::cholesky, cases::positive_definite({3, 3})).order(3));
  CHECK(gt::gradcheck(eigenvalues, cases::spread({3, 3})).order(3));
  CHECK(gt::gradcheck(polar_factor, cases::spread({3, 2})).order(3));
  CHECK(gt::gradcheck(qr_r, cases::regular({3, 2})).order(3));
}

TEST_CASE("decompositions: equal eigenvalues and singular values") {
  const auto f64 = [](const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::f64}); };
  const auto one = gt::eye(3, {.dtype = gt::f64}), ones = gt::ones({3, 3}, {.dtype = gt::f64});
  const auto has_nan = [](const gt::Tensor& x) { return !gt::equal(x, x); };
  // Values, and what is symmetric in them, are differentiable; single vectors are not.
  CHECK(gt::vjp([](const gt::Tensor& a) { return gt::sum(gt::square(gt::eigh(a).values)); }, one, f64(1.)) ==
        gt::approx(2 * one));
  CHECK(gt::vjp([](const gt::Tensor& a) { return gt::sum(gt::svd(a).s); }, one, f64(1.)) == gt::approx(one));
  CHECK(has_nan(gt::vjp([](const gt::Tensor& a) { return gt::eigh(a).vectors; }, one, ones)));
  CHECK(has_nan(gt::vjp([](const gt::Tensor& a) { return gt::svd(a).u; }, one, ones)));
  CHECK_FALSE(has_nan(gt::vjp(singular_values, gt::zeros({3, 2}, {.dtype = gt::f64}), f64({1., 2.}))));
  const auto zero = gt::zeros({2, 2}, {.dtype = gt::f64});
  CHECK(gt::equal(gt::qr(zero).r, zero));
  CHECK(has_nan(gt::vjp(qr_r, zero, gt::ones_like(zero))));
}

TEST_CASE("decompositions: extreme numbers") {
  const auto f64 = [](const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::f64}); };
  for (const double scale : {1e-300, 1e300}) {
    const auto a = scale * f64({{2., 1.}, {1., 2.}});
    CHECK(gt::eigh(a).values / scale == gt::approx(f64({1., 3.})));
    CHECK(gt::svd(a).s / scale == gt::approx(f64({3., 1.})));
    CHECK(gt::abs(gt::qr(a).r / scale) == gt::approx(gt::abs(gt::qr(a / scale).r)));
    CHECK(gt::cholesky(a) / std::sqrt(scale) == gt::approx(gt::cholesky(a / scale)));
  }
  CHECK(message_of<gt::ValueError>([&] {
          return gt::cholesky(f64({{1., cases::nan}, {cases::nan, 2.}}));
        }) ==
        "cholesky: the matrix is not positive definite: pivot 1 is nan; all eigenvalues must be positive: add to its "
        "diagonal");
  CHECK(message_of<gt::ValueError>([] {
          return gt::cholesky(-cases::spread_diagonal({300, 300}, 0));
        }) ==
        "cholesky: the matrix is not positive definite: pivot 0 is -1; all eigenvalues must be positive: add to its "
        "diagonal");
  CHECK(message_of<gt::ValueError>([] {
          return gt::cholesky(
              gt::where(cases::spread_diagonal({300, 300}, 1) == 201, -0.5, cases::spread_diagonal({300, 300}, 1)));
        }) ==
        "cholesky: the matrix is not positive definite: pivot 200 is -0.5; all eigenvalues must be positive: add to "
        "its diagonal");
}
