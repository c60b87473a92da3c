#include <numbers>

#include <ops/exact.hpp>

namespace gt = gradtape;
using cases::between, cases::inf, cases::L, cases::vector;

namespace {

const auto leaky = [](const gt::Tensor& x) { return gt::leaky_relu(x, {.negative_slope = 0.2}); };
const auto steep = [](const gt::Tensor& x) { return gt::softplus(x, {.beta = 3, .threshold = 4}); };
const auto gelu_tanh = [](const gt::Tensor& x) { return gt::gelu(x, {.approximate = gt::GeluOptions::tanh}); };
const auto elu_of_2 = [](const gt::Tensor& x) { return gt::elu(x, {.alpha = 2}); };

const cases::Rows activations([]() -> std::vector<cases::Row> {
  using cases::also, cases::floating, cases::unary;
  using gt::Tensor;
  const auto any = between(-3, 3), kink = cases::away_from(0);
  const auto off = [](double at) { return cases::away_from(at); };
  std::vector<cases::Call> halves;
  for (const gt::Shape& shape : {gt::Shape{2}, {6, 4}, {2, 4, 6}, {0}, {2, 0}, {0, 2}})
    for (int axis = 0; axis < shape.rank(); ++axis)
      halves =
          cases::calls({halves, cases::at({shape}, any, [=](const Tensor& x) { return gt::glu(x, {.axis = axis}); })});
  return {
      floating("sigmoid", gt::sigmoid, any, 3),
      floating("log_sigmoid", gt::log_sigmoid, any),
      floating("softsign", gt::softsign, kink),
      floating("silu", gt::silu, any),
      floating("mish", gt::mish, any),
      also(floating("hardswish", gt::hardswish, between(-2.5, 2.5)),
           cases::calls({unary(gt::hardswish, off(3)), unary(gt::hardswish, off(-3))})),
      also(floating("relu", gt::relu, kink),
           unary([](const Tensor& x) { return gt::relu(x) * x; }, kink)),  // a second derivative
      also(floating("softplus", gt::softplus, any, 3), unary(steep, between(-2, 1.2)),
           {{"softplus: beta is 0; the result would be infinite", [] { gt::softplus(gt::zeros({2}), {.beta = 0}); }}}),
      also(floating("leaky_relu", gt::leaky_relu, kink), unary(leaky, kink)),
      also(floating("elu", gt::elu, kink), unary(elu_of_2, kink)),
      floating("selu", gt::selu, kink),
      also(floating("gelu", gt::gelu, any, 3), unary(gelu_tanh, any)),
      also(floating("hardtanh", gt::hardtanh, between(-0.9, 0.9)),
           cases::calls({unary(gt::hardtanh, off(1)),
                         unary([](const Tensor& x) { return gt::hardtanh(x, {.min = -5, .max = 0}) * x; }, kink)}),
           {{"hardtanh: min 2 is above max 1; swap them", [] { gt::hardtanh(gt::zeros({2}), {.min = 2}); }}}),
      {"glu",
       halves,
       {{"glu: axis 1 of [4, 3] has an odd size, which cannot be halved",
         [] {
           gt::glu(gt::zeros({4, 3}));
         }},
        {"glu: axis -1 of a scalar; a scalar has no axes", [] { gt::glu(gt::zeros({})); }},
        {"sigmoid: no meaning for i64; convert with .to(gradtape::f32)", [] { gt::glu(cases::integers({2})); }}}},
  };
});

/// The distribution function and the density of the standard normal distribution.
L distribution(L x) { return std::erfc(-x / std::numbers::sqrt2_v<L>) / 2; }
L density(L x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<L>); }
L logistic(L x) { return 1 / (1 + std::exp(-x)); }
L log_of_sum(L x) { return std::fmax(x, L{0}) + std::log1p(std::exp(-std::abs(x))); }
L mish_slope(L x) {
  const L t = std::tanh(log_of_sum(x));
  return t + x * logistic(x) * (1 - t) * (1 + t);
}

const auto gelu_tanh_argument = [](const auto& x) { return 0.7978845608028654 * (x + 0.044715 * x * x * x); };
const auto gelu_tanh_slope = [](const auto& x) { return 0.7978845608028654 * (1 + 3 * 0.044715 * x * x); };

}  // namespace

TEST_CASE("activations: rows") { activations.check(); }

TEST_CASE("activations: the formulas on paper") {
  const gt::RandomStream stream(41);
  const auto x = between(-4, 4)({3, 7}), g = between(-3, 3)({3, 7});
  const auto e = gt::exp(x), s = 1 / (1 + gt::exp(-x)), above = (x > 0).to(gt::f64), below = 1 - above;
  const auto is = [&](const auto& op, const gt::Tensor& value, const gt::Tensor& slope) {
    CHECK(gt::detail::call(op, x) == gt::approx(value));
    CHECK(gt::vjp(op, x, g) == gt::approx(g * slope));
  };
  is(gt::sigmoid, s, s * (1 - s));
  is(gt::log_sigmoid, gt::log(s), 1 - s);
  is(gt::softplus, gt::log(1 + e), s);
  is(steep, gt::where(3 * x > 4, x, gt::log(1 + gt::exp(3 * x)) / 3),
     gt::where(3 * x > 4, 1, 1 / (1 + gt::exp(-3 * x))));
  is(gt::softsign, x / (1 + gt::abs(x)), 1 / gt::square(1 + gt::abs(x)));
  is(gt::relu, x * above, above);
  is(gt::leaky_relu, x * above + 0.01 * x * below, above + 0.01 * below);
  is(leaky, x * above + 0.2 * x * below, above + 0.2 * below);
  is(gt::elu, x * above + (e - 1) * below, above + e * below);
  is(elu_of_2, x * above + 2 * (e - 1) * below, above + 2 * e * below);
  const double scale = 1.0507009873554805, alpha = 1.6732632423543772;
  is(gt::selu, scale * (x * above + alpha * (e - 1) * below), scale * (above + alpha * e * below));
  is(gt::silu, x * s, s + x * s * (1 - s));
  const auto phi = (1 + gt::erf(x / std::numbers::sqrt2)) / 2,
             bell = gt::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  is(gt::gelu, x * phi, phi + x * bell);
  const auto t = gt::tanh(gelu_tanh_argument(x));
  is(gelu_tanh, x * (1 + t) / 2, (1 + t) / 2 + x * (1 - t * t) * gelu_tanh_slope(x) / 2);
  const auto w = gt::tanh(gt::log(1 + e));
  is(gt::mish, x * w, w + x * (1 - w * w) * s);
  const auto inside = gt::logical_and(x > -1, x < 1).to(gt::f64);
  is(gt::hardtanh, gt::minimum(gt::maximum(x, -1), 1), inside);
  is(gt::hardswish, x * gt::minimum(gt::maximum(x + 3, 0), 6) / 6,
     gt::where(x < -3, 0, gt::where(x > 3, 1, (2 * x + 3) / 6)));
  const auto a = between(-3, 3)({2, 4, 3}), left = a[{gt::Slice{}, gt::Slice{0, 2}}],
             right = a[{gt::Slice{}, gt::Slice{2, 4}}];
  CHECK(gt::glu(a, {.axis = 1}) == gt::approx(left / (1 + gt::exp(-right))));
}

TEST_CASE("activations: values and gradients within a few ulps of the exact ones") {
  const auto one_minus = [](L x) { return logistic(-x); };
  cases::check({"log_sigmoid", gt::log_sigmoid, [](L x) { return -log_of_sum(-x); }, one_minus},
               {{-5, 5, 3}, {-80, 80, 3}});
  cases::check({"softplus", gt::softplus, log_of_sum, logistic}, {{-5, 5, 3}, {-80, 15, 3}});
  cases::check({"softsign", gt::softsign, [](L x) { return x / (1 + std::abs(x)); },
                [](L x) { return 1 / ((1 + std::abs(x)) * (1 + std::abs(x))); }},
               {{-5, 5}, {-1e15, 1e15}});
  cases::check(
      {"elu", gt::elu, [](L x) { return x > 0 ? x : std::expm1(x); }, [](L x) { return x > 0 ? 1 : std::exp(x); }},
      {{-5, 5}, {-80, 0}});
  cases::check({"sigmoid", gt::sigmoid, logistic, [](L x) { return logistic(x) * logistic(-x); }}, {{-80, 0, 3, 6}});
  // A rounding of 1 - s counts x times. Near the zero of a slope, and far below 0, sums cancel.
  cases::check(
      {"silu", gt::silu, [](L x) { return x * logistic(x); }, [](L x) { return logistic(x) * (1 + x * logistic(-x)); }},
      {{0, 80, 4, 40}, {-80, -1.5, 4, 400}});
  cases::check(
      {"gelu", gt::gelu, [](L x) { return x * distribution(x); }, [](L x) { return distribution(x) + x * density(x); }},
      {{-0.5, 5, 4, 8}, {-9, -1, 110, 200}});  // a rounding of x / √2 is one of x² ulps in Φ(x)
  cases::check({"mish", gt::mish, [](L x) { return x * std::tanh(log_of_sum(x)); }, mish_slope},
               {{0, 80, 4, 40}, {-80, -1.5, 4, 400}});
}

TEST_CASE("activations: extreme inputs") {
  const std::vector<double> points{inf, -inf, 90, -90, 750, -750, 1e30, -1e30, 0.0};
  struct Limits {
    std::string name;
    cases::Unary op;
    std::vector<double> values, slopes;
  };
  const double at_90 = 8.194012623990515e-40, scale = 1.0507009873554805, floor = -1.7580993408473766;
  const std::vector<double> above{1, 0, 1, 0, 1, 0, 1, 0};
  const auto slopes = [&](double at_0) {
    std::vector<double> all = above;
    all.push_back(at_0);
    return all;
  };
  const auto values = [&](double below, double at_0) {  // x above 0
    return std::vector<double>{inf, below, 90, below, 750, below, 1e30, below, at_0};
  };
  for (const Limits& f : std::vector<Limits>{
           {"sigmoid", gt::sigmoid, {1, 0, 1, at_90, 1, 0, 1, 0, 0.5}, {0, 0, 0, at_90, 0, 0, 0, 0, 0.25}},
           {"log_sigmoid",
            gt::log_sigmoid,
            {0, -inf, -at_90, -90, 0, -750, 0, -1e30, -std::log(2)},
            {0, 1, at_90, 1, 0, 1, 0, 1, 0.5}},
           {"softplus",
            gt::softplus,
            {inf, 0, 90, at_90, 750, 0, 1e30, 0, std::log(2)},
            {1, 0, 1, at_90, 1, 0, 1, 0, 0.5}},
           {"softsign",
            gt::softsign,
            {1, -1, 90. / 91, -90. / 91, 750. / 751, -750. / 751, 1, -1, 0},
            {0, 0, 1. / (91 * 91), 1. / (91 * 91), 1. / (751 * 751), 1. / (751 * 751), 1e-60, 1e-60, 1}},
           {"relu", gt::relu, values(0, 0), slopes(0)},
           {"leaky_relu",
            gt::leaky_relu,
            {inf, -inf, 90, -0.9, 750, -7.5, 1e30, -1e28, 0},
            {1, 0.01, 1, 0.01, 1, 0.01, 1, 0.01, 0.01}},
           {"elu", gt::elu, values(-1, 0), slopes(1)},
           {"selu",
            gt::selu,
            {inf, floor, 90 * scale, floor, 750 * scale, floor, 1e30 * scale, floor, 0},
            {scale, 0, scale, 0, scale, 0, scale, 0, -floor}},
           {"silu", gt::silu, values(0, 0), slopes(0.5)},
           {"gelu", gt::gelu, values(0, 0), slopes(0.5)},
           {"gelu by tanh", gelu_tanh, values(0, 0), slopes(0.5)},
           {"mish", gt::mish, values(0, 0), slopes(0.6)},
           {"hardtanh", gt::hardtanh, {1, -1, 1, -1, 1, -1, 1, -1, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 1}},
           {"hardswish", gt::hardswish, values(0, 0), slopes(0.5)},
       })
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      CAPTURE(f.name);
      CAPTURE(gt::to_string(dtype));
      const auto x = vector(points, dtype);
      const double tiny = 1e-37;  // e⁻⁹⁰ and less
      CHECK(f.op(x) == gt::approx(vector(f.values, dtype)).atol(tiny));
      CHECK(gt::vjp(f.op, x, gt::ones_like(x)) == gt::approx(vector(f.slopes, dtype)).atol(tiny));
      // The second derivative exists and is finite where x is.
      const auto leaf = gt::parameter(x);
      const auto first = gt::grad(gt::sum(f.op(leaf)), {leaf}, {.create_graph = true})[0];
      CHECK(first.detach() == gt::approx(vector(f.slopes, dtype)).atol(tiny));
      if (first.requires_grad()) {
        const auto second = cases::doubles(gt::grad(gt::sum(first), {leaf}, {.allow_unused = true})[0]);
        for (std::size_t i = 2; i < points.size(); ++i) CHECK(std::isfinite(second[i]));
      }
      const auto nan = vector({cases::nan}, dtype), one = gt::ones_like(nan);
      CHECK(std::isnan(f.op(nan).item()));
      CHECK(gt::vjp(f.op, nan, one).item() != 0);
    }
}

TEST_CASE("activations: gradients at the kinks") {
  const auto slope = [](const auto& op, double at) {
    return gt::vjp(op, vector({at}), gt::ones({1}, {.dtype = gt::f64})).item();
  };
  CHECK(slope(gt::hardtanh, 1) == 0);
  CHECK(slope(gt::hardtanh, -1) == 0);
  CHECK(slope(gt::hardswish, 3) == 1.5);
  CHECK(slope(gt::hardswish, -3) == -0.5);
  CHECK(slope(leaky, 0) == 0.2);
  CHECK(slope(elu_of_2, 0) == 2);
}

TEST_CASE("activations: what the nodes save") {
  const auto x = gt::parameter(between(-3, 3)({2, 3}));
  for (const auto op : {gt::sigmoid, gt::tanh, gt::relu}) {
    const std::string tape = gt::tape_string(op(x));
    CHECK(tape.substr(0, tape.find('\n')).ends_with("saves output [2, 3]"));
  }
  const std::string tape = gt::tape_string(gt::gelu(x));
  CHECK(tape.substr(0, tape.find('\n')).ends_with("saves input 0 [2, 3]"));
}
