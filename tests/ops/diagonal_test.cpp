#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::counting, cases::Index, cases::random, cases::shares_data;
using gt::Tensor;

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       most = std::numeric_limits<std::int64_t>::max();

const auto any = cases::between(-1, 1);

const cases::Rows diagonals([]() -> std::vector<cases::Row> {
  const auto x = [] { return gt::zeros({3, 4}); };
  const auto booleans = [] { return gt::zeros({2, 2}, {.dtype = gt::boolean}); };
  const std::vector<gt::Shape> matrices{{3, 4}, {4, 3}, {1, 1}, {2, 3, 5}, {3, 0}, {0, 3}, {0, 2, 2}};
  return {
      {"eye",
       {cases::made("[0, 0]", [] { return gt::eye(0); }), cases::made("[3, 3]", [] { return gt::eye(3); }),
        cases::made("[2, 4]", [] { return gt::eye(2, {.columns = 4}); })},
       {{"eye: -1 rows and -1 columns; expected at least 0", [] { gt::eye(-1); }},
        {"eye: 2 rows and -3 columns; expected at least 0", [] { gt::eye(2, {.columns = -3}); }}},
       0,
       false,
       true},
      {"tri",
       {cases::made("[0, 0]", [] { return gt::tri(0); }), cases::made("[3, 3]", [] { return gt::tri(3); }),
        cases::made("[2, 4]", [] { return gt::tri(2, {.columns = 4, .diagonal = 1}); })},
       {{"tri: -1 rows and -1 columns; expected at least 0", [] { gt::tri(-1); }}},
       0,
       false,
       true},
      {"tril",
       cases::calls({cases::at(matrices, any, gt::tril),
                     cases::at(matrices, any, [](const Tensor& t) { return gt::tril(t, {.diagonal = -1}); })}),
       {{"tril: shape [3] has fewer than two axes; expected matrices […, m, n]", [] { gt::tril(gt::zeros({3})); }},
        {"tril: no meaning for boolean; convert with .to(gradtape::f32)", [=] { gt::tril(booleans()); }}}},
      {"triu",
       cases::calls({cases::at(matrices, any, gt::triu),
                     cases::at(matrices, any, [](const Tensor& t) { return gt::triu(t, {.diagonal = -1}); })}),
       {{"triu: shape [] has fewer than two axes; expected matrices […, m, n]", [] { gt::triu(gt::zeros({})); }}}},
      {"diagonal",
       cases::calls(
           {cases::at(matrices, any, gt::diagonal),
            cases::at(matrices, any,
                      [](const Tensor& t) { return gt::diagonal(t, {.offset = 1, .axis1 = -1, .axis2 = 0}); }),
            cases::at({{3, 4}, {2, 3, 5}}, any, [](const Tensor& t) { return gt::diagonal(t, {.offset = -2}); })}),
       {{"diagonal: shape [3] has fewer than two axes; expected matrices", [] { gt::diagonal(gt::zeros({3})); }},
        {"diagonal: axis -1 is named twice in {1, -1}", [=] { gt::diagonal(x(), {.axis1 = 1, .axis2 = -1}); }},
        {"diagonal: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::diagonal(x(), {.axis1 = 2}); }}}},
      {"diag",
       cases::calls({cases::at({{3}, {0}, {1}, {3, 4}, {0, 3}}, any, gt::diag),
                     cases::at({{3}, {0}, {3, 4}}, any, [](const Tensor& t) { return gt::diag(t, {.offset = -1}); })}),
       {{"diag: shape []; expected a vector or a matrix", [] { gt::diag(gt::zeros({})); }},
        {"diag: shape [2, 3, 4]; expected a vector or a matrix",
         [] {
           gt::diag(gt::zeros({2, 3, 4}));
         }},
        {"diag: a vector [2] on diagonal 9223372036854775807 is larger than any memory",
         [] { gt::diag(gt::zeros({2}), {.offset = most}); }},
        {"diag: a vector [2] on diagonal -9223372036854775808 is larger than any memory",
         [] { gt::diag(gt::zeros({2}), {.offset = least}); }}}},
  };
});

}  // namespace

TEST_CASE("diagonals: rows") { diagonals.check(); }

TEST_CASE("eye, tri and the triangles by index, in every dtype") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean})
    for (const std::int64_t rows : {0, 1, 3, 4})
      for (const std::int64_t columns : {0, 1, 3, 5}) {
        CHECK(gt::equal(gt::eye(rows, {.columns = columns, .dtype = dtype}),
                        by_index({rows, columns}, [](const Index& i) { return i[0] == i[1]; }).to(dtype)));
        for (const std::int64_t diagonal :
             {least, least + 1, std::int64_t{-2}, std::int64_t{0}, std::int64_t{1}, most}) {
          const Tensor ones = by_index({rows, columns}, [&](const Index& i) {
            return i[1] <= i[0] + std::clamp<std::int64_t>(diagonal, -9, 9);
          });
          CHECK(gt::equal(gt::tri(rows, {.columns = columns, .diagonal = diagonal, .dtype = dtype}), ones.to(dtype)));
        }
      }
  const Tensor x = random({2, 3, 4}), t = gt::transpose(x);
  for (const std::int64_t diagonal : {least, std::int64_t{-1}, std::int64_t{0}, std::int64_t{2}, most}) {
    const std::int64_t k = std::clamp<std::int64_t>(diagonal, -9, 9);
    CHECK(gt::equal(gt::tril(x, {diagonal}),
                    by_index(x.shape(), [&](const Index& i) { return i[2] <= i[1] + k ? at(x, i) : 0; })));
    CHECK(gt::equal(gt::triu(t, {diagonal}),
                    by_index(t.shape(), [&](const Index& i) { return i[2] >= i[1] + k ? at(t, i) : 0; })));
  }
  CHECK(gt::equal(gt::triu(gt::ones({2, 2}, {.dtype = gt::i64})), gt::tensor({{1, 1}, {0, 1}}, {.dtype = gt::i64})));
}

TEST_CASE("what a triangle leaves out has no say, NaN and inf included") {
  const Tensor x = gt::tensor({{1., cases::nan}, {2., 3.}}), y = gt::tensor({{1., 4.}, {-cases::inf, 3.}});
  CHECK(gt::equal(gt::tril(x), gt::tensor({{1, 0}, {2, 3}})));
  CHECK(gt::equal(gt::triu(y), gt::tensor({{1, 4}, {0, 3}})));
  CHECK(gt::equal(gt::vjp(gt::tril, x, gt::tensor({{1., cases::inf}, {2., 3.}})), gt::tensor({{1, 0}, {2, 3}})));
}

TEST_CASE("diagonal is a view of the elements (i, i + offset)") {
  const Tensor x = counting({3, 5, 4});
  for (std::int64_t offset = -6; offset <= 6; ++offset) {
    const Tensor y = gt::diagonal(x, {.offset = offset, .axis1 = 2, .axis2 = 0});  // matrices (4, 3)
    const std::int64_t row = std::max<std::int64_t>(-offset, 0), column = std::max<std::int64_t>(offset, 0);
    const std::int64_t n = std::max<std::int64_t>(std::min(4 - row, 3 - column), 0);
    CHECK(gt::equal(y, by_index({5, n}, [&](const Index& i) { return at(x, {i[1] + column, i[0], i[1] + row}); })));
    CHECK(shares_data(y, x));
  }
  CHECK(gt::diagonal(x, {.offset = least}).shape() == gt::Shape{4, 0});
  CHECK(gt::diagonal(x, {.offset = most}).shape() == gt::Shape{4, 0});
  CHECK(gt::equal(gt::diagonal(gt::flip(x)), by_index({4, 3}, [&](const Index& i) {
                    return at(x, {2 - i[1], 4 - i[1], 3 - i[0]});
                  })));
}

TEST_CASE("diag makes a matrix of a vector, and takes one apart") {
  const Tensor v = gt::tensor({1, 2, 3});
  for (const std::int64_t offset : {-2, -1, 0, 1, 3}) {
    const Tensor m = gt::diag(v, {offset});
    const std::int64_t n = 3 + std::abs(offset);
    CHECK(gt::equal(m, by_index({n, n}, [&](const Index& i) {
                         return i[1] - i[0] == offset ? static_cast<double>(std::min(i[0], i[1]) + 1) : 0;
                       }).to(gt::f32)));
    CHECK(gt::equal(gt::diag(m, {offset}), v));
    CHECK(gt::diag(m.to(gt::i64), {offset}).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3});
  }
  CHECK(gt::diag(gt::tensor({true, false}, {.dtype = gt::boolean})).to_vector<bool>() ==
        std::vector<bool>{true, false, false, false});
  CHECK(gt::equal(gt::vjp(gt::diag, v, gt::tensor({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}})), gt::tensor({1, 5, 9})));
  CHECK(gt::equal(gt::diag(gt::tensor({cases::nan, 1.}))[{gt::Slice{}, 1}], gt::tensor({0, 1})));
}
