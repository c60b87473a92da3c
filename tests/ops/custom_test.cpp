#include <ops/cases.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::message_of;
using gt::Tensor;

namespace {

/// log(1 + eˣ) whose rule does not overflow where the formula does.
const auto log1pexp = gt::custom_gradient([](const Tensor& x) { return gt::log(1 + gt::exp(x)); },
                                          [](const Tensor& g, const Tensor& x) { return g * gt::sigmoid(x); });

/// a·b with the output in the rule.
const auto product =
    gt::custom_gradient(gt::mul, [](const Tensor& g, const Tensor& a, const Tensor& b, const Tensor& y) {
      return std::array{g * b, g * y / b + 0 * a};
    });

}  // namespace

TEST_CASE("stop_gradient: a constant of the same value") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  CHECK_FALSE(gt::stop_gradient(w).requires_grad());
  gt::sum(w * gt::stop_gradient(w)).backward();
  CHECK(gt::equal(w.grad(), gt::tensor({1, 2})));
  CHECK(gt::equal(gt::jvp(gt::stop_gradient, w.detach(), gt::ones({2})), gt::zeros({2})));
}

TEST_CASE("custom_gradient: the value of the function, the gradient of the rule") {
  const Tensor x = gt::tensor({-1, 0, 100}), g = gt::tensor({1, 2, 3});
  CHECK(log1pexp(gt::tensor(0)).item() == doctest::Approx(std::log(2)));
  CHECK(gt::vjp(log1pexp, x, g) == gt::approx(g * gt::sigmoid(x)));
  CHECK_FALSE(log1pexp(x).requires_grad());
  // A gradient of its own: straight through a step.
  const auto step = gt::custom_gradient([](const Tensor& in) { return (in > 0).to(gt::f32); },
                                        [](const Tensor& of_out, const Tensor&) { return of_out; });
  CHECK(gt::equal(step(x), gt::tensor({0, 0, 1})));
  CHECK(gt::equal(gt::vjp(step, x, g), g));
  const auto w = gt::parameter(x);
  const gt::NoGrad off;
  CHECK_FALSE(step(w).requires_grad());
}

TEST_CASE("custom_gradient: gradcheck to any order that the rule has") {
  const gt::RandomStream random(1);
  CHECK(gt::gradcheck(log1pexp, cases::random({3, 4})).order(3));
  CHECK(gt::gradcheck(product, {cases::random({3}), gt::away_from(0, {3})}).order(3));
  const auto wrong = gt::custom_gradient(gt::sin, [](const Tensor& g, const Tensor& x) { return g * x; });
  CHECK_FALSE(gt::gradcheck(wrong, cases::random({3})));
}

TEST_CASE("custom_gradient: inputs that are constants or integers, and what f captures") {
  const Tensor a = gt::parameter(gt::tensor({1, 2, 3})), rows = cases::integers({2, 0}),
               w = gt::parameter(gt::tensor(5));
  const auto taken = gt::custom_gradient([&](const Tensor& x, const Tensor& at) { return w * gt::take(x, at); },
                                         [](const Tensor& g, const Tensor& x, const Tensor&) {
                                           return std::array{gt::sum(g) * gt::ones_like(x), Tensor()};
                                         });
  gt::sum(taken(a, rows)).backward();
  CHECK(gt::equal(a.grad(), gt::full({3}, 2)));
  CHECK_FALSE(w.has_grad());
  CHECK(gt::jvp(product, {a.detach(), gt::full({3}, 2)}, {gt::ones({3}), gt::zeros({3})}) ==
        gt::approx(gt::full({3}, 2)));
}

TEST_CASE("custom_gradient: a rule that gives no fitting gradient") {
  const Tensor w = gt::parameter(gt::ones({2, 3}));
  const auto sums = gt::custom_gradient(gt::sum, [](const Tensor& g, const Tensor&) { return g; });
  CHECK(message_of<gt::GradientError>([&] { return sums(w).backward(), 0; }) ==
        "custom_gradient: the backward rule gave input 0 a gradient of f32 [], where the input is f32 [2, 3]");
  const auto nothing = gt::custom_gradient(gt::sum, [](const Tensor&, const Tensor&) { return Tensor(); });
  CHECK(message_of<gt::GradientError>([&] { return nothing(w).backward(), 0; }) ==
        "custom_gradient: the backward rule gave input 0 a gradient of nothing, where the input is f32 [2, 3]");
}
