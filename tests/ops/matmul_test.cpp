#include <gradtape/xtensor.hpp>

#include "ops/rows.hpp"
#include "ops/tensors.hpp"
#include <xtensor-blas/xlinalg.hpp>

namespace gt = gradtape;
using cases::message_of, cases::random;
using gt::Slice, gt::Tensor;

namespace {

/// The same values, stored column by column.
Tensor column_major(const Tensor& x) { return gt::transpose(gt::contiguous(gt::transpose(x))); }

/// The product in double by xtensor-blas, on packed copies.
Tensor product_by_blas(const Tensor& a, const Tensor& b) {
  const Tensor x = gt::contiguous(a.to(gt::f64)), y = gt::contiguous(b.to(gt::f64));
  return gt::tensor(xt::linalg::dot(xt::xarray<double>(gt::as_xt<double>(x)), xt::xarray<double>(gt::as_xt<double>(y))))
      .to(a.dtype());
}

/// With room for the rounding of sums of k products in f32.
gt::Approx approx(const Tensor& expected, std::int64_t k) {
  return expected.dtype() == gt::f32 ? gt::approx(expected).atol(1.2e-7 * static_cast<double>(k))
                                     : gt::approx(expected);
}

struct Size {
  std::int64_t m, k, n;
};

// Both sides of every turn in kernels/gemm.cpp.
constexpr Size sizes[] = {
    {1, 1, 1},    {2, 3, 5},    {13, 1, 17},   {1, 7, 1},                                   // tiny
    {16, 16, 16}, {16, 16, 17}, {17, 16, 16},                                               // 4096 products
    {1, 32, 64},  {1, 32, 65},  {3, 1, 65},    {16, 256, 1},  {15, 257, 1},  {1, 256, 16},  // 64 columns, 256 rows
    {1, 257, 3},  {2, 128, 13}, {300, 200, 1}, {1, 300, 200}, {40, 1, 300},                 // lanes, vectors
    {64, 64, 63}, {64, 64, 64}, {65, 67, 71},  {7, 200, 200}, {8, 200, 200}, {200, 7, 200}, {200, 200, 8},  // oneDNN
};

}  // namespace

TEST_CASE("matmul equals three plain loops") {
  const Tensor a = random({5, 7}), b = random({7, 3}), c = gt::matmul(a, b);
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 3; ++j) {
      double sum = 0;
      for (int p = 0; p < 7; ++p) sum += a[{i, p}].item() * b[{p, j}].item();
      CHECK(c[{i, j}].item() == doctest::Approx(sum).epsilon(1e-13));
    }
}

TEST_CASE("matmul equals xtensor-blas and its gradients G·Bᵀ and Aᵀ·G at every size and transposition") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const auto& [m, k, n] : sizes) {
      CAPTURE(m);
      CAPTURE(k);
      CAPTURE(n);
      const Tensor rows_a = random({m, k}, dtype), rows_b = random({k, n}, dtype), g = random({m, n}, dtype);
      for (const Tensor& a : {rows_a, column_major(rows_a)})
        for (const Tensor& b : {rows_b, column_major(rows_b)}) {
          CHECK(gt::matmul(a, b) == approx(product_by_blas(a, b), k));
          const auto [da, db] = gt::vjp(gt::matmul, {a, b}, column_major(g));
          CHECK(da == approx(product_by_blas(g, gt::transpose(b)), n));
          CHECK(db == approx(product_by_blas(gt::transpose(a), g), m));
        }
    }
}

TEST_CASE("products of batches and of vectors equal plain loops over their matrices") {
  struct Case {
    gt::Shape a, b, out;
  };
  for (const auto& [a, b, out] :
       {Case{{2, 3, 4}, {2, 4, 5}, {2, 3, 5}}, Case{{2, 3, 4}, {4, 5}, {2, 3, 5}}, Case{{3, 4}, {2, 4, 5}, {2, 3, 5}},
        Case{{2, 1, 3, 4}, {6, 4, 5}, {2, 6, 3, 5}}, Case{{4}, {4, 5}, {5}}, Case{{3, 4}, {4}, {3}}, Case{{4}, {4}, {}},
        Case{{2, 3, 4}, {4}, {2, 3}}, Case{{4}, {2, 4, 5}, {2, 5}}, Case{{0, 3, 4}, {4, 5}, {0, 3, 5}},
        Case{{2, 3, 0}, {2, 0, 5}, {2, 3, 5}}}) {
    CAPTURE(gt::to_string(a));
    CAPTURE(gt::to_string(b));
    const Tensor x = random(a), y = random(b), product = gt::matmul(x, y);
    REQUIRE(product.shape() == out);
    // The same by a sum over the inner axis of a product that broadcasts.
    const Tensor left = a.rank() == 1 ? gt::reshape(x, {1, a[0]}) : x,
                 right = b.rank() == 1 ? gt::reshape(y, {b[0], 1}) : y;
    gt::Shape columns = left.shape(), rows;
    columns.push_back(1);
    for (int axis = 0; axis + 2 < right.rank(); ++axis) rows.push_back(right.shape()[axis]);
    rows.push_back(1), rows.push_back(right.shape()[-2]), rows.push_back(right.shape()[-1]);
    const Tensor expected = gt::sum(gt::reshape(left, columns) * gt::reshape(right, rows), {.axes = -2});
    CHECK(product == gt::approx(gt::reshape(expected, out)));
  }
}

namespace {

std::vector<cases::Call> products(std::initializer_list<std::pair<gt::Shape, gt::Shape>> shapes) {
  std::vector<cases::Call> out;
  for (const auto& [a, b] : shapes)
    for (cases::Call& call : cases::on({{a, cases::between(-1, 1)}, {b, cases::between(-1, 1)}}, gt::matmul))
      out.push_back(std::move(call));
  return out;
}

std::vector<cases::Call> linears(std::initializer_list<gt::Shape> shapes) {
  std::vector<cases::Call> out;
  const auto any = cases::between(-1, 1);
  const auto without_bias = [](const Tensor& x, const Tensor& weight) { return gt::linear(x, weight); };
  for (const gt::Shape& x : shapes) {
    for (cases::Call& call : cases::on({{x, any}, {{5, x[-1]}, any}, {{5}, any}}, gt::linear))
      out.push_back(std::move(call));
    for (cases::Call& call : cases::on({{x, any}, {{5, x[-1]}, any}}, without_bias)) out.push_back(std::move(call));
  }
  return out;
}

const cases::Rows rows([]() -> std::vector<cases::Row> {
  const auto product = [](const gt::Shape& a, const gt::Shape& b) {
    return [=] { gt::matmul(gt::zeros(a), gt::zeros(b)); };
  };
  return {
      {"matmul",
       cases::calls({products({{{1, 1}, {1, 1}},
                               {{3, 4}, {4, 5}},
                               {{1, 37}, {37, 2}},
                               {{5, 1}, {1, 3}},
                               {{0, 4}, {4, 5}},
                               {{3, 0}, {0, 5}},
                               {{17, 23}, {23, 19}},
                               {{4}, {4}},
                               {{4}, {4, 5}},
                               {{3, 4}, {4}},
                               {{2, 3, 4}, {2, 4, 5}},
                               {{2, 3, 4}, {4, 5}},
                               {{3, 4}, {2, 4, 5}},
                               {{2, 1, 3, 4}, {6, 4, 5}},
                               {{2, 3, 4}, {4}},
                               {{4}, {2, 4, 5}},
                               {{0, 3, 4}, {4, 5}},
                               {{2, 3, 0}, {1, 0, 5}}}),
                     cases::at({{4, 4}}, cases::between(-1, 1), [](const Tensor& x) { return gt::matmul(x, x); })}),
       {
           {"matmul: inner dimensions differ: [3, 4] · [5, 4]; did you mean transpose(b)?", product({3, 4}, {5, 4})},
           {"matmul: inner dimensions differ: [2, 3, 4] · [2, 5, 4]; the columns of a must be as many as the rows of b",
            product({2, 3, 4}, {2, 5, 4})},
           {"matmul: inner dimensions differ: [3] · [4, 5]; the columns of a must be as many as the rows of b",
            product({3}, {4, 5})},
           {"matmul: shapes [2] and [3] do not broadcast: axis -1 has 2 against 3; sizes must be equal or 1",
            product({2, 3, 4}, {3, 4, 5})},
           {"matmul: [] · [3, 4]: a scalar is no matrix; multiply with `*`", product({}, {3, 4})},
       },
       3},
      {"linear",
       linears({{3, 4}, {4}, {2, 3, 4}, {0, 4}, {3, 0}}),
       {{"linear: x [3, 4], weight [5, 3] and bias [5] do not fit; expected x […, in], weight [out, in], bias [out]",
         [] {
           gt::linear(gt::zeros({3, 4}), gt::zeros({5, 3}), gt::zeros({5}));
         }}},
       3},
  };
});

}  // namespace

TEST_CASE("matmul and linear: rows") { rows.check(); }

TEST_CASE("matmul reads strided and broadcast operands") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const auto& [m, k, n] : {Size{3, 4, 5}, {20, 30, 40}, {70, 65, 64}}) {
      const auto check = [k = k](const Tensor& a, const Tensor& b) {
        CHECK(gt::matmul(a, b) == approx(product_by_blas(a, b), k));
      };
      const Tensor a = random({m, k}, dtype), b = random({k, n}, dtype);
      for (const gt::Shape& from : {gt::Shape{}, {k}, {m, 1}}) check(gt::broadcast_to(random(from, dtype), {m, k}), b);
      for (const gt::Shape& from : {gt::Shape{}, {n}, {k, 1}}) check(a, gt::broadcast_to(random(from, dtype), {k, n}));
      check(random({m + 2, k + 5}, dtype)[{Slice{1, m + 1}, Slice{3, k + 3}}],
            random({k + 1, n + 1}, dtype)[{Slice{1}, Slice{1}}]);
      check(random({m, k, 2}, dtype)[{Slice{}, Slice{}, 1}], random({k, 2, n}, dtype)[{Slice{}, 1}]);
      check(a, gt::transpose(random({n, k, 2}, dtype)[{Slice{}, Slice{}, 0}]));
      check(random({m, 3, k}, dtype)[{Slice{2, 3}, 1}], b);                     // one row
      check(a, random({k, n, 3}, dtype)[{Slice{}, Slice{1, 2}, 2}]);            // one column
      check(gt::transpose(random({k, m + 1}, dtype)[{Slice{}, Slice{1}}]), b);  // columns with gaps
    }
}

TEST_CASE("matmul over no inner axis is zero, over no rows or columns empty") {
  CHECK(gt::equal(gt::matmul(gt::zeros({3, 0}), gt::zeros({0, 4})), gt::zeros({3, 4})));
  CHECK(gt::equal(gt::matmul(gt::ones({0, 3}), gt::ones({3, 4})), gt::zeros({0, 4})));
  CHECK(gt::equal(gt::matmul(gt::ones({4, 3}), gt::ones({3, 0})), gt::zeros({4, 0})));
  // A product without columns adds nothing to a gradient that is already there.
  const Tensor a = random({3, 4}), c = random({3, 4}), none = gt::zeros({4, 0}, {.dtype = gt::f64});
  const auto f = [&](const Tensor& x) { return gt::sum(x * c) + gt::sum(gt::matmul(x, none)); };
  CHECK(gt::equal(gt::vjp(f, a, gt::ones({}, {.dtype = gt::f64})), c));
}

TEST_CASE("inf and NaN reach their row or column of a product and no other") {
  for (const std::int64_t n : {4, 20, 70}) {
    const Tensor ones = gt::ones({n, n}), second = gt::reshape(gt::arange(n) == 1, {n, 1});
    for (const double x : {cases::inf, -cases::inf, cases::nan}) {
      const Tensor expected = gt::where(second, x, static_cast<double>(n) * ones);
      CHECK(gt::matmul(gt::where(second, x, ones), ones) == gt::approx(expected));
      CHECK(gt::matmul(ones, gt::where(gt::transpose(second), x, ones)) == gt::approx(gt::transpose(expected)));
    }
  }
}

TEST_CASE("a weight used three times collects the sum of three gradients") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const auto& [m, k, n] : {Size{2, 3, 4}, {20, 30, 25}, {64, 70, 66}}) {
      CAPTURE(m);
      const Tensor w = gt::parameter(random({k, n}, dtype)), b = gt::zeros({k}, {.dtype = dtype});
      const Tensor x1 = random({m, k}, dtype), x2 = random({m, k}, dtype), x3 = random({m, n}, dtype);
      const Tensor g1 = random({m, n}, dtype), g2 = random({m, n}, dtype), g3 = random({m, k}, dtype);
      (gt::sum(gt::matmul(x1, w) * g1) + gt::sum(gt::matmul(x2, w) * g2) + gt::sum(gt::linear(x3, w, b) * g3))
          .backward();
      CHECK(w.grad() == approx(product_by_blas(gt::transpose(x1), g1) + product_by_blas(gt::transpose(x2), g2) +
                                   product_by_blas(gt::transpose(g3), x3),
                               3 * m));
    }
}

TEST_CASE("linear equals x·Wᵀ + b, its gradients G·W, Gᵀ·X and the sum of G's rows") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const auto& [m, k, n] : sizes) {
      CAPTURE(m);
      CAPTURE(k);
      CAPTURE(n);
      const Tensor x = random({m, k}, dtype), w = random({n, k}, dtype), b = random({n}, dtype),
                   g = random({m, n}, dtype);
      const Tensor strided_b = random({n, 2}, dtype)[{Slice{}, 1}];
      CHECK(gt::linear(x, w, b) == approx(product_by_blas(x, gt::transpose(w)) + b, k + 1));
      CHECK(gt::linear(column_major(x), column_major(w), strided_b) ==
            approx(product_by_blas(x, gt::transpose(w)) + strided_b, k + 1));
      const auto [dx, dw, db] = gt::vjp(gt::linear, {x, w, b}, g);
      CHECK(dx == approx(product_by_blas(g, w), n));
      CHECK(dw == approx(product_by_blas(gt::transpose(g), x), m));
      CHECK(db == approx(gt::reshape(product_by_blas(gt::ones({1, m}, {.dtype = dtype}), g), {n}), m));
    }
}

TEST_CASE("linear takes x of any rank, sizes of zero included") {
  const Tensor w = random({5, 4}), b = random({5});
  for (const gt::Shape& lead : {gt::Shape{}, {1}, {3}, {2, 3}, {2, 1, 3}, {0}, {2, 0}}) {
    CAPTURE(gt::to_string(lead));
    gt::Shape in = lead, out = lead;
    in.push_back(4), out.push_back(5);
    const Tensor x = random(in);
    CHECK(gt::linear(x, w, b) ==
          gt::approx(gt::reshape(product_by_blas(gt::reshape(x, {lead.numel(), 4}), gt::transpose(w)) + b, out)));
    CHECK(gt::gradcheck(gt::linear, {x, w, b}));
  }
  const auto turned = [](const Tensor& x, const Tensor& weight, const Tensor& bias) {
    return gt::linear(gt::transpose(x, {0, 1}), gt::transpose(weight), bias[{Slice{1, 6}}]);
  };
  CHECK(gt::gradcheck(turned, {random({2, 3, 4}), random({4, 5}), random({7})}));
  // Nothing goes in: the bias comes out.
  for (const gt::Shape& x : {gt::Shape{0}, {3, 0}, {2, 3, 0}}) {
    gt::Shape out = x;
    out.set(-1, 5);
    CHECK(gt::equal(gt::linear(random(x), random({5, 0}), b), gt::broadcast_to(b, out)));
    CHECK(gt::gradcheck(gt::linear, {random(x), random({5, 0}), b}));
  }
  CHECK(gt::equal(gt::linear(random({3, 4}), random({0, 4}), random({0})), random({3, 0})));
}

TEST_CASE("matmul says what does not fit") {
  const auto shapes = [](const gt::Shape& a, const gt::Shape& b) {
    return message_of<gt::ShapeError>([&] { return gt::matmul(gt::zeros(a), gt::zeros(b)); });
  };
  CHECK(shapes({64, 784}, {128, 784}) ==
        "matmul: inner dimensions differ: [64, 784] · [128, 784]; did you mean transpose(b)?");
  CHECK(shapes({4, 3}, {4, 5}) == "matmul: inner dimensions differ: [4, 3] · [4, 5]; did you mean transpose(a)?");
  CHECK(shapes({4, 3}, {5, 4}) ==
        "matmul: inner dimensions differ: [4, 3] · [5, 4]; did you mean the other order, matmul(b, a)?");
  CHECK(shapes({2, 3}, {4, 5}) ==
        "matmul: inner dimensions differ: [2, 3] · [4, 5]; the columns of a must be as many as the rows of b");
  const auto dtypes = [](gt::Dtype a, gt::Dtype b) {
    return message_of<gt::DtypeError>([&] {
      return gt::matmul(gt::ones({2, 2}, {.dtype = a}), gt::ones({2, 2}, {.dtype = b}));
    });
  };
  CHECK(dtypes(gt::f32, gt::f64) == "matmul: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)");
  CHECK(dtypes(gt::i64, gt::i64) == "matmul: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(dtypes(gt::f32, gt::boolean) == "matmul: no meaning for boolean; convert with .to(gradtape::f32)");
}

TEST_CASE("linear without a bias is the product alone") {
  const Tensor w = gt::tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  CHECK(gt::equal(gt::linear(gt::tensor({{1., 1.}, {2., 0.}}), w), gt::tensor({{3., 7., 11.}, {2., 6., 10.}})));
  CHECK(gt::equal(gt::linear(gt::tensor({1., 1.}), w, Tensor()), gt::tensor({3., 7., 11.})));
  CHECK(gt::linear(gt::zeros({4, 0, 2}), w).shape() == gt::Shape{4, 0, 3});
  const auto message = [](const gt::Shape& x, const gt::Shape& weight) {
    return message_of<gt::ShapeError>([&] { return gt::linear(gt::zeros(x), gt::zeros(weight)); });
  };
  const std::string expected = " do not fit; expected x […, in], weight [out, in]";
  CHECK(message({3, 4}, {5, 6}) == "linear: x [3, 4] and weight [5, 6]" + expected);
  CHECK(message({2, 3, 4}, {5, 6}) == "linear: x [2, 3, 4] and weight [5, 6]" + expected);
  CHECK(message({}, {5, 4}) == "linear: x [] and weight [5, 4]" + expected);
}

TEST_CASE("linear says what does not fit") {
  const auto shapes = [](const gt::Shape& x, const gt::Shape& w, const gt::Shape& b) {
    return message_of<gt::ShapeError>([&] { return gt::linear(gt::zeros(x), gt::zeros(w), gt::zeros(b)); });
  };
  const std::string expected = " do not fit; expected x […, in], weight [out, in], bias [out]";
  CHECK(shapes({3, 4}, {5, 6}, {5}) == "linear: x [3, 4], weight [5, 6] and bias [5]" + expected);
  CHECK(shapes({3, 4}, {5, 4}, {4}) == "linear: x [3, 4], weight [5, 4] and bias [4]" + expected);
  CHECK(shapes({3, 4}, {5, 4}, {5, 1}) == "linear: x [3, 4], weight [5, 4] and bias [5, 1]" + expected);
  CHECK(shapes({2, 3, 4}, {5, 6}, {5}) == "linear: x [2, 3, 4], weight [5, 6] and bias [5]" + expected);
  CHECK(shapes({}, {5, 4}, {5}) == "linear: x [], weight [5, 4] and bias [5]" + expected);
  CHECK(shapes({4}, {4}, {5}) == "linear: x [4], weight [4] and bias [5]" + expected);
  CHECK(message_of<gt::DtypeError>([] {
          return gt::linear(gt::zeros({3, 4}), gt::zeros({5, 4}), gt::zeros({5}, {.dtype = gt::i64}));
        }) == "linear: no meaning for i64; convert with .to(gradtape::f32)");
}
