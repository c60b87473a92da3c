#include "ops/rows.hpp"
#include "ops/tensors.hpp"

namespace gt = gradtape;
using cases::inf, cases::random, cases::between, cases::Call, cases::Row;
using gt::LossReduction, gt::Tensor;

namespace {

std::size_t ops_on(const Tensor& result) {
  const std::string tape = gt::tape_string(result);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = tape.find('\n', at)) != std::string::npos; ++at) ++lines;
  for (std::size_t at = 0; (at = tape.find("leaf ", at)) != std::string::npos; ++at) --lines;
  return lines;
}

/// Calls of a loss of output and target over shapes, at every reduction.
template <class Loss>
std::vector<Call> losses(Loss loss, const cases::Sampler& output, const cases::Sampler& target) {
  std::vector<Call> out;
  for (const LossReduction reduction : {LossReduction::none, LossReduction::sum, LossReduction::mean})
    for (const gt::Shape& shape : cases::shapes()) {
      if (reduction == LossReduction::mean && shape.numel() == 0) continue;
      for (Call& call : cases::on({{shape, output}, {shape, target}},
                                  [=](const Tensor& y, const Tensor& t) { return loss(y, t, reduction); }))
        out.push_back(std::move(call));
    }
  return out;
}

/// What every loss says of operands that do not fit.
template <class Loss>
std::vector<cases::Misuse> misfits(const std::string& name, Loss loss) {
  return {
      {name + ": output [3, 1] and target [3] differ in shape; reshape one of them",
       [=] {
         loss(gt::zeros({3, 1}), gt::zeros({3}));
       }},
      {name + ": shape [0, 3] has no elements, and the mean of nothing is undefined",
       [=] {
         loss(gt::zeros({0, 3}), gt::zeros({0, 3}));
       }},
      {name + ": no meaning for i64; convert with .to(gradtape::f32)",
       [=] { loss(gt::zeros({3}), gt::zeros({3}, {.dtype = gt::i64})); }},
      {name + ": dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
       [=] { loss(gt::zeros({3}, {.dtype = gt::f32}), gt::zeros({3}, {.dtype = gt::f64})); }},
  };
}

std::vector<cases::Misuse> and_also(std::vector<cases::Misuse> all, const cases::Misuse& last) {
  all.push_back(last);
  return all;
}

const cases::Rows rows([]() -> std::vector<Row> {
  const auto any = between(-2, 2), probability = between(0.1, 0.9), positive = between(0.5, 2);
  const auto far = [](const gt::Shape& shape) {
    return gt::away_from(3, shape, {.dtype = gt::f64});
  };  // |output - target| > 0
  const auto near_far = [](const gt::Shape& shape) {
    return gt::away_from(1.5, shape, {.distance = 0.6, .dtype = gt::f64});
  };
  return {
      {"mse_loss", losses([](auto& y, auto& t, LossReduction r) { return gt::mse_loss(y, t, {r}); }, any, any),
       misfits("mse_loss", [](auto y, auto t) { return gt::mse_loss(y, t); }), 3},
      {"l1_loss",
       losses([](auto& y, auto& t, LossReduction r) { return gt::l1_loss(y, t, {r}); }, far, between(-0.5, 0.5)),
       misfits("l1_loss", [](auto y, auto t) { return gt::l1_loss(y, t); })},
      {"huber_loss",
       losses([](auto& y, auto& t, LossReduction r) { return gt::huber_loss(y, t, {.reduction = r, .delta = 1.5}); },
              near_far, between(-0.05, 0.05)),
       and_also(misfits("huber_loss", [](auto y, auto t) { return gt::huber_loss(y, t); }),
                {"huber_loss: delta is 0; it must be above 0",
                 [] { gt::huber_loss(gt::zeros({3}), gt::zeros({3}), {.delta = 0}); }})},
      {"bce_loss",
       losses([](auto& y, auto& t, LossReduction r) { return gt::bce_loss(y, t, {r}); }, probability, probability),
       misfits("bce_loss", [](auto y, auto t) { return gt::bce_loss(y, t); })},
      {"bce_with_logits_loss",
       cases::calls({losses([](auto& y, auto& t, LossReduction r) { return gt::bce_with_logits_loss(y, t, {r}); }, any,
                            probability),
                     cases::on({{{3, 4}, any}, {{3, 4}, probability}, {{4}, positive}},
                               [](const Tensor& y, const Tensor& t, const Tensor& w) {
                                 return gt::bce_with_logits_loss(y, t, {.pos_weight = w});
                               })}),
       and_also(misfits("bce_with_logits_loss", [](auto y, auto t) { return gt::bce_with_logits_loss(y, t); }),
                {"bce_with_logits_loss: pos_weight [2, 3] does not broadcast to output [3]",
                 [] {
                   gt::bce_with_logits_loss(gt::zeros({3}), gt::zeros({3}), {.pos_weight = gt::ones({2, 3})});
                 }})},
      {"kl_div",
       cases::calls({losses([](auto& y, auto& t, LossReduction r) { return gt::kl_div(y, t, {.reduction = r}); }, any,
                            probability),
                     losses([](auto& y, auto& t,
                               LossReduction r) { return gt::kl_div(y, t, {.reduction = r, .log_target = true}); },
                            any, any)}),
       misfits("kl_div", [](auto y, auto t) { return gt::kl_div(y, t); })},
      {"gaussian_nll_loss",
       cases::calls(
           {losses([](auto& y, auto& t,
                      LossReduction r) { return gt::gaussian_nll_loss(y, t, gt::full_like(y, 0.7), {.reduction = r}); },
                   any, any),
            cases::on({{{3, 4}, any}, {{3, 4}, any}, {{3, 1}, positive}},
                      [](const Tensor& y, const Tensor& t, const Tensor& v) {
                        return gt::gaussian_nll_loss(y, t, v, {.full = true});
                      })}),
       and_also(and_also(misfits("gaussian_nll_loss",
                                 [](auto y, auto t) { return gt::gaussian_nll_loss(y, t, gt::ones_like(y)); }),
                         {"gaussian_nll_loss: eps is 0; it must be above 0",
                          [] { gt::gaussian_nll_loss(gt::zeros({3}), gt::zeros({3}), gt::ones({3}), {.eps = 0}); }}),
                {"gaussian_nll_loss: a variance is negative; give variances, such as exp of what a network puts out",
                 [] { gt::gaussian_nll_loss(gt::zeros({3}), gt::zeros({3}), -gt::ones({3})); }})},
  };
});

/// A loss at every reduction, and its gradients, against plain loops over f(y, t) and df/dy.
template <class Loss, class F, class D>
void check_elements(Loss loss, F f, D df, double low, double high) {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const gt::RandomStream stream(3);
    const Tensor y = gt::uniform({5, 41}, {.low = low, .high = high, .dtype = dtype}),
                 t = gt::uniform({5, 41}, {.low = low, .high = high, .dtype = dtype});
    const std::vector<double> a = cases::doubles(y), b = cases::doubles(t);
    std::vector<double> each, slope;
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      each.push_back(f(a[i], b[i])), slope.push_back(df(a[i], b[i])), sum += each.back();
    const auto shaped = [&](const std::vector<double>& v) { return gt::reshape(cases::vector(v, dtype), {5, 41}); };
    const double tolerance = dtype == gt::f32 ? 2e-5 : 1e-10;
    CHECK(loss(y, t, LossReduction::none) == gt::approx(shaped(each)).rtol(tolerance));
    CHECK(loss(y, t, LossReduction::sum).item() == doctest::Approx(sum).epsilon(tolerance));
    CHECK(loss(y, t, LossReduction::mean).item() == doctest::Approx(sum / 205).epsilon(tolerance));
    const auto none = [&](const Tensor& x) { return loss(x, t, LossReduction::none); };
    CHECK(gt::vjp(none, y, gt::ones_like(y)) == gt::approx(shaped(slope)).rtol(tolerance));
  }
}

}  // namespace

TEST_CASE("losses: rows") { rows.check(); }

TEST_CASE("losses of elements against the formulas on paper") {
  check_elements([](auto& y, auto& t, auto r) { return gt::mse_loss(y, t, {r}); },
                 [](double y, double t) { return (y - t) * (y - t); }, [](double y, double t) { return 2 * (y - t); },
                 -2, 2);
  check_elements([](auto& y, auto& t, auto r) { return gt::l1_loss(y, t, {r}); },
                 [](double y, double t) { return std::abs(y - t); },
                 [](double y, double t) { return y > t ? 1.0 : -1.0; }, -2, 2);
  check_elements([](auto& y, auto& t, auto r) { return gt::huber_loss(y, t, {.reduction = r, .delta = 0.7}); },
                 [](double y, double t) {
                   const double e = std::abs(y - t);
                   return e <= 0.7 ? e * e / 2 : 0.7 * (e - 0.35);
                 },
                 [](double y, double t) { return std::clamp(y - t, -0.7, 0.7); }, -2, 2);
  check_elements([](auto& y, auto& t, auto r) { return gt::bce_loss(y, t, {r}); },
                 [](double p, double t) { return -(t * std::log(p) + (1 - t) * std::log(1 - p)); },
                 [](double p, double t) { return (p - t) / (p * (1 - p)); }, 0.1, 0.9);
  check_elements([](auto& y, auto& t, auto r) { return gt::bce_with_logits_loss(y, t, {r}); },
                 [](double x, double t) { return std::log1p(std::exp(-x)) + (1 - t) * x; },
                 [](double x, double t) { return 1 / (1 + std::exp(-x)) - t; }, 0.1, 3);
  check_elements([](auto& y, auto& t, auto r) { return gt::kl_div(y, t, {.reduction = r}); },
                 [](double x, double t) { return t * (std::log(t) - x); }, [](double, double t) { return -t; }, 0.1,
                 0.9);
  check_elements(
      [](auto& y, auto& t, auto r) { return gt::gaussian_nll_loss(y, t, gt::full_like(y, 0.5), {.reduction = r}); },
      [](double y, double t) { return 0.5 * (std::log(0.5) + (y - t) * (y - t) / 0.5); },
      [](double y, double t) { return (y - t) / 0.5; }, -2, 2);
}

TEST_CASE("losses at the ends of their domains") {
  const auto at = [](double v) { return gt::tensor(v, {.dtype = gt::f64}); };
  CHECK(gt::bce_loss(at(0), at(1)).item() == 100);  // a logarithm is cut off
  CHECK(gt::bce_loss(at(1), at(1)).item() == 0);
  CHECK(gt::bce_with_logits_loss(at(1e4), at(1)).item() == 0);
  CHECK(gt::bce_with_logits_loss(at(-1e4), at(1)).item() == 1e4);
  CHECK(gt::bce_with_logits_loss(at(40), at(1)).item() == doctest::Approx(std::exp(-40.0)).epsilon(1e-12));
  // A logit of exactly 0, where networks start, has its second derivative.
  const auto slope = [&](const Tensor& x) {
    return gt::vjp([&](const Tensor& z) { return gt::bce_with_logits_loss(z, at(1)); }, x, at(1));
  };
  CHECK(slope(at(0)).item() == -0.5);
  CHECK(gt::vjp(slope, at(0), at(1)).item() == 0.25);
  CHECK(gt::kl_div(at(-inf), at(0)).item() == 0);
  CHECK(gt::vjp([&](const Tensor& x) { return gt::kl_div(x, at(0)); }, at(-1), at(1)).item() == 0);
  CHECK(gt::gaussian_nll_loss(at(1), at(1), at(0)).item() == doctest::Approx(0.5 * std::log(1e-6)));
  CHECK(gt::vjp([&](const Tensor& v) { return gt::gaussian_nll_loss(at(1), at(2), v); }, at(0), at(1)).item() == 0);
  CHECK(gt::huber_loss(at(inf), at(0)).item() == inf);
}

TEST_CASE("mse is the mean of squared differences, its gradient 2/n of the difference") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const gt::Shape& shape : {gt::Shape{}, {1}, {37}, {3, 4}, {2, 3, 5}, {1030}, {3, 700}}) {
      CAPTURE(gt::to_string(shape));
      const Tensor y = random(shape, dtype), t = random(shape, dtype), g = gt::tensor(1.5, {.dtype = dtype});
      const double n = static_cast<double>(shape.numel());
      const std::vector<double> a = cases::doubles(y), b = cases::doubles(t);
      double sum = 0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
      CHECK(gt::mse_loss(y, t) == gt::approx(gt::full({}, sum / n, {.dtype = dtype})));
      const auto [dy, dt] = gt::vjp(gt::mse_loss, {y, t}, g);
      CHECK(dy == gt::approx((y - t) * (3 / n)));
      CHECK(dt == gt::approx((t - y) * (3 / n)));
    }
}

TEST_CASE("mse is one op, with one op for its gradient") {
  const Tensor y = gt::parameter(random({3, 4})), t = random({3, 4});
  const Tensor loss = gt::mse_loss(y, t);
  CHECK(ops_on(loss) == 1);
  const auto [dy] = gt::grad(loss, {y}, {.create_graph = true});
  CHECK(dy.node()->name() == "mse_vjp");
}

TEST_CASE("mse with inf and NaN") {
  CHECK(gt::mse_loss(cases::vector({inf, 1}), cases::vector({0, 1})).item() == inf);
  CHECK(std::isnan(gt::mse_loss(cases::vector({inf, 1}), cases::vector({inf, 1})).item()));
  CHECK(std::isnan(gt::mse_loss(cases::vector({1, cases::nan}), cases::vector({0, 1})).item()));
}
