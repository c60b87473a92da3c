#include <ops/matrices.hpp>

namespace gt = gradtape;
using cases::between, cases::eliminate, cases::flipped, cases::Grid, cases::message_of, cases::product, cases::regular;

namespace {

gt::Tensor identity(std::int64_t n) { return cases::spread_diagonal({n, n}, 0); }
gt::Tensor ones(const gt::Shape& shape) { return gt::ones(shape, {.dtype = gt::f64}); }

/// The rows of systems: a function of a and b at shapes of which every sort has one.
template <class F>
std::vector<cases::Call> systems(F f) {
  const cases::Sampler any = between(-1, 1);
  return cases::calls(
      {cases::on({{{3, 3}, regular}, {{3, 2}, any}}, f), cases::on({{{3, 3}, regular}, {{3}, any}}, f),
       cases::on({{{1, 1}, regular}, {{1, 1}, any}}, f), cases::on({{{0, 0}, regular}, {{0, 2}, any}}, f),
       cases::on({{{2, 2}, regular}, {{2, 0}, any}}, f), cases::on({{{2, 3, 3}, regular}, {{2, 3, 2}, any}}, f),
       cases::on({{{3, 3}, regular}, {{2, 3, 2}, any}}, f), cases::on({{{2, 3, 3}, regular}, {{3, 2}, any}}, f),
       cases::on({{{2, 1, 2, 2}, regular}, {{3, 2, 1}, any}}, f), cases::on({{{2, 3, 3}, regular}, {{3}, any}}, f),
       cases::on({{{0, 3, 3}, regular}, {{3, 2}, any}}, f)});
}

const cases::Rows linalg([]() -> std::vector<cases::Row> {
  const auto any = between(-1, 1);
  const auto zeros = [](const gt::Shape& shape) { return gt::zeros(shape); };
  const auto integers = [](const gt::Shape& shape) { return gt::zeros(shape, {.dtype = gt::i64}); };
  const auto triangular = [](bool upper, bool left, bool unit) {
    return [=](const gt::Tensor& a, const gt::Tensor& b) {
      return gt::solve_triangular(a, b, {.upper = upper, .left = left, .unitriangular = unit});
    };
  };
  const auto right = [&](bool upper) {
    return cases::calls({cases::on({{{3, 3}, regular}, {{2, 3}, any}}, triangular(upper, false, false)),
                         cases::on({{{2, 3, 3}, regular}, {{2, 2, 3}, any}}, triangular(upper, false, false)),
                         cases::on({{{3, 3}, regular}, {{3}, any}}, triangular(upper, false, true))});
  };
  return {
      {"inv",
       cases::at(cases::squares(), regular, gt::inv),
       {{"inv: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::inv(integers({2, 2}));
         }},
        {"inv: shape [3]; expected matrices […, m, n]", [=] { gt::inv(zeros({3})); }},
        {"inv: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::inv(zeros({2, 3}));
         }},
        {"inv: the matrix is singular: pivot 1 is 0; pinv takes such a matrix",
         [] {
           gt::inv(gt::tensor({{1., 2.}, {2., 4.}}));
         }},
        {"inv: matrix 1 of the batch is singular: pivot 0 is 0; pinv takes such a matrix",
         [] {
           gt::inv(gt::tensor({{{1., 2.}, {3., 4.}}, {{0., 1.}, {0., 2.}}}));
         }},
        {"inv: matrix [0, 1] of the batch is singular: pivot 0 is 0; pinv takes such a matrix",
         [] {
           gt::inv(gt::tensor({{{{1.}}, {{0.}}}}));
         }}}},
      {"solve",
       systems(gt::solve),
       {{"solve: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::solve(integers({2, 2}), zeros({2}));
         }},
        {"solve: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::solve(zeros({2, 2}), integers({2}));
         }},
        {"solve: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
         [=] {
           gt::solve(zeros({2, 2}), ones({2}));
         }},
        {"solve: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::solve(zeros({2, 3}), zeros({2}));
         }},
        {"solve: a [3, 3] and b [2, 3] do not fit; expected b [3] or […, 3, k]",
         [=] {
           gt::solve(zeros({3, 3}), zeros({2, 3}));
         }},
        {"solve: a [3, 3] and b [] do not fit; expected b [3] or […, 3, k]",
         [=] {
           gt::solve(zeros({3, 3}), zeros({}));
         }},
        {"solve: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1",
         [=] {
           gt::solve(zeros({2, 3, 3}), zeros({3, 3, 1}));
         }},
        {"solve: the matrix is singular: pivot 1 is 0; pinv takes such a matrix",
         [] {
           gt::solve(gt::tensor({{1., 2.}, {2., 4.}}), gt::tensor({1., 2.}));
         }}}},
      {"solve_triangular",
       cases::calls({systems(triangular(false, true, false)), systems(triangular(true, true, false)),
                     systems(triangular(false, true, true)), systems(triangular(true, true, true)), right(false),
                     right(true)}),
       {{"solve_triangular: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::solve_triangular(zeros({2, 3}), zeros({2}));
         }},
        {"solve_triangular: a [3, 3] and b [3, 2] do not fit; expected b [3] or […, k, 3]",
         [=] {
           gt::solve_triangular(zeros({3, 3}), zeros({3, 2}), {.left = false});
         }},
        {"solve_triangular: matrix 1 of the batch is singular: pivot 0 is 0; pinv takes such a matrix",
         [] {
           gt::solve_triangular(gt::tensor({{{1.}}, {{0.}}}), gt::tensor({1.}));
         }}}},
      {"lstsq",
       cases::calls({systems(gt::lstsq), cases::on({{{5, 3}, regular}, {{5, 2}, any}}, gt::lstsq),
                     cases::on({{{3, 5}, regular}, {{3, 2}, any}}, gt::lstsq),
                     cases::on({{{5, 3}, regular}, {{5}, any}}, gt::lstsq),
                     cases::on({{{2, 3, 5}, regular}, {{3}, any}}, gt::lstsq),
                     cases::on({{{3, 2}, regular}, {{2, 3, 1}, any}}, gt::lstsq),
                     cases::on({{{3, 0}, regular}, {{3, 2}, any}}, gt::lstsq),
                     cases::on({{{0, 3}, regular}, {{0, 2}, any}}, gt::lstsq)}),
       {{"lstsq: shape [3]; expected matrices […, m, n]", [=] { gt::lstsq(zeros({3}), zeros({3})); }},
        {"lstsq: a [4, 3] and b [3] do not fit; expected b [4] or […, 4, k]",
         [=] {
           gt::lstsq(zeros({4, 3}), zeros({3}));
         }},
        {"lstsq: the matrix is not of full rank: pivot 1 is 0; pinv takes such a matrix",
         [] {
           gt::lstsq(gt::tensor({{1., 0.}, {2., 0.}, {3., 0.}}), gt::tensor({1., 2., 3.}));
         }}}},
      {"pinv",
       cases::at(cases::rectangles(), regular, gt::pinv),
       {{"pinv: shape [3]; expected matrices […, m, n]", [=] { gt::pinv(zeros({3})); }}}},
      {"det",
       cases::at(cases::squares(), regular, gt::det),
       {{"det: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::det(zeros({2, 3}));
         }},
        {"det: no meaning for i64; convert with .to(gradtape::f32)",
         [=] {
           gt::det(integers({2, 2}));
         }}}},
      {"slogdet",
       cases::calls({cases::at(cases::squares(), regular, [](const gt::Tensor& a) { return gt::slogdet(a).logabsdet; }),
                     cases::at(cases::squares(), regular, [](const gt::Tensor& a) { return gt::slogdet(a).sign; })}),
       {{"slogdet: shape [2, 3]; expected square matrices […, n, n]",
         [=] {
           gt::slogdet(zeros({2, 3}));
         }}}},
  };
});

}  // namespace

TEST_CASE("linalg: rows") { linalg.check(); }

TEST_CASE("linalg: inv, solve and determinants against elimination in plain loops") {
  const gt::RandomStream random(71);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const std::int64_t n : {1, 2, 3, 7, 40}) {
      CAPTURE(n);
      const auto a = between(-1, 1)({n, n}).to(dtype), b = between(-1, 1)({n, 3}).to(dtype);
      const auto close = [&](const gt::Tensor& expected) {
        const double noise = dtype == gt::f32 ? 1e-3 : 1e-11;  // these matrices are not especially regular
        return gt::approx(expected.to(dtype)).rtol(noise).atol(noise);
      };
      const auto [x, det] = eliminate(Grid(a), Grid(b));
      CHECK(gt::solve(a, b) == close(x.tensor()));
      CHECK(gt::solve(a, b[{gt::Slice{}, 1}]) == close(x.tensor()[{gt::Slice{}, 1}]));
      CHECK(gt::inv(a) == close(eliminate(Grid(a), Grid(identity(n))).first.tensor()));
      CHECK(gt::det(a) == close(gt::full({}, det, {.dtype = gt::f64})));
      CHECK(gt::slogdet(a).sign.item() == (det > 0 ? 1 : -1));
      CHECK(gt::slogdet(a).logabsdet == close(gt::full({}, std::log(std::abs(det)), {.dtype = gt::f64})));
    }
}

TEST_CASE("linalg: a batch is its matrices one by one") {
  const gt::RandomStream random(72);
  const auto a = regular({3, 4, 4}), b = between(-1, 1)({3, 4, 2});
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(gt::equal(gt::inv(a)[i], gt::inv(a[i])));
    CHECK(gt::equal(gt::solve(a, b)[i], gt::solve(a[i], b[i])));
    CHECK(gt::equal(gt::solve(a[0], b)[i], gt::solve(a[0], b[i])));
    CHECK(gt::equal(gt::solve(a, b[0])[i], gt::solve(a[i], b[0])));
    CHECK(gt::equal(gt::solve_triangular(a[0], b)[i], gt::solve_triangular(a[0], b[i])));
    CHECK(gt::equal(gt::det(a)[i], gt::det(a[i])));
    CHECK(gt::equal(gt::pinv(a)[i], gt::pinv(a[i])));
  }
}

TEST_CASE("linalg: the formulas on paper") {
  const gt::RandomStream random(73);
  const auto a = regular({4, 4}), b = between(-1, 1)({4, 2}), g = between(-1, 1)({4, 2}), h = between(-1, 1)({4, 4});
  const auto one = gt::ones({}, {.dtype = gt::f64});
  const Grid y = eliminate(Grid(a), Grid(identity(4))).first, yt = flipped(y), x = product(y, Grid(b)),
             gb = product(yt, Grid(g));
  CHECK(gt::vjp(gt::inv, a, h) == gt::approx(-product(product(yt, Grid(h)), yt).tensor()));
  const auto [da, db] = gt::vjp(gt::solve, {a, b}, g);
  CHECK(da == gt::approx(-product(gb, flipped(x)).tensor()));
  CHECK(db == gt::approx(gb.tensor()));
  CHECK(gt::vjp(gt::det, a, one) == gt::approx(eliminate(Grid(a), Grid(b)).second * yt.tensor()));
  CHECK(gt::vjp([](const gt::Tensor& t) { return gt::slogdet(t).logabsdet; }, a, one) == gt::approx(yt.tensor()));
  CHECK_FALSE(gt::slogdet(gt::parameter(a)).sign.requires_grad());
}

TEST_CASE("solve_triangular reads its triangle alone") {
  const gt::RandomStream random(74);
  for (const bool upper : {false, true})
    for (const bool left : {false, true})
      for (const bool unit : {false, true}) {
        const gt::SolveTriangularOptions options{upper, left, unit};
        const auto whole = regular({4, 4}), b = between(-1, 1)({4, 4}), diagonal = cases::spread_diagonal({4, 4}, 0);
        const auto rows = gt::reshape(gt::arange(4), {4, 1}), columns = gt::arange(4);
        const gt::Tensor read =
            unit ? (upper ? rows < columns : rows > columns) : (upper ? rows <= columns : rows >= columns);
        const auto a = gt::where(read, whole, cases::nan);
        Grid used(gt::where(read, whole, unit ? diagonal : 0 * diagonal));
        const gt::Tensor x = left ? eliminate(used, Grid(b)).first.tensor()
                                  : gt::transpose(eliminate(flipped(used), flipped(Grid(b))).first.tensor());
        CHECK(gt::solve_triangular(a, b, options) == gt::approx(x));
        const auto f = [&](const gt::Tensor& t) { return gt::solve_triangular(t, b, options); };
        const auto da = gt::vjp(f, a, ones({4, 4}));
        CHECK(gt::equal(gt::where(read, 0 * whole, da), gt::zeros_like(a)));
        CHECK(da == gt::approx(gt::vjp([&](const gt::Tensor& t) { return f(gt::where(read, t, cases::nan)); }, whole,
                                       ones({4, 4}))));
      }
}

TEST_CASE("lstsq: the normal equations; of many solutions the shortest") {
  const gt::RandomStream random(75);
  const auto tall = regular({6, 3}), b = between(-1, 1)({6, 2}), wide = regular({3, 6}), c = between(-1, 1)({3, 2});
  const Grid t(tall), w(wide);
  CHECK(gt::lstsq(tall, b) ==
        gt::approx(eliminate(product(flipped(t), t), product(flipped(t), Grid(b))).first.tensor()));
  CHECK(gt::lstsq(wide, c) ==
        gt::approx(product(flipped(w), eliminate(product(w, flipped(w)), Grid(c)).first).tensor()));
  CHECK(gt::equal(gt::lstsq(gt::zeros({0, 3}), gt::zeros({0, 2})), gt::zeros({3, 2})));
  CHECK(message_of<gt::ValueError>([] {
          return gt::lstsq(gt::tensor({{1., 2.}, {2., 4.}, {3., 6.}}), gt::tensor({1., 2., 3.}));
        }).starts_with("lstsq: the matrix is not of full rank: pivot 1 is "));  // a zero but for rounding
}

TEST_CASE("pinv: what Penrose asks of it, for every rank") {
  const gt::RandomStream random(76);
  for (const gt::Shape& shape : {gt::Shape{5, 3}, {3, 5}, {4, 4}})
    for (const std::int64_t rank : {0, 1, 2, 3}) {
      const auto a = gt::matmul(between(-1, 1)({shape[0], rank}), between(-1, 1)({rank, shape[1]}));
      const auto p = gt::pinv(a), ap = gt::matmul(a, p), pa = gt::matmul(p, a);
      CHECK(gt::matmul(ap, a) == gt::approx(a).atol(1e-12));
      CHECK(gt::matmul(pa, p) == gt::approx(p).atol(1e-10));
      CHECK(gt::transpose(ap) == gt::approx(ap).atol(1e-12));
      CHECK(gt::transpose(pa) == gt::approx(pa).atol(1e-12));
      // Along directions that keep the rank the gradient is right.
      CHECK(gt::gradcheck([&](const gt::Tensor& x) { return gt::pinv(gt::matmul(x, a), {.rtol = 1e-9}); },
                          regular({shape[0], shape[0]})));
    }
}

TEST_CASE("pinv: what counts as zero") {
  const auto diagonal = [](double x, double y) { return gt::tensor({{x, 0.}, {0., y}}, {.dtype = gt::f64}); };
  const auto a = diagonal(2, 0.5);
  CHECK(gt::pinv(a) == gt::approx(diagonal(0.5, 2)));
  CHECK(gt::pinv(a, {.rtol = 0.2}) == gt::approx(diagonal(0.5, 2)));
  CHECK(gt::pinv(a, {.rtol = 0.3}) == gt::approx(diagonal(0.5, 0)));
  CHECK(gt::pinv(a, {.atol = 0.6}) == gt::approx(diagonal(0.5, 0)));
  CHECK(gt::pinv(a, {.atol = 0.6, .rtol = 1}) == gt::approx(diagonal(0, 0)));
  CHECK(gt::pinv(diagonal(1, 1e-17)) == gt::approx(diagonal(1, 0)));
  CHECK(gt::pinv(diagonal(1, 1e-17), {.atol = 1e-20}) == gt::approx(diagonal(1, 1e17)));
}

TEST_CASE("linalg: singular matrices") {
  const auto f64 = [](const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::f64}); };
  const auto one = gt::ones({}, {.dtype = gt::f64});
  const auto a = f64({{1., 2.}, {2., 4.}});
  CHECK(gt::det(a).item() == 0);
  CHECK(gt::vjp(gt::det, a, one) == gt::approx(f64({{4., -2.}, {-2., 1.}})));  // the cofactors
  CHECK(gt::gradcheck(gt::det, a));
  CHECK(gt::gradcheck(gt::det,
                      f64({{{1., 2., 3.}, {2., 4., 6.}, {1., 0., 5.}}, {{2., 0., 1.}, {0., 1., 0.}, {1., 1., 3.}}})));
  CHECK(gt::vjp(gt::det, gt::zeros({3, 3}, {.dtype = gt::f64}), one) ==
        gt::approx(gt::zeros({3, 3}, {.dtype = gt::f64})));
  CHECK(gt::slogdet(a).sign.item() == 0);
  CHECK(gt::slogdet(a).logabsdet.item() == -cases::inf);
  CHECK(message_of<gt::ValueError>([] {
          return gt::inv(gt::tensor({{4., 2., 1.}, {2., 1., 3.}, {2., 1., 5.}}));
        }) == "inv: the matrix is singular: pivot 1 is 0; pinv takes such a matrix");
}

TEST_CASE("linalg: extreme numbers") {
  const auto f64 = [](const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::f64}); };
  const auto tiny = f64({{1e-200, 0.}, {0., -1e-200}});
  CHECK(gt::det(tiny).item() == 0);  // below the smallest number, but not singular
  CHECK(gt::slogdet(tiny).sign.item() == -1);
  CHECK(gt::slogdet(tiny).logabsdet.item() == doctest::Approx(-400 * std::log(10.0)));
  CHECK(gt::inv(tiny) == gt::approx(f64({{1e200, 0.}, {0., -1e200}})));
  const auto x = f64({{1., cases::nan}, {2., 3.}}), one = gt::ones({}, {.dtype = gt::f64});
  for (const gt::Tensor& y : {gt::inv(x), gt::det(x), gt::solve(x, f64({1., 1.})), gt::vjp(gt::det, x, one)})
    CHECK_FALSE(gt::equal(y, y));
  CHECK(message_of<gt::ValueError>([&] { return gt::pinv(x); }) ==
        "svd: the matrix has an element that is nan; all must be finite");
}
