#include <ops/rows.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using gt::Tensor;

namespace {

/// From a stream of its own, so that a call repeated drops the same elements.
auto repeatable(const gt::DropoutOptions& options) {
  return [=](const Tensor& x) {
    const gt::RandomStream stream(5);
    return gt::dropout(x, options);
  };
}

const cases::Rows dropouts([]() -> std::vector<cases::Row> {
  const auto any = cases::between(-1, 1);
  return {
      {"dropout",
       cases::calls({cases::unary(repeatable({.p = 0.3}), any), cases::unary(repeatable({.p = 0}), any),
                     cases::unary(repeatable({.p = 1}), any), cases::unary(repeatable({.training = false}), any)}),
       {{"dropout: p is -0.1; expected 0 to 1", [] { gt::dropout(gt::zeros({2}), {.p = -0.1}); }},
        {"dropout: p is 1.5; expected 0 to 1", [] { gt::dropout(gt::zeros({2}), {.p = 1.5}); }},
        {"dropout: p is nan; expected 0 to 1", [] { gt::dropout(gt::zeros({2}), {.p = cases::nan}); }},
        {"dropout: no meaning for i64; convert with .to(gradtape::f32)", [] { gt::dropout(cases::integers({2})); }}}}};
});

std::int64_t kept(const Tensor& y) { return gt::count_nonzero(y).item<std::int64_t>(); }

}  // namespace

TEST_CASE("dropout: rows") { dropouts.check(); }

TEST_CASE("dropout: an element is 0 or divided by 1 - p, and so is its gradient") {
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const gt::RandomStream stream(1);
    const std::int64_t n = 100'003;
    const Tensor x = gt::parameter(cases::random({n}, dtype) + 2), g = cases::random({n}, dtype) + 2;
    for (const double p : {0.1, 0.5, 0.9}) {
      CAPTURE(p);
      const Tensor y = gt::dropout(x, {.p = p});
      const Tensor mask = (y.detach() != 0).to(dtype);
      CHECK(y.detach() == gt::approx(x.detach() * mask / (1 - p)));
      CHECK(gt::grad(gt::sum(y * g), {x})[0] == gt::approx(g * mask / (1 - p)));
      const double share = static_cast<double>(kept(mask)) / static_cast<double>(n);
      CHECK(share == doctest::Approx(1 - p).epsilon(0.03));  // five standard deviations at p = 0.9
    }
  }
}

TEST_CASE("dropout: nothing is dropped for p = 0 and in evaluation, everything for p = 1") {
  const Tensor x = gt::tensor({1, cases::inf, cases::nan, -2});
  const gt::RandomState before = gt::random_state();
  CHECK(gt::dropout(x, {.p = 0}).array().data() == x.array().data());
  CHECK(gt::dropout(x, {.training = false}).array().data() == x.array().data());
  CHECK(gt::random_state().position == before.position);
  CHECK(gt::equal(gt::dropout(x, {.p = 1}), gt::zeros({4})));
  CHECK(gt::equal(gt::vjp(repeatable({.p = 1}), x, gt::ones({4})), gt::zeros({4})));
}

TEST_CASE("dropout: the seed decides what is dropped, and each call drops anew") {
  const Tensor x = gt::ones({1000});
  const gt::RandomStream scope(0);
  gt::manual_seed(3);
  const Tensor first = gt::dropout(x), second = gt::dropout(x);
  gt::manual_seed(3);
  CHECK(gt::equal(gt::dropout(x), first));
  CHECK(gt::equal(gt::dropout(x), second));
  CHECK_FALSE(gt::equal(first, second));
}

TEST_CASE("dropout: a checkpoint drops the same elements again") {
  const Tensor w = gt::parameter(cases::random({50, 50})), x = cases::random({20, 50});
  const auto block = [&](const Tensor& h) { return gt::dropout(gt::tanh(gt::matmul(gt::dropout(h, {.p = 0.2}), w))); };
  const auto gradient = [&](auto f) {
    const gt::RandomStream stream(4);
    return gt::grad(gt::sum(gt::square(f(x))), {w})[0];
  };
  CHECK(gt::equal(gradient([&](const Tensor& h) { return gt::checkpoint(block, h); }), gradient(block)));
}

TEST_CASE("dropout: the tape keeps the mask alone") {
  const std::string tape = gt::tape_string(gt::dropout(gt::parameter(gt::ones({2, 3}))));
  CHECK(tape.substr(0, tape.find('\n')).ends_with("saves input 1 [2, 3]"));
}
