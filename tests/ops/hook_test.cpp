#include <ops/cases.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::message_of;
using gt::Tensor;

TEST_CASE("hook: sees the complete gradient, once a sweep") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  std::vector<Tensor> seen;
  const Tensor h = gt::hook(w * w, [&](const Tensor& g) { seen.push_back(g); });
  CHECK(gt::equal(h, gt::tensor({1, 4})));
  gt::sum(h * 3 + h * h).backward();  // in two places
  REQUIRE(seen.size() == 1);
  CHECK(gt::equal(seen[0], gt::tensor({5, 11})));
  CHECK(gt::equal(w.grad(), gt::tensor({10, 44})));
}

TEST_CASE("hook: what it returns goes on") {
  const Tensor w = gt::parameter(gt::tensor({1, -2}));
  gt::sum(5 * gt::hook(w, [](const Tensor& g) { return -0.5 * g; })).backward();
  CHECK(gt::equal(w.grad(), gt::full({2}, -2.5)));
  const Tensor wrong = gt::hook(w, gt::sum);  // by name
  CHECK(message_of<gt::GradientError>([&] { return gt::sum(wrong).backward(), 0; }) ==
        "hook: the backward rule gave input 0 a gradient of f32 [], where the input is f32 [2]");
}

TEST_CASE("hook: nothing on the way back, nothing to hook") {
  const Tensor c = gt::ones({2}), w = gt::parameter(c);
  const auto fail = [](const Tensor&) { FAIL("called"); };
  CHECK_FALSE(gt::hook(c, fail).requires_grad());
  const gt::NoGrad off;
  CHECK(gt::hook(w, fail).node() == w.node());
}

TEST_CASE("hook: is recorded, and passes tangents as they are") {
  const gt::RandomStream random(1);
  const auto plain = [](const Tensor& x) { return gt::hook(gt::tanh(x), [](const Tensor&) {}); };
  CHECK(gt::gradcheck(plain, cases::random({3, 4})).order(3));
  // A gradient that is a function of a parameter.
  const Tensor w = gt::parameter(gt::tensor(2));
  const auto [dx] =
      gt::grad(gt::square(gt::hook(w, [&](const Tensor& g) { return g * w; })), {w}, {.create_graph = true});
  CHECK(dx.item() == 8);                     // 2w·w
  CHECK(gt::grad(dx, {w})[0].item() == 12);  // 2w·w + the hooked 2·w on the way back again
}

TEST_CASE("retain_grad: an intermediate tensor keeps its gradient") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  const Tensor h = gt::retain_grad(w * w);
  CHECK_FALSE(h.has_grad());
  CHECK(message_of<gt::GradientError>([&] { return h.grad(); }) ==
        "grad: this tensor of shape [2] has no gradient; call backward() on a result that depends on it first");
  const Tensor y = gt::sum(h * 3 + h * h);
  y.backward({.retain_graph = true});
  CHECK(gt::equal(h.grad(), gt::tensor({5, 11})));
  CHECK(gt::equal(w.grad(), gt::tensor({10, 44})));
  y.backward();  // adds up, as in a leaf
  CHECK(gt::equal(h.grad(), gt::tensor({10, 22})));
  h.zero_grad();
  CHECK_FALSE(h.has_grad());
  CHECK_FALSE(h.is_leaf());
}

TEST_CASE("retain_grad: of leaves and constants is the tensor itself; grad and a failed sweep leave it alone") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  CHECK(gt::retain_grad(w).node() == w.node());
  CHECK_FALSE(gt::retain_grad(w.detach()).requires_grad());
  const Tensor h = gt::retain_grad(w * w);
  CHECK(gt::retain_grad(h).node() == h.node());
  const auto [dw, dh] = gt::grad(gt::sum(h * h), {w, h}, {.retain_graph = true});
  CHECK(gt::equal(dh, gt::tensor({2, 8})));
  CHECK(gt::equal(dw, gt::tensor({4, 32})));
  CHECK_FALSE(h.has_grad());
  const Tensor stopped = gt::retain_grad(gt::hook(w, [](const Tensor&) { return Tensor(); }));
  CHECK_THROWS_AS(gt::sum(stopped).backward(), gt::GradientError);
  CHECK_FALSE(stopped.has_grad());
}

TEST_CASE("retain_grad: recorded") {
  const gt::RandomStream random(2);
  CHECK(gt::gradcheck([](const Tensor& x) { return gt::retain_grad(gt::tanh(x)); }, cases::random({3, 4})));
  const Tensor w = gt::parameter(gt::tensor(3)), h = gt::retain_grad(w * w);
  (h * h).backward({.create_graph = true});  // dh = 2h
  CHECK(gt::grad(h.grad(), {w})[0].item() == 12);
  w.zero_grad(), h.zero_grad();
}
