#include <gradtape/ops/kernels/winograd.hpp>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <ops/cases.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
namespace detail = gradtape::detail;
using gt::Tensor;

namespace {

/// Windows of 3 x 3 that are one apart.
detail::Convolution convolution(const gt::Shape& x, std::int64_t out, const detail::Pair& padding) {
  const detail::Windows windows{.image = {x[2], x[3]},
                                .count = {x[2] + 2 * padding[0] - 2, x[3] + 2 * padding[1] - 2},
                                .size = {3, 3},
                                .stride = {1, 1},
                                .padding = padding,
                                .dilation = {1, 1}};
  return {x, {out, x[1], 3, 3}, {x[0], out, windows.count[0], windows.count[1]}, windows, 1};
}

/// Whole numbers so small that every sum is exact, halves and quarters included.
Tensor whole(const gt::Shape& shape) { return gt::randint(-4, 5, shape).to(gt::f32); }

/// The same elements, neither packed nor next to each other.
Tensor strided(const Tensor& x) { return gt::transpose(gt::contiguous(gt::transpose(x))); }

const std::vector<detail::Convolution> convolutions{
    convolution({4, 24, 8, 10}, 30, {1, 1}),    // no channels that fill registers
    convolution({9, 16, 7, 7}, 16, {1, 1}),     // odd images, blocks of tiles that end within one
    convolution({7, 24, 10, 11}, 16, {0, 0}),   //
    convolution({3, 16, 5, 6}, 16, {4, 3}),     // windows that see padding alone
    convolution({3, 24, 12, 12}, 32, {1, 2}),   //
    convolution({40, 32, 14, 14}, 32, {1, 1}),  // several blocks and sums
    convolution({1, 64, 80, 60}, 16, {2, 2}),   // several blocks of one sample
};

}  // namespace

TEST_CASE("convolution by fewer multiplications: three products, each into what is there or not") {
  for (const detail::Convolution& c : convolutions)
    for (const bool packed : {true, false}) {
      CAPTURE(gt::to_string(c.x));
      CAPTURE(packed);
      const auto read = [=](const Tensor& t) { return packed ? t : strided(t); };
      const Tensor x = read(whole(c.x)), w = read(whole(c.weight)), g = read(whole(c.y)), b = whole({c.y[1]});
      const auto [y, gradients] = [&] {
        const gt::ConvOptions options{.padding = {c.windows.padding[0], c.windows.padding[1]}};
        const auto f = [&](const Tensor& t, const Tensor& u) { return gt::conv2d(t, u, {}, options); };
        return std::pair(f(x.to(gt::f64), w.to(gt::f64)), gt::vjp(f, {x.to(gt::f64), w.to(gt::f64)}, g.to(gt::f64)));
      }();
      for (const double beta : {0., 1.}) {
        const auto is = [&](const Tensor& out, const Tensor& expected) {
          CHECK(gt::equal(out.to(gt::f64), expected + (beta == 0 ? 0 : 5)));
        };
        const auto to = [](const gt::Shape& shape) { return gt::full(shape, 5, {.dtype = gt::f32}); };
        const Tensor out = to(c.y), back = to(c.x), weight = to(c.weight);
        CHECK(detail::winograd_convolve(c, out.array(), x.array(), w.array(), beta, nullptr));
        is(out, y);
        CHECK(detail::winograd_convolve_back(c, back.array(), g.array(), w.array(), beta));
        is(back, gradients[0]);
        CHECK(detail::winograd_correlate(c, weight.array(), g.array(), x.array(), beta));
        is(weight, gradients[1]);
      }
      const Tensor out = gt::zeros(c.y, {.dtype = gt::f32});
      CHECK(detail::winograd_convolve(c, out.array(), x.array(), w.array(), 0, &b.array()));
      CHECK(gt::equal(out.to(gt::f64), y + gt::reshape(b.to(gt::f64), {-1, 1, 1})));
    }
}

TEST_CASE("convolution by fewer multiplications: rounding") {
  const Tensor x = gt::randn({8, 32, 20, 20}), w = gt::randn({32, 32, 3, 3});
  const Tensor exact = gt::conv2d(x.to(gt::f64), w.to(gt::f64));
  const Tensor error = gt::abs(gt::conv2d(x, w).to(gt::f64) - exact);
  CHECK(gt::max(error).item<double>() < 1e-6 * gt::max(gt::abs(exact)).item<double>());
}

TEST_CASE("convolution by fewer multiplications: what is not moderate reaches what sees it and nothing else") {
  const gt::Shape shape{8, 16, 8, 8};
  const auto one = [&](const gt::Shape& s, std::int64_t place, double value) {
    return gt::masked_fill(gt::ones(s), gt::reshape(gt::arange(s.numel()), s) == place, value);
  };
  const auto f = [](const Tensor& x, const Tensor& w) { return gt::conv2d(x, w); };
  const Tensor ones = gt::ones(shape), w = gt::ones({16, 16, 3, 3}), g = gt::ones({8, 16, 6, 6});
  const auto infinite = [](const Tensor& x) { return gt::sum(gt::where(gt::isfinite(x), 0, 1)).item<double>(); };
  const auto of_f64 = [&](const Tensor& x, const Tensor& k) { return f(x.to(gt::f64), k.to(gt::f64)).to(gt::f32); };
  for (const double value : {cases::nan, cases::inf, -cases::inf, 3e38}) {
    CAPTURE(value);
    const bool finite = std::isfinite(value);
    const Tensor corner = one(shape, 3 * 64, value), second = one(shape, 3 * 64 + 9, value),
                 inner = one(shape, 3 * 64 + 3 * 8 + 3, value), weight = one(w.shape(), 4, value);
    CHECK(infinite(f(corner, w)) == (finite ? 0 : 16));
    CHECK(infinite(f(inner, w)) == (finite ? 0 : 16 * 9));
    CHECK(f(corner, w)[{0, 0, 0, 1}].item<double>() == 144);
    CHECK(infinite(f(ones, weight)) == (finite ? 0 : 8 * 36));
    const auto [dx, dw] = gt::vjp(f, {corner, w}, g);
    CHECK(infinite(dw) == (finite ? 0 : 16));  // the first element of each kernel over that channel
    const auto [unused_dx, of_second] = gt::vjp(f, {second, w}, g);
    CHECK(infinite(of_second) == (finite ? 0 : 16 * 4));
    const auto [back, unused_dw] = gt::vjp(f, {ones, w}, one(g.shape(), 0, value));
    CHECK(infinite(back) == (finite ? 0 : 16 * 9));
    CHECK(back[{0, 0, 0, 3}].item<double>() == 16 * 3);
    const auto [from, again] = gt::vjp(f, {ones, weight}, g);
    CHECK(infinite(from) == (finite ? 0 : 8 * 36));
    if (std::isnan(value)) continue;  // infinity stays what it is
    for (const Tensor& x : {corner, second, inner}) CHECK(gt::equal(f(x, w), of_f64(x, w)));
    CHECK(gt::equal(f(ones, weight), of_f64(ones, weight)));
    const auto [exact_dx, exact_dw] = gt::vjp(f, {second.to(gt::f64), w.to(gt::f64)}, g.to(gt::f64));
    CHECK(gt::equal(of_second, exact_dw.to(gt::f32)));
  }
}

TEST_CASE("convolution by fewer multiplications: left to others") {
  const auto taken = [](const detail::Convolution& c, gt::Dtype dtype = gt::f32) {
    const auto zeros = [=](const gt::Shape& shape) { return gt::zeros(shape, {.dtype = dtype}).array(); };
    return detail::winograd_convolve(c, zeros(c.y), zeros(c.x), zeros(c.weight), 0, nullptr);
  };
  const detail::Convolution c = convolution({4, 16, 8, 8}, 16, {1, 1});
  CHECK(taken(c));
  CHECK_FALSE(taken(c, gt::f64));
  CHECK_FALSE(taken(convolution({4, 15, 8, 8}, 16, {1, 1})));
  CHECK_FALSE(taken(convolution({1, 16, 8, 8}, 16, {1, 1})));
  CHECK_FALSE(taken(convolution({40, 16, 3, 3}, 16, {1, 1})));  // more than half of each tile would be no result
  CHECK_FALSE(taken(convolution({40, 16, 0, 8}, 16, {4, 1})));
}
