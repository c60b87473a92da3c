#include "ops/cases.hpp"

namespace gt = gradtape;
using cases::message_of;
using gt::Tensor;

TEST_CASE("vjp of one input and of several") {
  const Tensor a = gt::tensor({1, 2, 3}), b = gt::tensor({4, 5, 6}), g = gt::tensor({10, 20, 30});
  CHECK(gt::equal(gt::vjp(gt::square, a, g), gt::tensor({20, 80, 180})));
  const auto [da, db] = gt::vjp(gt::mul, {a, b}, g);
  CHECK(gt::equal(da, gt::tensor({40, 100, 180})));
  CHECK(gt::equal(db, gt::tensor({10, 40, 90})));
  const auto [first, second] = gt::vjp(gt::mul, {a, a}, g);  // one tensor in two places: two inputs
  CHECK(gt::equal(first, gt::tensor({10, 40, 90})));
  CHECK(gt::equal(first, second));
  CHECK(
      gt::equal(gt::vjp(gt::sum, a, gt::tensor(7)), gt::tensor({7, 7, 7})));  // an op passes by name, options left out
}

TEST_CASE("an input that is not used, or of integers, gets zeros") {
  const Tensor a = gt::tensor({1, 2, 3}), b = gt::tensor({{4, 5}}), rows = gt::tensor({2, 0}, {.dtype = gt::i64});
  const auto [da, db] = gt::vjp([](const Tensor& x, const Tensor&) { return 2 * x; }, {a, b}, a);
  CHECK(gt::equal(da, gt::tensor({2, 4, 6})));
  CHECK(gt::equal(db, gt::zeros({1, 2})));
  const auto [dx, drows] = gt::vjp(gt::take, {a, rows}, gt::tensor({1, 2}));
  CHECK(gt::equal(dx, gt::tensor({2, 0, 1})));
  CHECK(gt::equal(drows, gt::zeros({2}, {.dtype = gt::i64})));
  CHECK(gt::equal(gt::vjp([&](const Tensor&) { return b; }, a, b), gt::zeros({3})));  // a constant
  CHECK(gt::equal(gt::vjp([](const Tensor& x) { return x; }, a, a), a));
}

TEST_CASE("vjp touches no gradient and records nothing unless an input is on the tape") {
  const Tensor w = gt::parameter(gt::tensor({1, 2})), c = gt::tensor({3, 4});
  CHECK_FALSE(gt::vjp(gt::square, c, c).requires_grad());
  CHECK(gt::vjp(gt::square, w, c).requires_grad());
  CHECK(gt::vjp(gt::square, c, w).requires_grad());
  CHECK_FALSE(w.has_grad());
}

TEST_CASE("derivatives depend on what the function captures") {
  const Tensor w = gt::parameter(gt::tensor({1, 2})), x = gt::tensor({3, 4}), h = w * w;
  const auto f = [&](const Tensor& in) { return gt::sum(in * in * h); };  // -> 2xw², slope along x: 2x²w²
  gt::sum(gt::vjp(f, x, gt::tensor(1))).backward({.retain_graph = true});
  CHECK(gt::equal(w.grad(), gt::tensor({12, 32})));  // 4xw
  CHECK(gt::equal(gt::grad(gt::jvp(f, x, x), {w}, {.retain_graph = true})[0], gt::tensor({36, 128})));
  const auto [y, dx] = gt::value_and_grad(f, x);
  CHECK(gt::equal(gt::grad(y + gt::sum(dx), {w})[0], gt::tensor({18 + 12, 64 + 32})));
  CHECK_FALSE(gt::vjp([](const Tensor& in) { return gt::sum(in * gt::parameter(in).detach()); }, x, gt::tensor(1))
                  .requires_grad());
  const gt::NoGrad off;
  CHECK_FALSE(gt::vjp(f, x, gt::tensor(1)).requires_grad());
}

TEST_CASE("vjp works inside of NoGrad and leaves it as it was") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  const gt::NoGrad off;
  const Tensor d = gt::vjp(gt::square, w, gt::ones({2}));
  CHECK(gt::equal(d, gt::tensor({2, 4})));
  CHECK_FALSE(d.requires_grad());
  CHECK_FALSE((w * 2).requires_grad());
  CHECK_THROWS_AS(gt::vjp(gt::square, w, gt::ones({3})), gt::ShapeError);
  CHECK_FALSE((w * 2).requires_grad());
}

TEST_CASE("the derivative of a derivative") {
  const Tensor one = gt::ones({3}), x = gt::tensor({1, -2, 0.5});
  const auto cube = [](const Tensor& t) { return t * t * t; };
  const auto first = [&](const Tensor& t) { return gt::vjp(cube, t, one); };
  const auto second = [&](const Tensor& t) { return gt::vjp(first, t, one); };
  CHECK(gt::vjp(first, x, one) == gt::approx(6 * x));
  CHECK(gt::vjp(second, x, one) == gt::approx(gt::full({3}, 6)));
  const Tensor w = gt::parameter(x);
  gt::sum(gt::square(first(w))).backward();  // sum((3x²)²) -> 36x³
  CHECK(w.grad() == gt::approx(36 * x * x * x));
  CHECK(gt::vjp([&](const Tensor& g) { return gt::vjp(cube, x, g); }, one, one) ==
        gt::approx(3 * x * x));  // linear in g
}

TEST_CASE("gradcheck of a function that calls vjp") {
  const auto slope = [](const Tensor& x, const Tensor& g) { return gt::vjp(gt::sigmoid, x, g); };
  CHECK(gt::gradcheck(slope, {gt::uniform({3, 4}), gt::uniform({3, 4})}));
}

TEST_CASE("vjp says what does not fit the output") {
  const Tensor x = gt::zeros({2, 3});
  CHECK(message_of<gt::ShapeError>([&] { return gt::vjp(gt::sum, x, gt::ones({2})); }) ==
        "vjp: the gradient given is f32 [2], but the output is f32 []; they must be alike");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::vjp(gt::square, x, gt::ones({2, 3}, {.dtype = gt::f64}));
        }) == "vjp: the gradient given is f64 [2, 3], but the output is f32 [2, 3]; they must be alike");
}

TEST_CASE("jvp of one input and of several") {
  const Tensor a = gt::tensor({1, 2, 3}), b = gt::tensor({4, 5, 6}), t = gt::tensor({10, 20, 30}),
               u = gt::tensor({1, 1, 1});
  CHECK(gt::equal(gt::jvp(gt::square, a, t), gt::tensor({20, 80, 180})));
  CHECK(gt::equal(gt::jvp(gt::mul, {a, b}, {t, u}), gt::tensor({41, 102, 183})));     // a·u + t·b
  CHECK(gt::equal(gt::jvp(gt::mul, {a, a}, {t, t}), gt::tensor({20, 80, 180})));      // one tensor in two places
  CHECK(gt::jvp(gt::sum, a, t).item() == 60);                                         // options left out
  CHECK(gt::equal(gt::jvp([&](const Tensor&) { return b; }, a, t), gt::zeros({3})));  // a constant
  CHECK(gt::equal(gt::jvp([](const Tensor& x) { return x; }, a, t), t));              // the input itself
  CHECK(gt::equal(gt::jvp([](const Tensor& x) { return x + x[0] * x; }, a, t), gt::tensor({30, 60, 90})));
  const gt::NoGrad off;
  CHECK(gt::equal(gt::jvp(gt::square, a, t), gt::tensor({20, 80, 180})));
}

TEST_CASE("jvp can be differentiated, and differentiates what holds derivatives") {
  const gt::DefaultDtype all_f64(gt::f64);
  const gt::RandomStream random(5);
  const Tensor x = gt::uniform({4, 3}), t = gt::uniform({4, 3}), w = gt::uniform({3, 2});
  // f(x) = Σ tanh(x·W)²; its second derivative along t, three ways.
  const auto f = [&](const Tensor& in) { return gt::sum(gt::square(gt::tanh(gt::matmul(in, w)))); };
  const auto gradient = [&](const Tensor& in) { return gt::vjp(f, in, gt::tensor(1.0)); };
  const auto slope = [&](const Tensor& in) { return gt::jvp(f, in, t); };
  const Tensor forward_over_reverse = gt::jvp(gradient, x, t);
  const Tensor reverse_over_forward = gt::vjp(slope, x, gt::tensor(1.0));
  const Tensor reverse_over_reverse =
      gt::vjp([&](const Tensor& in) { return gt::sum(gradient(in) * t); }, x, gt::tensor(1.0));
  CHECK(forward_over_reverse == gt::approx(reverse_over_reverse));
  CHECK(reverse_over_forward == gt::approx(reverse_over_reverse));
  CHECK(gt::jvp(slope, x, t) == gt::approx(gt::sum(forward_over_reverse * t)));
  CHECK(gt::gradcheck(slope, x));
  // The tangent is a variable too.
  CHECK(gt::gradcheck([&](const Tensor& in, const Tensor& along) { return gt::jvp(f, in, along); }, {x, t}));
}

TEST_CASE("jvp goes over a long chain and a ladder of diamonds in one sweep") {
  const auto chain = [](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 100000; ++i) y = y + x;
    return y;
  };
  CHECK(gt::jvp(chain, gt::tensor(1.0), gt::tensor(2.0)).item() == 200002);
  const auto ladder = [](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 64; ++i) y = 0.5 * y + 0.5 * y;
    return y;
  };
  CHECK(gt::jvp(ladder, gt::tensor(1.0), gt::tensor(3.0)).item() == 3);
}

TEST_CASE("jvp: a tangent must be like its input") {
  CHECK(message_of<gt::ShapeError>([] {
          return gt::jvp(gt::square, gt::zeros({2, 3}), gt::zeros({3}));
        }) == "jvp: the tangent of input 0 is f32 [3], but the input is f32 [2, 3]; they must be alike");
}

TEST_CASE("value_and_grad of one input and of several") {
  const Tensor a = gt::tensor({1, 2, 3}), b = gt::tensor({4, 5, 6}), rows = gt::tensor({2, 0}, {.dtype = gt::i64});
  const auto dot = [](const Tensor& x, const Tensor& y) { return gt::sum(x * y); };
  const auto [y, dx] = gt::value_and_grad([](const Tensor& x) { return gt::sum(x * x); }, a);
  CHECK(y.item() == 14);
  CHECK(gt::equal(dx, gt::tensor({2, 4, 6})));
  CHECK_FALSE(y.requires_grad());
  const auto [of_dot, gradients] = gt::value_and_grad(dot, {a, b});
  CHECK(of_dot.item() == 32);
  CHECK(gt::equal(gradients[0], b));
  CHECK(gt::equal(gradients[1], a));
  CHECK(gt::equal(gt::value_and_grad(gt::sum, a).second, gt::ones({3})));
  const auto taken = [](const Tensor& x, const Tensor& at) { return gt::sum(gt::take(x, at)); };
  CHECK(gt::equal(gt::value_and_grad(taken, {a, rows}).second[1], gt::zeros({2}, {.dtype = gt::i64})));
}

TEST_CASE("value_and_grad is on the tape if an input is, and works inside of NoGrad") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  const auto cubes = [](const Tensor& x) { return gt::sum(x * x * x); };
  const auto [y, dw] = gt::value_and_grad(cubes, w);
  (y + gt::sum(dw)).backward();  // Σ x³ + 3x² -> 3x² + 6x
  CHECK(gt::equal(w.grad(), gt::tensor({9, 24})));
  const gt::NoGrad off;
  const auto [constant, slope] = gt::value_and_grad(cubes, w);
  CHECK(gt::equal(slope, gt::tensor({3, 12})));
  CHECK_FALSE(constant.requires_grad());
  CHECK_FALSE(slope.requires_grad());
}

TEST_CASE("gradcheck of a function that calls value_and_grad") {
  const auto f = [](const Tensor& x) {
    const auto [y, dx] = gt::value_and_grad([](const Tensor& in) { return gt::sum(gt::tanh(in) * in); }, x);
    return y * dx;
  };
  CHECK(gt::gradcheck(f, gt::uniform({3, 4})));
}

TEST_CASE("value_and_grad: one floating element") {
  CHECK(message_of<gt::ShapeError>([] {
          return gt::value_and_grad(gt::square, gt::zeros({2, 3}));
        }) ==
        "value_and_grad: the function gives shape [2, 3]; it must give exactly one element: reduce it (sum, mean), or "
        "call jacobian");
  CHECK(message_of<gt::DtypeError>([] { return gt::value_and_grad(gt::argmax, gt::zeros({2})); }) ==
        "value_and_grad: no meaning for i64; convert with .to(gradtape::f32)");
}
