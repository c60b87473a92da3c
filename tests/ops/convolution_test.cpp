#include <array>

#include <ops/rows.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::random;
using gt::Tensor;

namespace {

/// conv2d with options, of x, weight and, if there are three, bias.
auto conv(const gt::ConvOptions& options = {}) {
  return [=](const Tensor& x, const Tensor& w, const auto&... b) { return gt::conv2d(x, w, Tensor(b...), options); };
}
auto conv_in_1d(const gt::ConvOptions& options = {}) {
  return [=](const Tensor& x, const Tensor& w, const auto&... b) { return gt::conv1d(x, w, Tensor(b...), options); };
}
auto transposed(const gt::ConvTransposeOptions& options = {}) {
  return [=](const Tensor& x, const Tensor& w, const auto&... b) {
    return gt::conv_transpose2d(x, w, Tensor(b...), options);
  };
}

const cases::Rows rows([]() -> std::vector<cases::Row> {
  const auto any = cases::between(-1, 1);
  const auto zeros = [](const gt::Shape& shape) { return gt::zeros(shape); };
  const auto on = [=](std::initializer_list<gt::Shape> shapes, auto f) {
    const auto at = [&](int i) { return cases::Operand{shapes.begin()[i], any}; };
    return shapes.size() == 2 ? cases::on({at(0), at(1)}, f) : cases::on({at(0), at(1), at(2)}, f);
  };
  return {
      {.op = "conv1d",
       .calls = cases::calls({
           on({{2, 3, 7}, {4, 3, 3}, {4}}, conv_in_1d()),
           on({{2, 4, 9}, {6, 2, 3}}, conv_in_1d({.stride = 2, .padding = 3, .dilation = 2, .groups = 2})),
           on({{0, 3, 7}, {4, 3, 3}, {4}}, conv_in_1d()),
       }),
       .misuse =
           {
               {"conv1d: x [2, 3], weight [4, 3, 3] do not fit; expected x [n, c, l], weight [out, c / groups, k], "
                "bias [out]",
                [=] {
                  gt::conv1d(zeros({2, 3}), zeros({4, 3, 3}));
                }},
               {"conv1d: a kernel of 5 does not fit into axis 2 of [2, 3, 4]",
                [=] {
                  gt::conv1d(zeros({2, 3, 4}), zeros({4, 3, 5}));
                }},
               {"conv1d: stride is {1, 2}; expected one number",
                [=] {
                  gt::conv1d(zeros({2, 3, 4}), zeros({4, 3, 2}), {}, {.stride = {1, 2}});
                }},
           }},
      {.op = "conv2d",
       .calls = cases::calls({
           on({{2, 3, 5, 6}, {4, 3, 3, 2}, {4}}, conv()),
           on({{2, 3, 5, 4}, {2, 3, 1, 1}, {2}}, conv()),
           on({{2, 2, 6, 7}, {3, 2, 3, 3}}, conv({.stride = 2, .padding = 1})),
           on({{1, 4, 6, 5}, {6, 2, 2, 3}, {6}}, conv({.stride = {1, 2}, .padding = {2, 0}, .groups = 2})),
           on({{2, 3, 7, 6}, {3, 1, 2, 3}}, conv({.padding = 4, .dilation = {3, 2}, .groups = 3})),
           on({{0, 3, 5, 6}, {4, 3, 3, 2}, {4}}, conv()),
           on({{2, 0, 5, 6}, {4, 0, 3, 2}, {4}}, conv()),
           on({{2, 3, 5, 6}, {0, 3, 3, 2}, {0}}, conv()),
           on({{2, 3, 0, 6}, {4, 3, 1, 2}}, conv({.padding = 1})),
       }),
       .misuse =
           {
               {"conv2d: x [2, 3, 5, 5], weight [4, 2, 3, 3] and bias [4] do not fit; expected x [n, c, h, w], weight "
                "[out, c / groups, kh, kw], bias [out]",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 2, 3, 3}), zeros({4}));
                }},
               {"conv2d: x [2, 3, 5, 5], weight [4, 3, 3, 3] and bias [3] do not fit; expected x [n, c, h, w], weight "
                "[out, c / groups, kh, kw], bias [out]",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), zeros({3}));
                }},
               {"conv2d: x [2, 4, 5, 5], weight [3, 2, 3, 3] do not fit with 2 groups; expected x [n, c, h, w], weight "
                "[out, c / groups, kh, kw], bias [out]",
                [=] {
                  gt::conv2d(zeros({2, 4, 5, 5}), zeros({3, 2, 3, 3}), {}, {.groups = 2});
                }},
               {"conv2d: x [2, 3, 5, 5], weight [4, 3, 0, 3] do not fit; expected x [n, c, h, w], weight [out, c / "
                "groups, kh, kw], bias [out]",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 0, 3}));
                }},
               {"conv2d: a kernel of 3 with dilation 4 does not fit into axis 3 of [2, 3, 5, 6] with a padding of 1",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 6}), zeros({4, 3, 1, 3}), {}, {.padding = 1, .dilation = 4});
                }},
               {"conv2d: stride is 0; expected at least 1",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), {}, {.stride = 0});
                }},
               {"conv2d: padding is -1; expected at least 0",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), {}, {.padding = {0, -1}});
                }},
               {"conv2d: dilation is {1, 1, 1}; expected one number, or one for each of two axes",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), {}, {.dilation = {1, 1, 1}});
                }},
               {"conv2d: groups is 0; expected at least 1",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), {}, {.groups = 0});
                }},
               {"conv2d: a padding of 9223372036854775807 is larger than can be counted",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), {},
                             {.padding = std::numeric_limits<std::int64_t>::max()});
                }},
               {"conv2d: a kernel of 3 with dilation 9223372036854775807 is larger than can be counted",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), zeros({4, 3, 3, 3}), {},
                             {.dilation = std::numeric_limits<std::int64_t>::max()});
                }},
               {"conv2d: dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
                [=] {
                  gt::conv2d(zeros({2, 3, 5, 5}), gt::zeros({4, 3, 3, 3}, {.dtype = gt::f64}));
                }},
               {"conv2d: no meaning for i64; convert with .to(gradtape::f32)",
                [=] {
                  gt::conv2d(gt::zeros({2, 3, 5, 5}, {.dtype = gt::i64}), zeros({4, 3, 3, 3}));
                }},
           }},
      {.op = "conv_transpose2d",
       .calls = cases::calls({
           on({{2, 3, 3, 4}, {3, 2, 3, 2}, {2}}, transposed()),
           on({{2, 2, 3, 4}, {2, 3, 1, 1}}, transposed()),
           on({{2, 2, 3, 4}, {2, 3, 3, 3}}, transposed({.stride = 2, .padding = 1, .output_padding = 1})),
           on({{1, 4, 3, 2}, {4, 3, 2, 3}, {6}},
              transposed({.stride = {1, 3}, .padding = {2, 0}, .output_padding = {2, 1}, .groups = 2, .dilation = 3})),
           on({{0, 3, 3, 4}, {3, 2, 3, 2}, {2}}, transposed()),
           on({{2, 3, 3, 4}, {3, 0, 3, 2}, {0}}, transposed()),
           on({{2, 0, 3, 4}, {0, 2, 3, 2}, {2}}, transposed()),
       }),
       .misuse =
           {
               {"conv_transpose2d: x [2, 3, 5, 5], weight [2, 3, 3, 3] do not fit; expected x [n, c, h, w], weight [c, "
                "out / groups, kh, kw], bias [out]",
                [=] {
                  gt::conv_transpose2d(zeros({2, 3, 5, 5}), zeros({2, 3, 3, 3}));
                }},
               {"conv_transpose2d: x [2, 4, 5, 5], weight [4, 3, 3, 3] and bias [3] do not fit with 2 groups; expected "
                "x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out]",
                [=] {
                  gt::conv_transpose2d(zeros({2, 4, 5, 5}), zeros({4, 3, 3, 3}), zeros({3}), {.groups = 2});
                }},
               {"conv_transpose2d: output_padding is 2; expected less than the stride 2 or the dilation 1",
                [=] {
                  gt::conv_transpose2d(zeros({2, 3, 5, 5}), zeros({3, 3, 3, 3}), {},
                                       {.stride = 2, .output_padding = 2});
                }},
               {"conv_transpose2d: axis 2 of the result for x [2, 3, 1, 1] and weight [3, 3, 3, 3] would have no "
                "elements, or more than can be counted",
                [=] {
                  gt::conv_transpose2d(zeros({2, 3, 1, 1}), zeros({3, 3, 3, 3}), {}, {.padding = 2});
                }},
               {"conv_transpose2d: groups is -1; expected at least 1",
                [=] {
                  gt::conv_transpose2d(zeros({2, 3, 5, 5}), zeros({3, 3, 3, 3}), {}, {.groups = -1});
                }},
           }},
  };
});

/// A convolution for the loops below.
struct Plain {
  gt::Shape x, weight;
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};
  std::int64_t groups = 1;
};

const std::vector<Plain> plain{
    {{2, 3, 5, 6}, {4, 3, 3, 2}},
    {{3, 1, 28, 28}, {16, 1, 3, 3}},
    {{1, 6, 9, 8}, {4, 3, 2, 3}, {2, 1}, {1, 3}, {2, 1}, 2},
    {{2, 4, 7, 30}, {4, 1, 3, 3}, {1, 3}, {1, 1}, {1, 1}, 4},
    {{2, 5, 4, 4}, {3, 5, 1, 1}},
    {{2, 5, 6, 6}, {3, 5, 1, 1}, {2, 2}},
    {{1, 40, 40, 41}, {3, 40, 3, 3}, {1, 1}, {1, 1}},  // several blocks of columns
    {{2, 64, 9, 9}, {8, 64, 5, 5}, {1, 1}, {2, 2}},    // of few windows
    {{1, 2, 3, 3}, {2, 2, 2, 2}, {1, 1}, {5, 6}},      // windows that see padding alone
};

/// Calls f(y, weight, x) with the flat places of three numbers of every product.
template <class F>
void for_each_product(const Plain& p, const gt::Shape& y, F f) {
  const gt::Shape &x = p.x, &w = p.weight;
  std::int64_t at = 0;
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t o = 0; o < y[1]; ++o)
      for (std::int64_t r = 0; r < y[2]; ++r)
        for (std::int64_t s = 0; s < y[3]; ++s, ++at)
          for (std::int64_t c = 0; c < w[1]; ++c)
            for (std::int64_t i = 0; i < w[2]; ++i)
              for (std::int64_t j = 0; j < w[3]; ++j) {
                const std::int64_t channel = o / (w[0] / p.groups) * w[1] + c;
                const std::int64_t row = r * p.stride[0] - p.padding[0] + i * p.dilation[0],
                                   col = s * p.stride[1] - p.padding[1] + j * p.dilation[1];
                if (row >= 0 && row < x[2] && col >= 0 && col < x[3])
                  f(static_cast<std::size_t>(at), static_cast<std::size_t>(((o * w[1] + c) * w[2] + i) * w[3] + j),
                    static_cast<std::size_t>(((n * x[1] + channel) * x[2] + row) * x[3] + col));
              }
}

Tensor f64_of(const std::vector<double>& values, const gt::Shape& shape) {
  return gt::tensor(std::span(values), shape);
}

}  // namespace

TEST_CASE("convolution: rows") { rows.check(); }

TEST_CASE("conv2d and its gradients equal plain loops") {
  const gt::RandomStream stream(5);
  for (const Plain& p : plain)
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      CAPTURE(gt::to_string(p.x));
      CAPTURE(gt::to_string(p.weight));
      const Tensor x = random(p.x, gt::f32), w = random(p.weight, gt::f32), b = random({p.weight[0]}, gt::f32);
      const gt::ConvOptions options{.stride = {p.stride[0], p.stride[1]},
                                    .padding = {p.padding[0], p.padding[1]},
                                    .dilation = {p.dilation[0], p.dilation[1]},
                                    .groups = p.groups};
      const Tensor y = gt::conv2d(x.to(dtype), w.to(dtype), b.to(dtype), options);
      for (int axis = 0; axis < 2; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        CHECK(y.shape()[axis + 2] ==
              (p.x[axis + 2] + 2 * p.padding[a] - p.dilation[a] * (p.weight[axis + 2] - 1) - 1) / p.stride[a] + 1);
      }
      const Tensor g = random(y.shape(), gt::f32);
      const auto xs = cases::doubles(x), ws = cases::doubles(w), gs = cases::doubles(g), bs = cases::doubles(b);
      std::vector<double> ys(gs.size()), xg(xs.size()), wg(ws.size()), bg(bs.size());
      const std::size_t plane = static_cast<std::size_t>(y.shape()[2] * y.shape()[3]);
      for (std::size_t i = 0; i < ys.size(); ++i) {
        ys[i] = bs[i / plane % bs.size()];
        bg[i / plane % bs.size()] += gs[i];
      }
      for_each_product(p, y.shape(), [&](std::size_t to, std::size_t weight, std::size_t from) {
        ys[to] += ws[weight] * xs[from];
        xg[from] += gs[to] * ws[weight];
        wg[weight] += gs[to] * xs[from];
      });
      const auto close = [&](const std::vector<double>& values, const gt::Shape& shape) {
        return gt::approx(f64_of(values, shape).to(dtype)).atol(dtype == gt::f32 ? 5e-5 : 1e-12);  // of sums
      };
      CHECK(y == close(ys, y.shape()));
      const auto f = [&](const Tensor& t, const Tensor& u, const Tensor& v) { return gt::conv2d(t, u, v, options); };
      const auto [dx, dw, db] = gt::vjp(f, {x.to(dtype), w.to(dtype), b.to(dtype)}, g.to(dtype));
      CHECK(dx == close(xg, p.x));
      CHECK(dw == close(wg, p.weight));
      CHECK(db == close(bg, b.shape()));
      CHECK(gt::conv2d(x.to(dtype), w.to(dtype), {}, options) ==
            gt::approx(y - gt::reshape(b.to(dtype), {-1, 1, 1})).atol(dtype == gt::f32 ? 5e-5 : 1e-12));
      // A transposed convolution is the gradient by x; what the windows do not reach is output_padding.
      gt::IntegerList more;
      for (int axis = 2; axis < 4; ++axis) {
        const auto a = static_cast<std::size_t>(axis - 2);
        more.push_back(p.x[axis] - ((y.shape()[axis] - 1) * p.stride[a] - 2 * p.padding[a] +
                                    p.dilation[a] * (p.weight[axis] - 1) + 1));
      }
      CHECK(gt::conv_transpose2d(g.to(dtype), w.to(dtype), {},
                                 {.stride = options.stride,
                                  .padding = options.padding,
                                  .output_padding = more,
                                  .groups = p.groups,
                                  .dilation = options.dilation}) == close(xg, p.x));
    }
}

TEST_CASE("convolutions on paper") {
  const Tensor x = gt::tensor({{{1., 2., 3., 4.}}}), w = gt::tensor({{{1., -2.}}}), b = gt::tensor({10.});
  CHECK(gt::equal(gt::conv1d(x, w), gt::tensor({{{-3., -4., -5.}}})));  // the kernel is not turned round
  CHECK(gt::equal(gt::conv1d(x, w, b, {.stride = 2, .padding = 1}), gt::tensor({{{8., 6., 14.}}})));
  const Tensor image = gt::tensor({{{{1., 2.}, {3., 4.}}}}), kernel = gt::tensor({{{{1., 10.}}}});
  CHECK(gt::equal(gt::conv_transpose2d(image, kernel, b, {.stride = {1, 2}}),
                  gt::tensor({{{{11., 20., 12., 30.}, {13., 40., 14., 50.}}}})));
}

TEST_CASE("a sum of gradients takes those of convolutions in place") {
  const Tensor x = gt::parameter(random({2, 2, 5, 5})), w = gt::parameter(random({2, 2, 3, 3})),
               point = gt::parameter(random({2, 2, 1, 1}));
  const auto y = [&](const Tensor& v) { return gt::sum(gt::conv2d(v, w) * 2); };
  const auto z = [&](const Tensor& v) { return gt::sum(gt::conv2d(v, point) * 3); };
  const auto [a, aw] = gt::grad(y(x), {x, w});
  const auto [c, cp] = gt::grad(z(x), {x, point});
  const auto [both, bw, bp] = gt::grad(y(x) + z(x) + y(x), {x, w, point});
  CHECK(both == gt::approx(a + c + a));
  CHECK(bw == gt::approx(aw + aw));
  CHECK(bp == gt::approx(cp));
}

TEST_CASE("conv2d: NaN and infinity reach what sees them and nothing else") {
  Tensor x = gt::full({1, 1, 4, 5}, 1, {.dtype = gt::f32});
  for (const double value : {cases::nan, cases::inf}) {
    const Tensor mark = gt::reshape(gt::arange(20), {1, 1, 4, 5}) == 7;
    const Tensor y = gt::conv2d(gt::masked_fill(x, mark, value), gt::ones({1, 1, 2, 2}));
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t c = 0; c < 4; ++c)
        CHECK(std::isfinite(y[{0, 0, r, c}].item()) == !(r <= 1 && (c == 1 || c == 2)));
  }
}
