#include <ops/norms.hpp>

namespace gt = gradtape;
using cases::layer, cases::rms, cases::group, cases::batch, cases::random, cases::vector;
using gt::Tensor;

namespace {

double mean_of(const std::vector<double>& x) {
  double total = 0;
  for (const double v : x) total += v;
  return total / static_cast<double>(x.size());
}
double var_of(const std::vector<double>& x) {
  const double mean = mean_of(x);
  double total = 0;
  for (const double v : x) total += (v - mean) * (v - mean);
  return total / static_cast<double>(x.size());
}
double square_of(const std::vector<double>& x) {
  double total = 0;
  for (const double v : x) total += v * v;
  return total / static_cast<double>(x.size());
}

/// (x - mean) / √(var + eps) over the axes in `mask`, by plain loops in double.
Tensor normalized(const Tensor& x, unsigned mask, double eps, bool centered = true) {
  const Tensor wide = x.to(gt::f64);
  const Tensor mean = cases::reduced(wide, mask, mean_of);
  return centered ? (wide - mean) / gt::sqrt(cases::reduced(wide, mask, var_of) + eps)
                  : wide / gt::sqrt(cases::reduced(wide, mask, square_of) + eps);
}

/// The same in Tensor ops, for gradients.
Tensor composed(const Tensor& x, unsigned mask, double eps, bool centered = true) {
  const gt::ReduceOptions over = cases::over(mask, true);
  const Tensor d = centered ? x - gt::mean(x, over) : x;
  return d / gt::sqrt(gt::mean(gt::square(d), over) + eps);
}

Tensor columns(const Tensor& of_each) { return gt::reshape(of_each, {of_each.numel(), 1}); }

}  // namespace

TEST_CASE("normalization: values are those of plain loops") {
  const gt::RandomStream stream(61);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    // Rows shorter than a register, beyond a block, and in between.
    for (const gt::Shape& shape : {gt::Shape{2, 6, 3}, {3, 2, 1100}, {1, 4, 37}, {2, 2, 16}}) {
      CAPTURE(gt::to_string(shape));
      const Tensor x = random(shape, dtype) + 0.5, w = random({shape[2]}, dtype), b = random({shape[2]}, dtype),
                   cw = random({shape[1]}, dtype), cb = random({shape[1]}, dtype);
      const auto is = [&](const Tensor& y, const Tensor& expected) {
        CHECK(y.dtype() == dtype);
        CHECK(y == gt::approx(expected.to(dtype)));
      };
      const Tensor rows = normalized(x, 0b100, 1e-5);
      is(gt::layer_norm(x, {shape[2]}), rows);
      is(gt::layer_norm(x, {shape[2]}, {.weight = w, .bias = b}), rows * w.to(gt::f64) + b.to(gt::f64));
      is(gt::layer_norm(x, {shape[2]}, {.bias = b}), rows + b.to(gt::f64));
      is(gt::layer_norm(x, {shape[1], shape[2]}, {.eps = 0.1}), normalized(x, 0b110, 0.1));
      is(gt::rms_norm(x, {shape[2]}, {.weight = w, .eps = 1e-3}), normalized(x, 0b100, 1e-3, false) * w.to(gt::f64));
      is(gt::rms_norm(x, {shape[2]}), normalized(x, 0b100, dtype == gt::f32 ? 0x1p-23 : 0x1p-52, false));
      const gt::Shape grouped{shape[0], 2, shape[1] / 2, shape[2]};
      const Tensor in_groups = gt::reshape(normalized(gt::reshape(x, grouped), 0b1100, 1e-5), shape);
      is(gt::group_norm(x, 2), in_groups);
      is(gt::group_norm(x, 2, {.weight = cw, .bias = cb}),
         in_groups * columns(cw.to(gt::f64)) + columns(cb.to(gt::f64)));
      const auto [y, mean, var] = gt::batch_norm(x, {.weight = cw, .bias = cb});
      is(y, normalized(x, 0b101, 1e-5) * columns(cw.to(gt::f64)) + columns(cb.to(gt::f64)));
      const double n = static_cast<double>(shape[0] * shape[2]);
      const Tensor flat = gt::transpose(x, {0, 1});
      is(mean, gt::reshape(cases::reduced(flat.to(gt::f64), 0b110, mean_of), {shape[1]}));
      is(var, gt::reshape(cases::reduced(flat.to(gt::f64), 0b110, var_of), {shape[1]}) * (n / (n - 1)));
      const Tensor given = gt::square(cw) + 0.1;
      const auto by = gt::batch_norm(x, {.mean = cb, .var = given, .weight = cw});
      is(by.output,
         (x - columns(cb)).to(gt::f64) / gt::sqrt(columns(given).to(gt::f64) + 1e-5) * columns(cw.to(gt::f64)));
      CHECK(gt::equal(by.mean, cb));
      CHECK(gt::equal(by.var, given));
    }
  }
}

TEST_CASE("normalization: the fused forms equal the composed ones in all gradients") {
  const gt::RandomStream stream(62);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const gt::Shape shape{70, 4, 37};  // more rows than one group of the weight's gradient
    const Tensor x = random(shape, dtype) + 0.5, g = random(shape, dtype), w = random({37}, dtype),
                 b = random({37}, dtype), cw = random({4}, dtype), cb = random({4}, dtype);
    const double atol = dtype == gt::f32 ? 2e-5 : 1e-12;  // of sums over 280 rows
    const auto same = [&](auto fused, auto by_ops, const Tensor& weight, const Tensor& bias) {
      const auto ours = gt::vjp(fused, {x, weight, bias}, g), theirs = gt::vjp(by_ops, {x, weight, bias}, g);
      for (std::size_t i = 0; i < 3; ++i) CHECK(ours[i] == gt::approx(theirs[i]).atol(atol));
    };
    same(
        layer({37}), [](const Tensor& t, const Tensor& k, const Tensor& c) { return composed(t, 0b100, 1e-5) * k + c; },
        w, b);
    same([&](const Tensor& t, const Tensor& k, const Tensor& c) { return rms({37})(t, k) + c; },
         [](const Tensor& t, const Tensor& k, const Tensor& c) { return composed(t, 0b100, 0.1, false) * k + c; }, w,
         b);
    same(
        group(2),
        [](const Tensor& t, const Tensor& k, const Tensor& c) {
          const Tensor y = composed(gt::reshape(t, {70, 2, 2, 37}), 0b1100, 1e-5);
          return gt::reshape(y, t.shape()) * columns(k) + columns(c);
        },
        cw, cb);
    same(
        batch,
        [](const Tensor& t, const Tensor& k, const Tensor& c) {
          return composed(t, 0b101, 1e-5) * columns(k) + columns(c);
        },
        cw, cb);
  }
}

TEST_CASE("normalization: digits stay where the mean is much larger than the deviations") {
  std::vector<double> values;
  for (int i = 0; i < 2 * 3 * 1000; ++i) values.push_back(10'000 + 0.25 * ((i * 7) % 11) + 0.0625 * (i % 5));
  const Tensor x = gt::reshape(vector(values, gt::f32), {2, 3, 1000});  // each of them exact
  const auto is = [&](const Tensor& y, unsigned mask) {
    CHECK(y == gt::approx(normalized(x, mask, 1e-5).to(gt::f32)).atol(2e-6));
  };
  is(gt::layer_norm(x, {1000}), 0b100);
  is(gt::group_norm(x, 1), 0b110);
  const auto [y, mean, var] = gt::batch_norm(x);
  is(y, 0b101);
  CHECK(var == gt::approx(gt::var(x.to(gt::f64), {.axes = {0, 2}}).to(gt::f32)));
  // By given statistics the mean is one f32: half a unit in its last place, over the deviation.
  const Tensor given = gt::batch_norm(x, {.mean = mean, .var = var}).output;
  CHECK(given == gt::approx(normalized(x, 0b101, 1e-5).to(gt::f32)).atol(2e-3));
}

TEST_CASE("normalization: constant rows give the bias, and a finite gradient") {
  const Tensor x = gt::full({2, 40}, 0.1), w = gt::ones({40}), b = random({40}, gt::f32), g = random({2, 40}, gt::f32);
  CHECK(layer({40})(x, w, b) == gt::approx(gt::broadcast_to(b, {2, 40})).atol(1e-4));
  CHECK(gt::all(gt::isfinite(gt::vjp(layer({40}), {x, w, b}, g)[0])).item() == 1);
  CHECK(gt::equal(gt::rms_norm(gt::zeros({2, 3}), {3}), gt::zeros({2, 3})));
}

TEST_CASE("normalization: NaN and inf stay in their row") {
  for (const double bad : {cases::nan, cases::inf, -cases::inf}) {
    const Tensor x = gt::where(gt::tensor({{0}, {1}, {0}}) == 1, bad, gt::ones({3, 37}));
    const Tensor y = gt::layer_norm(x, {37}), z = gt::rms_norm(x, {37});
    CHECK(gt::all(gt::isnan(y[1])).item() == 1);
    CHECK(gt::all(gt::isnan(z[1])).item() == 1);
    CHECK(gt::any(gt::isnan(y[0])).item() == 0);
    CHECK(gt::any(gt::isnan(z[2])).item() == 0);
  }
}

TEST_CASE("normalization: what the nodes save") {
  const Tensor x = gt::parameter(random({4, 5})), w = gt::parameter(random({5})), b = gt::parameter(random({5}));
  const auto first = [](const Tensor& y) {
    const std::string tape = gt::tape_string(y);
    return tape.substr(0, tape.find('\n'));
  };
  CHECK(first(gt::layer_norm(x, {5})).ends_with("saves input 0 [4, 5]"));
  CHECK(first(layer({5})(x, w, b)).ends_with("saves input 0 [4, 5], input 1 [5]"));
}
