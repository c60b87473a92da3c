#include "ops/rows.hpp"
#include "ops/tensors.hpp"

namespace gt = gradtape;
using cases::between, cases::Call, cases::random, cases::Row;
using gt::Tensor;

namespace {

/// Calls of `einsum` with an expression for each list of shapes.
std::vector<Call> einsums(std::initializer_list<std::pair<const char*, std::vector<gt::Shape>>> list) {
  std::vector<Call> out;
  for (const auto& [expression, shapes] : list) {
    const auto make = [shapes = shapes] {
      cases::Tensors x;
      for (const gt::Shape& shape : shapes) x.push_back(random(shape));
      return x;
    };
    out.push_back({expression, make, [text = std::string(expression)](std::span<const Tensor> x) {
                     return gt::einsum(text, {x.begin(), x.end()});
                   }});
  }
  return out;
}

const cases::Rows rows([]() -> std::vector<Row> {
  const auto any = between(-1, 1);
  const auto zeros = [](const gt::Shape& shape) { return gt::zeros(shape); };
  const auto contract = [](const Tensor& a, const Tensor& b) {
    return gt::tensordot(a, b, {.axes_a = {1, -1}, .axes_b = {-1, 0}});
  };
  const auto einsum = [=](const char* expression, std::vector<gt::Shape> shapes) {
    return [=] {
      std::vector<Tensor> x;
      for (const gt::Shape& shape : shapes) x.push_back(gt::zeros(shape));
      gt::einsum(expression, x);
    };
  };
  return {
      {.op = "outer",
       .calls = cases::calls(
           {cases::on({{{3}, any}, {{4}, any}}, gt::outer), cases::on({{{0}, any}, {{4}, any}}, gt::outer)}),
       .misuse = {{"outer: [2, 3] and [3]: both must be vectors; flatten them first",
                   [=] {
                     gt::outer(zeros({2, 3}), zeros({3}));
                   }}},
       .one_rank = true},
      {.op = "dot",
       .calls =
           cases::calls({cases::on({{{37}, any}, {{37}, any}}, gt::dot), cases::on({{{0}, any}, {{0}, any}}, gt::dot)}),
       .misuse = {{"dot: [2] and [3]: both must be vectors of one length; matmul takes other shapes",
                   [=] { gt::dot(zeros({2}), zeros({3})); }}},
       .one_rank = true},
      {.op = "tensordot",
       .calls = cases::calls({cases::on({{{3, 4}, any}, {{4, 5}, any}}, gt::tensordot),
                              cases::on({{{2, 3, 4}, any}, {{4, 5, 3}, any}}, contract),
                              cases::on({{{2, 0, 4}, any}, {{4, 5, 0}, any}}, contract)}),
       .misuse =
           {{"tensordot: [3, 4] and [5, 3] do not fit along the axes that are summed over; each pair needs one size",
             [=] {
               gt::tensordot(zeros({3, 4}), zeros({5, 3}));
             }},
            {"tensordot: axis 1 is named twice in {1, 1}",
             [=] {
               gt::tensordot(zeros({3, 4}), zeros({4, 4}), {.axes_a = {1, 1}, .axes_b = {0, 1}});
             }}}},
      {.op = "einsum",
       .calls = einsums({{"ij,jk->ik", {{3, 4}, {4, 5}}},
                         {"ij,jk", {{3, 4}, {4, 5}}},
                         {"bij,bjk->bik", {{2, 3, 4}, {2, 4, 5}}},
                         {"i,i->", {{37}, {37}}},
                         {"i,j->ji", {{3}, {4}}},
                         {"ij->ji", {{3, 4}}},
                         {"ij->", {{3, 4}}},
                         {"ij->j", {{3, 4}}},
                         {"ii->i", {{4, 4}}},
                         {"ii", {{4, 4}}},
                         {"iij,jk->ik", {{3, 3, 4}, {4, 2}}},
                         {"...ij,...jk->...ik", {{2, 1, 3, 4}, {5, 4, 2}}},
                         {"...,...", {{2, 3}, {3}}},
                         {"ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 5}}},
                         {"bhqd,bhkd->bhqk", {{2, 2, 3, 4}, {2, 2, 5, 4}}},
                         {"ij,ij->ij", {{3, 4}, {3, 4}}},
                         {",i->i", {{}, {3}}},
                         {"ij,jk->ik", {{0, 4}, {4, 5}}},
                         {"ij,jk->ik", {{3, 0}, {0, 5}}}}),
       .misuse =
           {
               {"einsum: \"ij,jk\": 2 operands are named, but 1 are given", einsum("ij,jk", {{2, 3}})},
               {"einsum: \"ij,jk->ik\": 'j' is 3 in one operand and 4 in operand 1",
                einsum("ij,jk->ik", {{2, 3}, {4, 5}})},
               {"einsum: \"ijk->i\": operand 0 has shape [2, 3], which \"ijk\" does not name",
                einsum("ijk->i", {{2, 3}})},
               {"einsum: \"ij->ik\": 'k' of the result is in no operand", einsum("ij->ik", {{2, 3}})},
               {"einsum: \"ij->ii\": 'i' stands twice in the result", einsum("ij->ii", {{2, 3}})},
               {"einsum: \"ii->i\": 'i' stands for 2 and for 3 in operand 0", einsum("ii->i", {{2, 3}})},
               {"einsum: \"i-\": '-' is no letter", einsum("i-", {{2, 3}})},
               {"einsum: \"i\": no operand is given", einsum("i", {})},
           }},
  };
});

/// Σ over all axes of the product of elements named by index functions, by plain loops.
double at(const Tensor& x, std::initializer_list<std::int64_t> index) {
  Tensor element = x;
  for (const std::int64_t i : index) element = element[i];
  return element.item();
}

}  // namespace

TEST_CASE("products: rows") { rows.check(); }

TEST_CASE("einsum equals plain loops") {
  const Tensor a = random({2, 3, 4}), b = random({4, 3, 5}), c = random({5, 2});
  const Tensor y = gt::einsum("ijk, kjl, li -> il", {a, b, c});
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t l = 0; l < 5; ++l) {
      double sum = 0;
      for (std::int64_t j = 0; j < 3; ++j)
        for (std::int64_t k = 0; k < 4; ++k) sum += at(a, {i, j, k}) * at(b, {k, j, l}) * at(c, {l, i});
      CHECK(at(y, {i, l}) == doctest::Approx(sum).epsilon(1e-12));
    }
  const Tensor square = random({3, 3}), trace = gt::einsum("ii", {square});
  CHECK(trace.item() == doctest::Approx(at(square, {0, 0}) + at(square, {1, 1}) + at(square, {2, 2})));
  CHECK(gt::einsum("ba", {random({2, 3})}).shape() == gt::Shape{3, 2});  // in order of the alphabet
  CHECK(gt::einsum("...a,...a", {random({1, 4, 3}), random({2, 1, 3})}).shape() == gt::Shape{2, 4});
  CHECK(gt::tensordot(a, b, {.axes_a = {2, 1}, .axes_b = {0, 1}}) == gt::approx(gt::einsum("ijk,kjl->il", {a, b})));
  CHECK(gt::equal(gt::outer(gt::tensor({1, 2}), gt::tensor({3, 4, 5})), gt::tensor({{3, 4, 5}, {6, 8, 10}})));
  CHECK(gt::dot(gt::tensor({1, 2}), gt::tensor({3, 4})).item() == 11);
}

TEST_CASE("einsum multiplies the pair first that makes the least") {
  // (n,1)·(1,n) would be large; from the right nothing is.
  const Tensor column = random({400, 1}), row = random({1, 400}), vector = random({400});
  const auto before = gt::memory().live_bytes;
  const Tensor y = gt::einsum("ij,jk,k->i", {gt::parameter(column), row, vector});
  CHECK(gt::memory().live_bytes - before < 100'000);
  CHECK(y == gt::approx(gt::matmul(column, gt::matmul(row, vector))));
}
