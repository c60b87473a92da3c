#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::counting, cases::Index, cases::integers, cases::random;
using gt::Slice, gt::Tensor;

namespace {

const auto any = cases::between(-1, 1);

/// Calls of a function of x, and of indices below 3.
template <class F>
std::vector<cases::Call> picking(const gt::Shape& x, const gt::Shape& index, F f) {
  return cases::on({{x, any}, {index, cases::whole(0, 3)}}, f);
}

Tensor whole(const gt::Literal& literal) { return gt::tensor(literal, {.dtype = gt::i64}); }

std::int64_t whole_at(const Tensor& index, const Index& i) {
  return static_cast<std::int64_t>(at(index.to(gt::f64), i));
}

const cases::Rows indices([]() -> std::vector<cases::Row> {
  const auto x = [] { return gt::zeros({5, 3}); };
  const auto booleans = [] { return gt::zeros({5, 3}, {.dtype = gt::boolean}); };
  const auto mask = [](const gt::Shape& shape) { return gt::uniform(shape) < 0.5; };
  const auto gather_rows = [](const Tensor& a, const Tensor& i) { return gt::gather(a, 0, i); };
  const auto gather_columns = [](const Tensor& a, const Tensor& i) { return gt::gather(a, -1, i); };
  const auto scatter_rows = [](const Tensor& a, const Tensor& i, const Tensor& b) {
    return gt::scatter_add(a, 0, i, b);
  };
  const auto add_rows = [](const Tensor& a, const Tensor& i, const Tensor& b) { return gt::index_add(a, 0, i, b); };
  return {
      {"take",
       cases::calls(
           {picking({3}, {4}, gt::take), picking({3, 4}, {5}, gt::take), picking({3, 2, 5}, {2, 3}, gt::take),
            picking({3, 37}, {}, gt::take), picking({3, 4}, {0}, gt::take), picking({3, 0}, {2}, gt::take),
            picking({2, 3}, {4}, [](const Tensor& a, const Tensor& i) { return gt::take(a, i, {.axis = -1}); }),
            picking({2, 3, 2}, {2, 2}, [](const Tensor& a, const Tensor& i) { return gt::take(a, i, {.axis = 1}); })}),
       {{"take: index 5 at [1] is outside of [0, 5)",
         [=] {
           gt::take(x(), integers({0, 5}));
         }},
        {"take: index -1 at [0, 1] is outside of [0, 3)",
         [=] {
           gt::take(x(), whole({{0, -1}}), {.axis = 1});
         }},
        {"take: index 0 at [] is outside of [0, 0)",
         [] {
           gt::take(gt::zeros({0, 3}), whole(0));
         }},
        {"take: indices are f32; expected i64", [=] { gt::take(x(), gt::zeros({2})); }},
        {"take: axis 0 of a scalar; a scalar has no axes", [] { gt::take(gt::zeros({}), integers({0})); }},
        {"take: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::take(x(), integers({0}), {.axis = 2}); }},
        {"take: the result of shape [1, 1, 1, 1, 1] would have 9 axes; at most 8 are supported",
         [] {
           gt::take(gt::zeros({1, 1, 1, 1, 1}), gt::zeros({1, 1, 1, 1, 1}, {.dtype = gt::i64}));
         }}}},
      {"gather",
       cases::calls({picking({3}, {5}, gather_rows), picking({3, 4}, {5, 4}, gather_rows),
                     picking({3, 4}, {2, 2}, gather_rows), picking({4, 3}, {4, 7}, gather_columns),
                     picking({2, 4, 3}, {1, 4, 2}, gather_columns), picking({3, 4}, {0, 4}, gather_rows),
                     picking({3, 0}, {2, 0}, gather_rows)}),
       {{"gather: x [5, 3] and index [2] differ in rank",
         [=] {
           gt::gather(x(), 0, integers({0, 1}));
         }},
        {"gather: index [1, 4] is larger than x [5, 3] along axis 1",
         [=] {
           gt::gather(x(), 0, whole({{0, 1, 2, 3}}));
         }},
        {"gather: index 5 at [0, 1] is outside of [0, 5)",
         [=] {
           gt::gather(x(), 0, whole({{0, 5}}));
         }},
        {"gather: indices are f32; expected i64", [=] { gt::gather(x(), 0, x()); }},
        {"gather: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::gather(x(), 2, whole({{0}})); }}}},
      {"take_along_axis",
       cases::calls({picking({3}, {5}, gt::take_along_axis), picking({4, 3}, {4, 2}, gt::take_along_axis),
                     picking({1, 3}, {4, 2}, gt::take_along_axis), picking({4, 3}, {1, 2}, gt::take_along_axis),
                     picking({2, 3, 4}, {1, 5, 4},
                             [](const Tensor& a, const Tensor& i) { return gt::take_along_axis(a, i, {.axis = 1}); }),
                     picking({0, 3}, {1, 2}, gt::take_along_axis)}),
       {{"take_along_axis: x [5, 3] and index [2] differ in rank",
         [=] {
           gt::take_along_axis(x(), integers({0, 1}));
         }},
        {"take_along_axis: shapes [5, 1] and [2, 1] do not broadcast: axis -2 has 5 against 2; sizes must be equal or "
         "1",
         [=] {
           gt::take_along_axis(x(), whole({{0, 1}, {0, 1}}));
         }},
        {"take_along_axis: index 3 at [0, 0] is outside of [0, 3)", [=] { gt::take_along_axis(x(), whole({{3}})); }},
        {"take_along_axis: indices are f32; expected i64", [=] { gt::take_along_axis(x(), x()); }}}},
      {"scatter_add",
       cases::calls(
           {cases::on({{{3}, any}, {{5}, cases::whole(0, 3)}, {{5}, any}}, scatter_rows),
            cases::on({{{3, 4}, any}, {{5, 2}, cases::whole(0, 3)}, {{6, 3}, any}}, scatter_rows),
            cases::on({{{2, 3}, any}, {{2, 4}, cases::whole(0, 3)}, {{2, 4}, any}},
                      [](const Tensor& a, const Tensor& i, const Tensor& b) { return gt::scatter_add(a, 1, i, b); }),
            cases::on({{{3, 4}, any}, {{0, 4}, cases::whole(0, 3)}, {{0, 4}, any}}, scatter_rows)}),
       {{"scatter_add: x [5, 3], index [1, 2] and source [2] differ in rank",
         [=] {
           gt::scatter_add(x(), 0, whole({{0, 1}}), gt::zeros({2}));
         }},
        {"scatter_add: index [1, 4] is larger than x [5, 3] along axis 1",
         [=] {
           gt::scatter_add(x(), 0, whole({{0, 1, 2, 3}}), gt::zeros({1, 4}));
         }},
        {"scatter_add: index [1, 2] is larger than source [1, 1] along axis 1",
         [=] {
           gt::scatter_add(x(), 0, whole({{0, 1}}), gt::zeros({1, 1}));
         }},
        {"scatter_add: index 5 at [0, 1] is outside of [0, 5)",
         [=] {
           gt::scatter_add(x(), 0, whole({{0, 5}}), gt::zeros({1, 2}));
         }},
        {"scatter_add: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
         [=] {
           gt::scatter_add(x(), 0, whole({{0}}), gt::zeros({1, 1}, {.dtype = gt::f64}));
         }},
        {"scatter_add: no meaning for boolean; convert with .to(gradtape::f32)",
         [=] { gt::scatter_add(booleans(), 0, whole({{0}}), booleans()); }}}},
      {"index_add",
       cases::calls(
           {cases::on({{{3}, any}, {{5}, cases::whole(0, 3)}, {{5}, any}}, add_rows),
            cases::on({{{3, 4}, any}, {{2}, cases::whole(0, 3)}, {{2, 4}, any}}, add_rows),
            cases::on({{{2, 3, 2}, any}, {{4}, cases::whole(0, 3)}, {{2, 4, 2}, any}},
                      [](const Tensor& a, const Tensor& i, const Tensor& b) { return gt::index_add(a, -2, i, b); }),
            cases::on({{{3, 4}, any}, {{0}, cases::whole(0, 3)}, {{0, 4}, any}}, add_rows)}),
       {{"index_add: x [5, 3], indices [2] and source [3, 3] do not fit; expected indices [m] and source [2, 3]",
         [=] {
           gt::index_add(x(), 0, integers({0, 1}), gt::zeros({3, 3}));
         }},
        {"index_add: x [5, 3], indices [1, 2] and source [2, 3] do not fit; expected indices [m] and source [2, 3]",
         [=] {
           gt::index_add(x(), 0, whole({{0, 1}}), gt::zeros({2, 3}));
         }},
        {"index_add: index 5 at [1] is outside of [0, 5)",
         [=] {
           gt::index_add(x(), 0, integers({0, 5}), gt::zeros({2, 3}));
         }},
        {"index_add: dtypes f32 and i64 do not mix; convert one with .to(gradtape::f32)",
         [=] {
           gt::index_add(x(), 0, integers({0}), gt::zeros({1, 3}, {.dtype = gt::i64}));
         }},
        {"index_add: no meaning for boolean; convert with .to(gradtape::f32)",
         [=] { gt::index_add(booleans(), 0, integers({0}), booleans()); }}}},
      {"masked_fill",
       cases::calls({cases::on({{{3, 4}, any}, {{3, 4}, mask}},
                               [](const Tensor& a, const Tensor& m) { return gt::masked_fill(a, m, -7); }),
                     cases::on({{{2, 3, 5}, any}, {{3, 1}, mask}, {{5}, any}}, gt::masked_fill),
                     cases::on({{{}, any}, {{}, mask}, {{}, any}}, gt::masked_fill),
                     cases::on({{{0, 3}, any}, {{3}, mask}, {{1}, any}}, gt::masked_fill)}),
       {{"masked_fill: the mask is f32; expected boolean, as comparisons give", [=] { gt::masked_fill(x(), x(), 0); }},
        {"masked_fill: mask [2, 5, 3] does not stretch to x [5, 3]",
         [=] {
           gt::masked_fill(x(), gt::zeros({2, 5, 3}, {.dtype = gt::boolean}), 0);
         }},
        {"masked_fill: value [2, 5, 3] does not stretch to x [5, 3]",
         [=] {
           gt::masked_fill(x(), booleans(), gt::zeros({2, 5, 3}));
         }},
        {"masked_fill: shapes [5, 3] and [2] do not broadcast: axis -1 has 3 against 2; sizes must be equal or 1",
         [=] { gt::masked_fill(x(), gt::zeros({2}, {.dtype = gt::boolean}), 0); }},
        {"masked_fill: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
         [=] { gt::masked_fill(x(), booleans(), gt::zeros({}, {.dtype = gt::f64})); }},
        {"masked_fill: no meaning for boolean; convert with .to(gradtape::f32)",
         [=] { gt::masked_fill(booleans(), booleans(), 0); }}}},
      {"embedding",
       cases::calls({picking({3, 4}, {5}, gt::embedding), picking({3, 2}, {2, 3}, gt::embedding),
                     picking({3}, {}, gt::embedding), picking({3, 4}, {0, 2}, gt::embedding)}),
       {{"embedding: index 5 at [0] is outside of [0, 5)", [=] { gt::embedding(x(), integers({5})); }},
        {"embedding: indices are f32; expected i64", [=] { gt::embedding(x(), x()); }},
        {"embedding: padding_idx -6 is outside of the table, which has 5 rows",
         [=] { gt::embedding(x(), integers({0}), {.padding_idx = -6}); }},
        {"embedding: axis 0 of a scalar; a scalar has no axes", [] { gt::embedding(gt::zeros({}), integers({0})); }}}},
  };
});

}  // namespace

TEST_CASE("indices: rows") { indices.check(); }

TEST_CASE("take picks along any axis, by indices of any shape, in every dtype") {
  const Tensor x = random({4, 3, 5}), rows = whole({{3, 0}, {0, 2}, {1, 1}});
  CHECK(gt::equal(gt::take(x, rows), by_index({3, 2, 3, 5}, [&](const Index& i) {
                    return at(x, {whole_at(rows, {i[0], i[1]}), i[2], i[3]});
                  })));
  const Tensor columns = integers({4, 0, 0});
  CHECK(gt::equal(gt::take(x, columns, {.axis = -1}), by_index({4, 3, 3}, [&](const Index& i) {
                    return at(x, {i[0], i[1], whole_at(columns, {i[2]})});
                  })));
  CHECK(gt::equal(gt::take(x, whole(2), {.axis = 1}), x[{Slice{}, 2}]));
  CHECK(gt::take(integers({7, 9}), integers({1, 1, 0})).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{9, 9, 7});
  CHECK(gt::take(gt::tensor({true, false}, {.dtype = gt::boolean}), integers({1, 0})).to_vector<bool>() ==
        std::vector<bool>{false, true});
  CHECK(gt::take(gt::arange(3), integers({2, 1})).to_vector<float>() == std::vector<float>{2, 1});
}

TEST_CASE("indices and tensors of any strides") {
  const Tensor x = random({5, 3}), rows = whole({{0, 9}, {2, 9}, {1, 9}})[{Slice{}, 0}];
  CHECK(gt::equal(gt::take(gt::transpose(x), rows)[1], x[{Slice{}, 2}]));
  CHECK(gt::equal(gt::take(x[{Slice{1}, Slice{1}}], rows)[2], x[{2, Slice{1}}]));
  CHECK(gt::equal(gt::take(gt::flip(x), gt::flip(rows))[0], gt::flip(x[3])));
  const Tensor stretched = gt::broadcast_to(gt::arange(3), {4, 3});
  CHECK(gt::equal(gt::take(stretched, rows), gt::broadcast_to(gt::arange(3), {3, 3})));
  const Tensor index = gt::flip(whole({{0, 1, 2}, {2, 2, 0}}));  // {0, 2, 2}, {2, 1, 0}
  CHECK(gt::equal(gt::gather(gt::flip(x), 0, index), by_index({2, 3}, [&](const Index& i) {
                    return at(x, {4 - whole_at(index, i), 2 - i[1]});
                  })));
}

TEST_CASE("gather picks an element for each index; scatter_add adds one back") {
  const Tensor x = random({3, 4, 2}), index = cases::whole(0, 4)({2, 6, 2});  // smaller in front
  CHECK(gt::equal(gt::gather(x, 1, index), by_index({2, 6, 2}, [&](const Index& i) {
                    return at(x, {i[0], whole_at(index, i), i[2]});
                  })));
  const Tensor source = random({2, 7, 3});  // larger than the index
  std::vector<double> sums = cases::doubles(x);
  cases::for_each_index({2, 6, 2}, [&](const Index& i) {
    sums[static_cast<std::size_t>(i[0] * 8 + whole_at(index, i) * 2 + i[2])] += at(source, i);
  });
  CHECK(gt::scatter_add(x, 1, index, source) == gt::approx(gt::tensor(std::span<const double>(sums), {3, 4, 2})));
  CHECK(
      gt::equal(gt::scatter_add(integers({1, 2}), 0, integers({1, 1, 0}), integers({10, 20, 30})), integers({31, 32})));
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(gt::scatter_add(integers({most}), 0, integers({0, 0}), integers({most, 3})).item<std::int64_t>() ==
        1);  // wraps around
}

TEST_CASE("take_along_axis finds what argmax found") {
  const Tensor x = random({3, 4, 5});
  for (int axis = -3; axis < 3; ++axis)
    CHECK(gt::equal(gt::take_along_axis(x, gt::argmax(x, {.axis = axis, .keepdims = true}), {.axis = axis}),
                    gt::max(x, {.axes = axis, .keepdims = true})));
  const Tensor index = whole({{{0}, {4}}});  // for every matrix, row and column
  CHECK(gt::equal(gt::take_along_axis(x, whole({{{4}}})), x[{Slice{}, Slice{}, Slice{4, 5}}]));
  CHECK(gt::take_along_axis(x[{Slice{}, Slice{0, 1}}], index).shape() == gt::Shape{3, 2, 1});
}

TEST_CASE("index_add adds slices where they are told") {
  const Tensor x = random({2, 4}), source = random({2, 3}), columns = integers({3, 0, 3});
  Tensor expected = by_index({2, 4}, [&](const Index& i) {
    return at(x, i) + (i[1] == 0   ? at(source, {i[0], 1})
                       : i[1] == 3 ? at(source, {i[0], 0}) + at(source, {i[0], 2})
                                   : 0);
  });
  CHECK(gt::index_add(x, 1, columns, source) == gt::approx(expected));
  const auto add = [&](const Tensor& a, const Tensor& b) { return gt::index_add(a, 1, columns, b); };
  const auto [dx, ds] = gt::vjp(add, {x, source}, x);
  CHECK(gt::equal(dx, x));
  CHECK(gt::equal(ds, gt::take(x, columns, {.axis = 1})));
}

TEST_CASE("the gradient adds up where an element is taken twice") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto take_of = [](const std::vector<std::int64_t>& rows) {
      return [=](const Tensor& x) { return gt::take(x, integers(rows)); };
    };
    const Tensor x = random({4, 2}, dtype), g = gt::tensor({{1, 2}, {3, 4}, {5, 6}}, {.dtype = dtype});
    CHECK(gt::equal(gt::vjp(take_of({2, 0, 2}), x, g), gt::tensor({{3, 4}, {0, 0}, {6, 8}, {0, 0}}, {.dtype = dtype})));
    const Tensor w = gt::parameter(x);  // into a gradient that is there already
    (gt::sum(take_of({1})(w)) + gt::sum(take_of({1, 3})(w)) * 10 + gt::sum(w) * 100).backward();
    CHECK(gt::equal(w.grad(), gt::tensor({{100, 100}, {111, 111}, {100, 100}, {110, 110}}, {.dtype = dtype})));
  }
}

TEST_CASE("masked_fill hides what it covers from values and gradients") {
  const Tensor x = gt::tensor({1., cases::nan, 3.}), mask = gt::tensor({false, true, false}, {.dtype = gt::boolean});
  CHECK(gt::equal(gt::masked_fill(x, mask, -cases::inf), gt::tensor({1., -cases::inf, 3.})));
  const auto fill = [&](const Tensor& a, const Tensor& v) { return gt::masked_fill(a, mask, v); };
  const auto [dx, dv] = gt::vjp(fill, {x, gt::tensor(5.)}, gt::tensor({1., 2., 3.}));
  CHECK(gt::equal(dx, gt::tensor({1., 0., 3.})));
  CHECK(gt::equal(dv, gt::tensor(2.)));
  CHECK(gt::equal(gt::masked_fill(integers({1, 2, 3}), mask, 9), integers({1, 9, 3})));
}

TEST_CASE("embedding gives no gradient for padding") {
  const Tensor table = random({4, 2}), ids = whole({{1, 3}, {3, 0}});
  for (const std::int64_t padding : {3, -1}) {
    const auto look_up = [&](const Tensor& w) { return gt::embedding(w, ids, {.padding_idx = padding}); };
    CHECK(gt::equal(look_up(table), gt::take(table, ids)));
    CHECK(gt::equal(gt::vjp(look_up, table, gt::ones({2, 2, 2}, {.dtype = gt::f64})),
                    gt::tensor({{1, 1}, {1, 1}, {0, 0}, {0, 0}}, {.dtype = gt::f64})));
  }
}
