#include "core/support.hpp"
#include <ops/cases.hpp>

namespace gt = gradtape;
using cases::message_of;
using gt::Tensor;

namespace {

/// y = x whose rule gives what it was told.
struct Giving {
  static constexpr std::string_view name = "giving";
  double gradient;
  gt::Array view(const gt::Array& x) const { return x; }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return g * gradient; }
};

std::string anomaly(const std::function<void()>& f) {
  const gt::DetectAnomaly guard;
  return message_of<gt::AnomalyError>([&] { return f(), 0; });
}

}  // namespace

TEST_CASE("anomaly: the op whose value is the first that is not finite") {
  const Tensor x = gt::parameter(gt::tensor({{1, 4}, {0, -1}}));
  CHECK(anomaly([&] { gt::exp(gt::log(x) * 0); }) ==
        "log: the value is not finite: -inf at [1, 0]\n"
        "  value: f32 [2, 2], 2 of 4 not finite, the others from 0 to 1.38629\n"
        "  input 0: f32 [2, 2], from -1 to 4");
  CHECK(anomaly([&] { gt::sqrt(gt::transpose(x)) + x; }) ==
        "sqrt: the value is not finite: nan at [1, 1]\n"
        "  value: f32 [2, 2], 1 of 4 not finite, the others from 0 to 2\n"
        "  input 0: f32 [2, 2], from -1 to 4");
  CHECK(anomaly([&] {
          gt::matmul(1e30 * x, 1e30 * x);
        }).starts_with("matmul: the value is not finite: inf at [0, 0]\n  value: f32 [2, 2], "));
  CHECK(anomaly([&] {
          x / gt::tensor({0, 1});
        }) ==
        "div: the value is not finite: inf at [0, 0]\n"
        "  value: f32 [2, 2], 2 of 4 not finite, the others from -1 to 4\n"
        "  input 0: f32 [2, 2], from -1 to 4\n"
        "  input 1: f32 [2], from 0 to 1");
}

TEST_CASE("anomaly: what was not finite before is nobody's fault, and integers and nothing are finite") {
  const gt::DetectAnomaly guard;
  const Tensor x = gt::tensor({1, -cases::inf}), none = gt::zeros({0});
  CHECK(gt::equal(gt::exp(x) * 2, gt::tensor({2 * std::exp(1.f), 0})));
  CHECK(std::isnan((x - x)[1].item()));
  CHECK((gt::ones({2}).to(gt::i64) + 1).numel() == 2);
  CHECK(gt::sum(gt::log(none)).item() == 0);
}

TEST_CASE("anomaly: the op whose rule gives a gradient that is not finite") {
  const Tensor w = gt::parameter(gt::tensor({4, 0}));
  CHECK(anomaly([&] { gt::sum(2 * gt::sqrt(w)).backward(); }) ==
        "sqrt: the gradient of input 0 is not finite: inf at [1]\n"
        "  gradient of input 0: f32 [2], 1 of 2 not finite, the others from 0.5 to 0.5\n"
        "  gradient of the output: f32 [2], from 2 to 2\n"
        "  saved output: f32 [2], from 0 to 2");
  CHECK_FALSE(w.has_grad());
  CHECK(anomaly([&] {
          gt::grad(gt::sum(gt::sqrt(w)), {w}, {.create_graph = true});
        }).starts_with("sqrt: the gradient of input 0 is not finite"));
  CHECK(anomaly([&] { gt::sum(w * gt::record(Giving{cases::nan}, w)).backward(); }) ==
        "giving: the gradient of input 0 is not finite: nan at [0]\n"
        "  gradient of input 0: f32 [2], 2 of 2 not finite\n"
        "  gradient of the output: f32 [2], from 0 to 4");
}

TEST_CASE("anomaly: gradients that overflow in their sum") {
  const Tensor w = gt::parameter(gt::tensor({1, 2})), h = gt::tanh(w);
  CHECK(anomaly([&] { gt::sum(gt::record(Giving{3e38}, h) + gt::record(Giving{3e38}, h)).backward(); }) ==
        "tanh: the sum of the gradients of the output is not finite: inf at [0]\n"
        "  sum of the gradients of the output: f32 [2], 2 of 2 not finite");
}

TEST_CASE("anomaly: forwards, and what is not finite from the start") {
  const Tensor x = gt::tensor({4, 0}), t = gt::tensor({1, 2}), inf = gt::full({2}, cases::inf);
  CHECK(anomaly([&] { gt::jvp(gt::sqrt, x, t); }) ==
        "sqrt: the tangent of the output is not finite: inf at [1]\n"
        "  tangent of the output: f32 [2], 1 of 2 not finite, the others from 0.25 to 0.25\n"
        "  tangent of input 0: f32 [2], from 1 to 2\n"
        "  saved output: f32 [2], from 0 to 2");
  CHECK(anomaly([&] { gt::jvp(gt::square, x, inf); }) == "(nothing thrown)");
  CHECK(anomaly([&] { gt::vjp(gt::square, x, inf); }) == "(nothing thrown)");
}

TEST_CASE("anomaly: lives with its guard, and leaves the same gradients") {
  const gt::RandomStream random(1);
  const Tensor w = gt::parameter(gt::uniform({4, 4})), x = gt::uniform({3, 4});
  const auto loss = [&] {
    return gt::sum(gt::square(gt::matmul(gt::tanh(gt::matmul(x, w)), w)) +
                   gt::checkpoint([&] { return gt::sum(w * w); }));
  };
  const auto [plain] = gt::grad(loss(), {w});
  {
    const gt::DetectAnomaly guard;
    CHECK(gt::grad(loss(), {w})[0] == gt::approx(plain));
    loss().backward();
    CHECK(w.grad() == gt::approx(plain));
    CHECK_THROWS_AS(gt::log(-x), gt::AnomalyError);
    CHECK_THROWS_AS(gt::sum(gt::sqrt(0 * w)).backward(), gt::AnomalyError);
    CHECK_THROWS_AS(gt::log(-x), gt::AnomalyError);
  }
  CHECK(std::isnan(gt::log(-x)[{0, 0}].item()));
  CHECK(gt::equal(gt::grad(loss(), {w})[0], plain));
}
