#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::counting, cases::Index, cases::integers, cases::random, cases::shares_data;
using gt::Slice, gt::Tensor;

namespace {

const auto any = cases::between(-1, 1);

/// Calls of a function that takes a list of tensors and options.
template <class F>
std::vector<cases::Call> joining(F f, const gt::JoinOptions& options, const gt::Shape& a, const gt::Shape& b) {
  return cases::on({{a, any}, {b, any}, {a, any}}, [=](const Tensor& x, const Tensor& y, const Tensor& z) {
    return f({x, y, z}, options);
  });
}

/// One call for each part that a function of one tensor returns, at each of `shapes`.
template <class F>
std::vector<cases::Call> each_part(const std::vector<gt::Shape>& shapes, F f) {
  std::vector<cases::Call> out;
  for (const gt::Shape& shape : shapes)
    for (std::size_t i = 0; i < f(gt::zeros(shape)).size(); ++i)
      for (cases::Call& call : cases::at({shape}, any, [=](const Tensor& x) { return f(x)[i]; }))
        out.push_back(std::move(call));
  return out;
}

const cases::Rows joins([]() -> std::vector<cases::Row> {
  const auto x = [] { return gt::zeros({3, 4}); };
  const auto i64 = [] { return gt::zeros({3, 4}, {.dtype = gt::i64}); };
  const std::vector<gt::Shape> some_axes{{1}, {7}, {3, 4}, {2, 3, 5}, {0}, {3, 0}, {0, 3}};
  return {
      {"concatenate",
       cases::calls({joining(gt::concatenate, {}, {3}, {2}), joining(gt::concatenate, {}, {3, 4}, {1, 4}),
                     joining(gt::concatenate, {-1}, {3, 4}, {3, 2}),
                     joining(gt::concatenate, {1}, {2, 3, 5}, {2, 0, 5}), joining(gt::concatenate, {}, {0}, {0}),
                     cases::at({{3, 4}}, any,
                               [](const Tensor& t) {
                                 return gt::concatenate({t, t * t, t}, {1});
                               })}),
       {{"concatenate: no tensors given; expected at least one", [] { gt::concatenate({}); }},
        {"concatenate: tensor 0 is [3, 4] and tensor 1 is [3, 5]; they may differ along axis 0 only",
         [=] {
           gt::concatenate({x(), gt::zeros({3, 5})});
         }},
        {"concatenate: tensor 0 is [3, 4] and tensor 1 is [3]; they may differ along axis 1 only",
         [=] {
           gt::concatenate({x(), gt::zeros({3})}, {-1});
         }},
        {"concatenate: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::concatenate({x()}, {2}); }},
        {"concatenate: axis 0 of a scalar; a scalar has no axes", [] { gt::concatenate({gt::zeros({})}); }},
        {"concatenate: dtypes f32 and i64 do not mix; convert one with .to(gradtape::f32)",
         [=] {
           gt::concatenate({x(), i64()});
         }}}},
      {"stack",
       cases::calls({joining(gt::stack, {}, {}, {}), joining(gt::stack, {}, {3}, {3}),
                     joining(gt::stack, {-1}, {3, 4}, {3, 4}), joining(gt::stack, {1}, {2, 3, 5}, {2, 3, 5}),
                     joining(gt::stack, {1}, {3, 0}, {3, 0})}),
       {{"stack: no tensors given; expected at least one", [] { gt::stack({}); }},
        {"stack: tensor 0 is [3, 4] and tensor 1 is [4]; the shapes must be equal",
         [=] {
           gt::stack({x(), gt::zeros({4})});
         }},
        {"stack: axis 3 is out of range for rank 3; use -3 to 2", [=] { gt::stack({x()}, {3}); }},
        {"stack: the result of shape [1, 1, 1, 1, 1, 1, 1, 1] would have 9 axes; at most 8 are supported",
         [] {
           gt::stack({gt::zeros({1, 1, 1, 1, 1, 1, 1, 1})});
         }},
        {"stack: dtypes i64 and f32 do not mix; convert one with .to(gradtape::i64)",
         [=] {
           gt::stack({i64(), x()});
         }}}},
      {"split",
       cases::calls({each_part(some_axes, [](const Tensor& t) { return gt::split(t, 2, {-1}); }),
                     each_part({{6}, {6, 2}, {6, 0}},
                               [](const Tensor& t) {
                                 return gt::split(t, {2, 0, 3, 1});
                               })}),
       {{"split: pieces of 0; expected at least 1", [=] { gt::split(x(), 0); }},
        {"split: a piece of -1; expected at least 0",
         [=] {
           gt::split(x(), {4, -1});
         }},
        {"split: pieces [2, 2] do not add up to axis 0 of shape [3, 4]",
         [=] {
           gt::split(x(), {2, 2});
         }},
        {"split: pieces [2] do not add up to axis -1 of shape [3, 4]", [=] { gt::split(x(), {2}, {-1}); }},
        {"split: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::split(x(), 1, {2}); }}}},
      {"chunk",
       cases::calls({each_part(some_axes, [](const Tensor& t) { return gt::chunk(t, 3); }),
                     each_part({{3, 4}}, [](const Tensor& t) { return gt::chunk(t, 2, {1}); })}),
       {{"chunk: 0 pieces; expected at least 1", [=] { gt::chunk(x(), 0); }},
        {"chunk: axis 0 of a scalar; a scalar has no axes", [] { gt::chunk(gt::zeros({}), 2); }}}},
      {"repeat",
       cases::calls({cases::at(cases::shapes(), any, [](const Tensor& t) { return gt::repeat(t, 3); }),
                     cases::at(some_axes, any, [](const Tensor& t) { return gt::repeat(t, 2, {.axis = -1}); }),
                     cases::at({{3, 4}}, any, [](const Tensor& t) { return gt::repeat(t, 0, {.axis = 0}); })}),
       {{"repeat: -1 times; expected at least 0", [=] { gt::repeat(x(), -1); }},
        {"repeat: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::repeat(x(), 2, {.axis = 2}); }},
        {"repeat: [12, 4611686018427387904] has more elements than can be counted",
         [=] { gt::repeat(x(), std::int64_t{1} << 62); }}}},
      {"tile",
       cases::calls({cases::at(cases::shapes(), any, [](const Tensor& t) { return gt::tile(t, 3); }),
                     cases::at(some_axes, any,
                               [](const Tensor& t) {
                                 return gt::tile(t, {2, 3});
                               }),
                     cases::at({{2, 3, 5}, {2, 0, 5}}, any,
                               [](const Tensor& t) {
                                 return gt::tile(t, {2, 1, 3, 2});
                               }),
                     cases::at({{3, 4}}, any,
                               [](const Tensor& t) {
                                 return gt::tile(t, {0, 2});
                               })}),
       {{"tile: -1 times in {2, -1}; expected at least 0",
         [=] {
           gt::tile(x(), {2, -1});
         }},
        {"tile: [4, 4611686018427387904] has more elements than can be counted",
         [=] { gt::tile(x(), std::int64_t{1} << 62); }}}},
      {"roll",
       cases::calls({cases::at(cases::shapes(), any, [](const Tensor& t) { return gt::roll(t, 2); }),
                     cases::at(some_axes, any, [](const Tensor& t) { return gt::roll(t, -1, {.axes = -1}); }),
                     cases::at({{3, 4}}, any,
                               [](const Tensor& t) {
                                 return gt::roll(t, {1, 6}, {.axes = {0, 1}});
                               })}),
       {{"roll: 2 shifts for 1 axes; they must be as many",
         [=] {
           gt::roll(x(), {1, 2}, {.axes = 0});
         }},
        {"roll: 2 shifts for 0 axes; they must be as many",
         [=] {
           gt::roll(x(), {1, 2});
         }},
        {"roll: axis 2 is out of range for rank 2; use -2 to 1", [=] { gt::roll(x(), 1, {.axes = 2}); }}}},
  };
});

}  // namespace

TEST_CASE("joins: rows") { joins.check(); }

TEST_CASE("concatenate and stack put every tensor in its place, whatever its strides") {
  const Tensor a = random({2, 3}), b = gt::transpose(random({3, 4})), c = gt::flip(random({1, 3}));
  const Tensor rows = gt::concatenate({a, b, c});
  CHECK(gt::equal(rows, by_index({7, 3}, [&](const Index& i) {
                    return i[0] < 2 ? at(a, i) : i[0] < 6 ? at(b, {i[0] - 2, i[1]}) : at(c, {0, i[1]});
                  })));
  CHECK(rows.array().packed());
  const Tensor d = gt::broadcast_to(random({2, 1}), {2, 2}), columns = gt::concatenate({a, d}, {.axis = -1});
  CHECK(gt::equal(columns, by_index({2, 5}, [&](const Index& i) {
                    return i[1] < 3 ? at(a, i) : at(d, {i[0], i[1] - 3});
                  })));
  const Tensor e = gt::flip(a, 1);
  for (int axis = -3; axis < 3; ++axis) {
    const Tensor y = gt::stack({a, e}, {.axis = axis});
    const int place = (axis + 3) % 3;
    CHECK(y.shape()[place] == 2);
    gt::Shape shape = y.shape();
    CHECK(gt::equal(y, by_index(shape, [&](Index i) {
                      const bool second = i[static_cast<std::size_t>(place)] == 1;
                      i.erase(i.begin() + place);
                      return at(second ? e : a, i);
                    })));
  }
  CHECK(gt::stack({gt::tensor(1), gt::tensor(2)}).to_vector<float>() == std::vector<float>{1, 2});
  CHECK(gt::concatenate({integers({1, 2}), integers({}), integers({3})}).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{1, 2, 3});
  CHECK(gt::concatenate({gt::tensor({true}, {.dtype = gt::boolean}), gt::tensor({false}, {.dtype = gt::boolean})})
            .to_vector<bool>() == std::vector<bool>{true, false});
}

TEST_CASE("the gradient of concatenate goes back in parts, to each tensor that needs one") {
  const Tensor a = gt::parameter(random({2, 3})), b = gt::parameter(random({1, 3})), g = random({5, 3});
  const Tensor y = gt::concatenate({a, random({1, 3}), b, b});
  CHECK(gt::tape_string(y).starts_with("#2   concatenate(#0, ·, #1, #1)"));
  const auto [da, db] = gt::grad(gt::sum(y * g), {a, b});
  CHECK(gt::equal(da, g[Slice{0, 2}]));
  CHECK(gt::equal(db, g[Slice{3, 4}] + g[Slice{4, 5}]));
  {
    const gt::NoGrad off;
    CHECK_FALSE(gt::concatenate({a, b}).requires_grad());
  }
  CHECK_FALSE(gt::concatenate({g, g}).requires_grad());
  std::vector<Tensor> many;  // more inputs than a mask of bits could name
  for (int i = 0; i < 100; ++i) many.push_back(gt::parameter(gt::full({1}, i)));
  const std::vector<Tensor> all = gt::grad(gt::sum(gt::square(gt::concatenate(many))), many);
  for (int i = 0; i < 100; ++i) CHECK(all[static_cast<std::size_t>(i)].item() == 2 * i);
}

TEST_CASE("split and chunk cut into views") {
  const Tensor x = counting({7, 2});
  const auto sizes = [&](const std::vector<Tensor>& parts) {
    std::vector<std::int64_t> out;
    std::int64_t begin = 0;
    for (const Tensor& part : parts) {
      out.push_back(part.shape()[0]);
      CHECK(shares_data(part, x));
      CHECK(gt::equal(part, by_index(part.shape(), [&](const Index& i) { return at(x, {i[0] + begin, i[1]}); })));
      begin += out.back();
    }
    return out;
  };
  using Sizes = std::vector<std::int64_t>;
  CHECK(sizes(gt::split(x, 3)) == Sizes{3, 3, 1});
  CHECK(sizes(gt::split(x, 7)) == Sizes{7});
  CHECK(sizes(gt::split(x, 100)) == Sizes{7});
  CHECK(sizes(gt::split(x, {2, 0, 5})) == Sizes{2, 0, 5});
  CHECK(sizes(gt::split(x, gt::Pieces(Sizes(7, 1)))) == Sizes(7, 1));
  CHECK(sizes(gt::chunk(x, 3)) == Sizes{3, 3, 1});
  CHECK(sizes(gt::chunk(x, 4)) == Sizes{2, 2, 2, 1});
  CHECK(sizes(gt::chunk(x, 5)) == Sizes{2, 2, 2, 1});  // at most
  CHECK(sizes(gt::chunk(x, 100)) == Sizes(7, 1));
  CHECK(gt::split(gt::zeros({0, 2}), 3).size() == 1);
  CHECK(gt::split(x, 1, {.axis = 1})[1].to_vector<double>() == std::vector<double>{1, 3, 5, 7, 9, 11, 13});
  const Tensor w = gt::parameter(gt::zeros({5}));
  const auto parts = gt::split(w, {2, 3});
  (gt::sum(parts[0] * 2) + gt::sum(parts[1] * 3)).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({2, 2, 3, 3, 3})));
}

TEST_CASE("repeat repeats elements, tile the whole") {
  const Tensor x = counting({2, 3});
  CHECK(gt::equal(gt::repeat(x, 2, {.axis = 1}), by_index({2, 6}, [&](const Index& i) {
                    return at(x, {i[0], i[1] / 2});
                  })));
  CHECK(gt::equal(gt::repeat(x, 3, {.axis = 0}), by_index({6, 3}, [&](const Index& i) {
                    return at(x, {i[0] / 3, i[1]});
                  })));
  CHECK(gt::repeat(x, 2).to_vector<double>() == std::vector<double>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
  CHECK(gt::repeat(x, 0, {.axis = 1}).shape() == gt::Shape{2, 0});
  const auto tiled = [&](const gt::IntegerList& counts, const gt::Shape& shape) {
    CHECK(gt::equal(gt::tile(x, counts), by_index(shape, [&](const Index& i) {
                      return at(x, {i[i.size() - 2] % 2, i[i.size() - 1] % 3});
                    })));
  };
  tiled({}, {2, 3});
  tiled(2, {2, 6});
  tiled({3, 2}, {6, 6});
  tiled({2, 1, 2}, {2, 2, 6});
  tiled({2, 2, 1, 1}, {2, 2, 2, 3});
  CHECK(gt::tile(x, {0, 2}).shape() == gt::Shape{0, 6});
  CHECK(gt::tile(gt::tensor(5), 3).to_vector<float>() == std::vector<float>{5, 5, 5});
  const auto sevenfold = [](const Tensor& t) { return gt::tile(gt::repeat(t, 7, {.axis = 0}), {1, 2}); };
  CHECK(gt::equal(gt::vjp(sevenfold, x, gt::ones({14, 6}, {.dtype = gt::f64})),
                  gt::full({2, 3}, 14, {.dtype = gt::f64})));
}

TEST_CASE("roll pushes elements round") {
  const Tensor x = counting({3, 4});
  const auto rolled = [&](std::int64_t down, std::int64_t right) {
    return by_index({3, 4}, [&](const Index& i) {
      return at(x, {((i[0] - down) % 3 + 3) % 3, ((i[1] - right) % 4 + 4) % 4});
    });
  };
  for (std::int64_t n = -9; n <= 9; ++n) {
    CHECK(gt::equal(gt::roll(x, n, {.axes = 0}), rolled(n, 0)));
    CHECK(gt::equal(gt::roll(x, n, {.axes = -1}), rolled(0, n)));
    CHECK(gt::equal(gt::roll(x, {n, 1}, {.axes = {1, 0}}), rolled(1, n)));
  }
  CHECK(gt::roll(x, 1).to_vector<double>() == std::vector<double>{11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(gt::equal(gt::roll(x, {1, 1}, {.axes = {0, 0}}), rolled(2, 0)));
  CHECK(gt::equal(gt::roll(x, std::numeric_limits<std::int64_t>::min(), {.axes = 1}), x));
}
