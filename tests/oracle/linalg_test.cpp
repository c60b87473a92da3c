#include "case.hpp"

namespace {

using namespace oracle;

/// m x n matrices with the leading axes `batch`.
gt::Shape matrices(gt::Shape batch, std::int64_t m, std::int64_t n) {
  batch.push_back(m);
  batch.push_back(n);
  return batch;
}

/// Small random numbers, with 1, 1 + step, 1 + 2·step, … added on the diagonal; half of them transposed views.
gt::Tensor regular(Random& r, const gt::Shape& batch, std::int64_t m, std::int64_t n, double step = 0) {
  const bool flip = r.coin();
  const gt::Tensor x = 0.2 * r.any(flip ? matrices(batch, n, m) : matrices(batch, m, n));
  const std::int64_t rows = x.shape()[-2], columns = x.shape()[-1];
  const gt::Tensor added =
      gt::eye(rows, {.columns = columns, .dtype = x.dtype()}) * gt::arange(columns, {.dtype = x.dtype()}) * step;
  const gt::Tensor y = x + gt::eye(rows, {.columns = columns, .dtype = x.dtype()}) + added;
  return flip ? gt::transpose(y) : y;
}

gt::Tensor positive_definite(Random& r) {
  const std::int64_t n = r.dim() % 8;
  const gt::Tensor x = regular(r, r.shape(0, 2), n, n);
  return gt::matmul(x, gt::transpose(x));
}

gt::Tensor symmetric(Random& r) {
  const std::int64_t n = r.dim() % 8;
  const gt::Tensor x = regular(r, r.shape(0, 2), n, n, 1);
  return x + gt::transpose(x);
}

template <class Ours, class Theirs>
Maker of_square(Ours ours, Theirs theirs) {
  return [=](Random& r) {
    const std::int64_t n = r.dim() % 8;
    return call({regular(r, r.shape(0, 2), n, n)}, ours, theirs);
  };
}

template <class Ours, class Theirs>
Maker of_any(double step, Ours ours, Theirs theirs) {
  return [=](Random& r) { return call({regular(r, r.shape(0, 2), r.dim() % 8, r.dim() % 8, step)}, ours, theirs); };
}

/// Systems a·x = b, or x·a = b, with stretched batches on either side; `square` or with more rows or columns.
template <class Ours, class Theirs>
Maker system(bool square, bool left, Ours ours, Theirs theirs) {
  return [=](Random& r) {
    const gt::Shape batch = r.shape(0, 2), small = r.stretchable(batch);
    const std::int64_t m = r.dim() % 8, n = square ? m : r.dim() % 8, k = r.dim() % 5;
    const bool stretch_a = r.coin();
    return call({regular(r, stretch_a ? small : batch, m, n),
                 r.any(left ? matrices(stretch_a ? batch : small, m, k) : matrices(stretch_a ? batch : small, k, m))},
                ours, theirs);
  };
}

Maker triangular(bool upper, bool left, bool unit) {
  return system(
      true, left,
      [=](const gt::Tensor& a, const gt::Tensor& b) {
        return gt::solve_triangular(a, b, {upper, left, unit});
      },
      [=](const torch::Tensor& a, const torch::Tensor& b) {
        return torch::linalg_solve_triangular(a, b, upper, left, unit);
      });
}

// Vectors are compared by squares, for each may have either sign.
const Table linalg = {
    {"inv", of_square(gt::inv, [](const torch::Tensor& a) { return torch::linalg_inv(a); })},
    {"det", of_square(gt::det, [](const torch::Tensor& a) { return torch::linalg_det(a); })},
    {"slogdet, logabsdet", of_square([](const gt::Tensor& a) { return gt::slogdet(a).logabsdet; },
                                     [](const torch::Tensor& a) { return std::get<1>(torch::linalg_slogdet(a)); })},
    {"slogdet, sign",
     of_square([](const gt::Tensor& a) { return gt::slogdet(-a).sign; },
               [](const torch::Tensor& a) { return std::get<0>(torch::linalg_slogdet(-a)).detach(); })},
    {"solve", system(true, true, gt::solve,
                     [](const torch::Tensor& a, const torch::Tensor& b) { return torch::linalg_solve(a, b); })},
    {"solve_triangular, lower", triangular(false, true, false)},
    {"solve_triangular, upper unit", triangular(true, true, true)},
    {"solve_triangular, right upper", triangular(true, false, false)},
    {"solve_triangular, right lower unit", triangular(false, false, true)},
    {"lstsq",
     system(false, true, gt::lstsq,
            [](const torch::Tensor& a, const torch::Tensor& b) { return torch::matmul(torch::linalg_pinv(a), b); })},
    {"pinv", of_any(0, gt::pinv, [](const torch::Tensor& a) { return torch::linalg_pinv(a); })},
    {"cholesky",
     [](Random& r) {
       return call({positive_definite(r)}, gt::cholesky,
                   [](const torch::Tensor& a) { return torch::linalg_cholesky(a); });
     }},
    {"cholesky, upper",
     [](Random& r) {
       return call(
           {positive_definite(r)}, [](const gt::Tensor& a) { return gt::cholesky(a, {.upper = true}); },
           [](const torch::Tensor& a) { return torch::linalg_cholesky(a, true); });
     }},
    {"qr, q", of_any(
                  0, [](const gt::Tensor& a) { return gt::square(gt::qr(a).q); },
                  [](const torch::Tensor& a) { return std::get<0>(torch::linalg_qr(a)).square(); })},
    {"qr, r", of_any(
                  0, [](const gt::Tensor& a) { return gt::square(gt::qr(a).r); },
                  [](const torch::Tensor& a) { return std::get<1>(torch::linalg_qr(a)).square(); })},
    {"eigh, values",
     [](Random& r) {
       return call(
           {symmetric(r)}, [](const gt::Tensor& a) { return gt::eigh(a).values; },
           [](const torch::Tensor& a) { return std::get<0>(torch::linalg_eigh(a)); });
     }},
    {"eigh, vectors",
     [](Random& r) {
       return call(
           {symmetric(r)}, [](const gt::Tensor& a) { return gt::square(gt::eigh(a).vectors); },
           [](const torch::Tensor& a) { return std::get<1>(torch::linalg_eigh(a)).square(); });
     }},
    {"svd, u", of_any(
                   1, [](const gt::Tensor& a) { return gt::square(gt::svd(a).u); },
                   [](const torch::Tensor& a) { return std::get<0>(torch::linalg_svd(a, false)).square(); })},
    {"svd, s", of_any(
                   1, [](const gt::Tensor& a) { return gt::svd(a).s; },
                   [](const torch::Tensor& a) { return std::get<1>(torch::linalg_svd(a, false)); })},
    {"svd, vt", of_any(
                    1, [](const gt::Tensor& a) { return gt::square(gt::svd(a).vt); },
                    [](const torch::Tensor& a) { return std::get<2>(torch::linalg_svd(a, false)).square(); })},
    {"trace", of_any(0, gt::trace, [](const torch::Tensor& a) { return a.diagonal(0, -2, -1).sum(-1); })},
    {"matrix_power, 5", of_square([](const gt::Tensor& a) { return gt::matrix_power(a, 5); },
                                  [](const torch::Tensor& a) { return torch::linalg_matrix_power(a, 5); })},
    {"matrix_power, -3", of_square([](const gt::Tensor& a) { return gt::matrix_power(a, -3); },
                                   [](const torch::Tensor& a) { return torch::linalg_matrix_power(a, -3); })},
    {"matrix_exp", of_square(gt::matrix_exp, [](const torch::Tensor& a) { return torch::matrix_exp(a); })},
    {"matrix_exp, large", of_square([](const gt::Tensor& a) { return gt::matrix_exp(-4 * a); },
                                    [](const torch::Tensor& a) { return torch::matrix_exp(-4 * a); })},
};

}  // namespace

TEST_CASE("oracle: linear algebra agrees with libtorch") { compare(linalg); }
