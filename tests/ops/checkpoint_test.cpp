#include <gradtape/core/pool.hpp>
#include <gradtape/ops/extend.hpp>

#include <thread>

#include <ops/cases.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::message_of;
using cases::same_bits;
using gt::Tensor;

namespace {

/// A residual block that uses its weight twice, and drops half of the numbers.
Tensor block(const Tensor& x, const Tensor& w) {
  const Tensor kept = (gt::uniform(x.shape()) > 0.5).to(x.dtype());
  return x + gt::matmul(gt::tanh(gt::matmul(x, w)) * kept, w);
}

/// Three of them, which share the first weight.
Tensor network(const Tensor& x, const Tensor& v, const Tensor& w, bool checkpointed) {
  const gt::RandomStream random(7);
  Tensor h = gt::sin(x);
  for (const Tensor& weight : {v, w, v})
    h = checkpointed ? gt::checkpoint([weight](const Tensor& in) { return block(in, weight); }, h) : block(h, weight);
  return gt::sum(gt::square(h) * h);
}

/// x, noting how much memory is in use on the way there and back.
struct Probe {
  static constexpr std::string_view name = "probe";
  std::int64_t* peak;
  gt::Array view(const gt::Array& x) const { return note(), x; }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return note(), Tensor(g); }
  void note() const { *peak = std::max(*peak, gt::memory().live_bytes); }
};

}  // namespace

TEST_CASE("checkpoint: the same bits, with shared weights and random numbers and captured parameters") {
  const gt::RandomStream random(1);
  const Tensor x = gt::parameter(cases::random({5, 4}, gt::f32)), v = gt::parameter(cases::random({4, 4}, gt::f32)),
               w = gt::parameter(cases::random({4, 4}, gt::f32));
  const auto gradients = [&](bool checkpointed) {
    const Tensor y = network(x, v, w, checkpointed);
    y.backward();
    std::vector<Tensor> out{y.detach(), x.grad(), v.grad(), w.grad()};
    for (const Tensor& leaf : {x, v, w}) leaf.zero_grad();
    return out;
  };
  const auto plain = gradients(false), checkpointed = gradients(true);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same_bits(plain[i], checkpointed[i]));

  const auto second = [&](bool on) {
    const auto [dx, dv] = gt::grad(network(x, v, w, on), {x, v}, {.create_graph = true});
    return gt::grad(gt::sum(dx * dx) + gt::sum(dv), std::vector<Tensor>{x, v, w});
  };
  const auto plain2 = second(false), checkpointed2 = second(true);
  for (std::size_t i = 0; i < 3; ++i) CHECK(checkpointed2[i] == gt::approx(plain2[i]));  // sums in another order
}

TEST_CASE("checkpoint: grad finds what is captured only, and sweeps no further") {
  const gt::RandomStream random(2);
  const Tensor x = cases::random({2, 4}), v = gt::parameter(cases::random({4, 4})),
               w = gt::parameter(cases::random({4, 4}));
  const auto [dw] = gt::grad(network(x, v, w, true), {w});
  CHECK(same_bits(dw, gt::grad(network(x, v, w, false), {w})[0]));
  CHECK_FALSE(w.has_grad());
  const Tensor y = gt::checkpoint([&](const Tensor& in) { return gt::sum(gt::matmul(in, w)); }, x);
  CHECK(y.requires_grad());  // the input is a constant
  CHECK(gt::tape_string(y).find("checkpoint(·, #0)") != std::string::npos);
  CHECK_THROWS_AS(gt::grad(y, {v}), gt::GradientError);
}

TEST_CASE("checkpoint: runs once more for each sweep, never under NoGrad") {
  int runs = 0;
  const Tensor w = gt::parameter(gt::tensor(3));
  const auto square = [&](const Tensor& x) { return ++runs, x * x; };
  const Tensor y = gt::checkpoint(square, w);
  CHECK(runs == 1);
  y.backward({.retain_graph = true});
  y.backward();
  CHECK(runs == 3);
  CHECK(w.grad().item() == 12);
  CHECK(message_of<gt::GradientError>([&] {
          return y.backward(), 0;
        }).starts_with("backward: `checkpoint` was swept before"));
  CHECK(runs == 3);
  const gt::NoGrad off;
  CHECK_FALSE(gt::checkpoint(square, w).requires_grad());
  CHECK(runs == 4);
}

TEST_CASE("checkpoint: nothing to keep") {
  const Tensor w = gt::parameter(gt::tensor(3));
  CHECK(gt::checkpoint([](const Tensor& x) { return x; }, w).node() == w.node());
  CHECK(gt::checkpoint([&](const Tensor&) { return w; }, gt::ones({})).node() == w.node());
  CHECK_FALSE(gt::checkpoint(gt::square, gt::ones({})).requires_grad());
  CHECK(gt::grad(gt::checkpoint([&] { return w * w; }), {w})[0].item() == 6);  // without inputs
}

TEST_CASE("checkpoint: any order, forwards too, nested, several inputs, ops by name") {
  const gt::RandomStream random(3);
  const Tensor a = cases::random({2, 3}), b = cases::random({3, 2});
  CHECK(
      gt::gradcheck([](const Tensor& x, const Tensor& y) { return gt::checkpoint(gt::matmul, gt::tanh(x), y); }, {a, b})
          .order(3));
  const auto inner = [](const Tensor& x) {
    return gt::checkpoint([](const Tensor& in) { return gt::tanh(in) * in; }, x);
  };
  const auto outer = [&](const Tensor& x) {
    return gt::checkpoint([&](const Tensor& in) { return inner(inner(in)) + in; }, x);
  };
  CHECK(gt::gradcheck(outer, a));
  CHECK(gt::gradcheck([&](const Tensor& x) { return gt::jvp(outer, x, x); }, a));
  CHECK(gt::gradcheck(
      [&](const Tensor& x) { return gt::checkpoint([&](const Tensor& in) { return gt::vjp(inner, in, in); }, x); }, a));
  const auto plain = [](const Tensor& x) { return gt::tanh(x) * x; };
  const auto total = [&](const Tensor& x) { return gt::sum(gt::checkpoint(outer, x)); };
  const auto plain_total = [&](const Tensor& x) { return gt::sum(plain(plain(x)) + x); };
  CHECK(gt::hessian(total, a) == gt::approx(gt::hessian(plain_total, a)));
  CHECK(gt::gradcheck([&](const Tensor& x) { return gt::hessian(total, x); }, a));
}

TEST_CASE("checkpoint: sweeps that are recorded, and others between and after them") {
  const gt::DefaultDtype all_f64(gt::f64);
  int runs = 0;
  const Tensor w = gt::parameter(gt::tensor(2));
  const auto cube = [&](const Tensor& x) { return ++runs, x * x * w; };
  const Tensor y = gt::checkpoint(cube, gt::checkpoint([](const Tensor& x) { return x * 1; }, w));
  CHECK(gt::grad(y, {w}, {.retain_graph = true})[0].item() == 12);
  const auto [first] = gt::grad(y, {w}, {.create_graph = true});
  CHECK(runs == 3);
  CHECK(gt::grad(first, {w}, {.retain_graph = true})[0].item() == 12);
  const auto [second] = gt::grad(first, {w}, {.create_graph = true});
  CHECK(gt::grad(second, {w}, {.retain_graph = true})[0].item() == 6);
  CHECK(gt::grad(y + first, {w}, {.retain_graph = true})[0].item() == 24);
  CHECK(gt::grad(y, {w}, {.retain_graph = true})[0].item() == 12);
  CHECK(runs == 3);  // what the recorded sweep has run again stays
  y.backward();
  CHECK(w.grad().item() == 12);
  CHECK_THROWS_AS(y.backward(), gt::GradientError);
  CHECK_THROWS_AS(gt::grad(first, {w}), gt::GradientError);
}

TEST_CASE("checkpoint: leaves that were assigned, and another default dtype, are as they were") {
  const Tensor w = gt::parameter(gt::tensor(3)), x = gt::parameter(gt::tensor(2));
  const auto f = [&](const Tensor& in) { return w * w * in * in * gt::ones({}); };
  const Tensor y = gt::checkpoint(f, x);
  w.assign(gt::tensor(100)), x.assign(gt::tensor(100));
  const gt::DefaultDtype other(gt::f64);
  y.backward();
  CHECK(w.grad().item() == 2 * 3 * 4);
  CHECK(x.grad().item() == 2 * 9 * 2);
  CHECK(w.item() == 100);
  CHECK(x.item() == 100);
}

TEST_CASE("checkpoint: the random stream goes on as if nothing had been drawn again") {
  const gt::RandomStream random(4);
  const Tensor w = gt::parameter(gt::ones({3}));
  const Tensor y = gt::sum(gt::checkpoint([](const Tensor& x) { return x * gt::uniform({3}); }, w));
  const gt::RandomState before = gt::random_state();
  y.backward();
  CHECK(gt::random_state().position == before.position);
  const gt::RandomStream again(4);
  CHECK(gt::equal(w.grad(), gt::uniform({3})));
}

TEST_CASE("checkpoint: a function that does not do the same again, or throws") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  int run = 0;
  const auto changing = [&](const Tensor& x) { return run++ == 0 ? x * x : gt::sum(x); };
  CHECK(message_of<gt::GradientError>([&] { return gt::sum(gt::checkpoint(changing, w)).backward(), 0; }) ==
        "checkpoint: run again, the function gives f32 [], where it gave f32 [2]; it must do the same each time");
  const auto cut = [&](const Tensor& x) { return run++ == 2 ? x * x : x.detach(); };
  CHECK(message_of<gt::GradientError>([&] { return gt::sum(gt::checkpoint(cut, w)).backward(), 0; }) ==
        "checkpoint: run again, the function gives f32 [2] that depends on no parameter, where it gave f32 [2]; it "
        "must do the same "
        "each time");
  bool armed = true;
  const auto fails = [&](const Tensor& x) {
    return gt::hook(x * x, [&](const Tensor& g) { return armed ? throw std::runtime_error("no gradient today") : g; }) *
           x;
  };
  const Tensor y = gt::sum(gt::checkpoint(fails, w) * w);
  CHECK_THROWS_AS(y.backward({.retain_graph = true}), std::runtime_error);
  CHECK_FALSE(w.has_grad());
  armed = false;
  y.backward();
  CHECK(gt::equal(w.grad(), gt::tensor({4, 32})));
}

TEST_CASE("checkpoint: hooks and kept gradients inside") {
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  Tensor kept;
  gt::sum(gt::checkpoint([&](const Tensor& x) { return 3 * (kept = gt::retain_grad(x * x)); }, w)).backward();
  CHECK(gt::equal(kept.grad(), gt::tensor({3, 3})));
  CHECK(gt::equal(w.grad(), gt::tensor({6, 12})));
}

TEST_CASE("checkpoint: swept by another thread than the one that recorded it") {
  Tensor w, y;
  std::thread([&] {
    w = gt::parameter(gt::tensor(3));
    Tensor h = w;
    for (int i = 0; i < 100'000; ++i) h = h * 1;  // ids far ahead of this thread's
    y = gt::checkpoint([&](const Tensor& x) { return x * x * w; }, h);
  }).join();
  CHECK(gt::grad(y, {w}, {.retain_graph = true})[0].item() == 27);
  y.backward();
  CHECK(w.grad().item() == 27);
  CHECK(gt::grad(gt::checkpoint([&](const Tensor& x) { return x * w; }, gt::ones({})), {w})[0].item() == 1);
}

TEST_CASE("checkpoint: a deep chain holds fewer bytes at its peak") {
  constexpr int segments = 16, depth = 16;
  constexpr std::int64_t bytes = 1 << 14;
  const auto peak = [&](bool checkpointed, bool retain) {
    const Tensor w = gt::parameter(gt::zeros({bytes / 4}));
    const std::int64_t before = gt::memory().live_bytes;
    std::int64_t highest = 0;
    const auto segment = [&highest](Tensor h) {
      for (int i = 0; i < depth; ++i) h = gt::sin(gt::record(Probe{&highest}, h));
      return h;
    };
    Tensor h = w;
    for (int i = 0; i < segments; ++i) h = checkpointed ? gt::checkpoint(segment, h) : segment(h);
    const Tensor y = gt::sum(h);
    y.backward({.retain_graph = retain});
    return highest - before;
  };
  CHECK(peak(false, false) > segments * depth * bytes);
  CHECK(peak(true, false) < (segments + 2 * depth) * bytes);
  CHECK(peak(true, true) < (segments + 2 * depth) * bytes);
}
