#include <ops/elementwise_ops.hpp>

// Dying buffers are reused, so here everything is held that can be held: no value that somebody sees may ever change.

namespace gt = gradtape;
using cases::between, cases::inputs, cases::Op, cases::ops, cases::same_bits, cases::Tensors;

namespace {

gt::Tensor copy_of(const gt::Tensor& x) { return gt::parameter(x).detach(); }

/// Values that must not change while it lives.
class Held {
 public:
  explicit Held(Tensors x) : x_(std::move(x)) {
    for (const gt::Tensor& each : x_) copies_.push_back(gt::parameter(each));
  }
  bool unchanged() const {
    for (std::size_t i = 0; i < x_.size(); ++i)
      if (!same_bits(x_[i], copies_[i])) return false;
    return true;
  }

 private:
  Tensors x_, copies_;
};

}  // namespace

TEST_CASE("elementwise: a graph swept twice gives the same bits and changes nothing") {
  const gt::RandomStream stream(56);
  for (const Op& op : ops())
    for (const gt::Dtype dtype : {gt::f32, gt::f64})
      for (const gt::Shape& shape : {gt::Shape{37}, gt::Shape{600}, gt::Shape{3, 70}}) {
        CAPTURE(op.name);
        Tensors x;
        for (const gt::Tensor& each : inputs(op, shape, dtype)) x.push_back(gt::parameter(each));
        const gt::Tensor a = op.f(x), b = op.f(Tensors(op.arity, gt::abs(a) + 0.5)), y = gt::sum(b * a);
        const Held held({x[0], x.back(), a, b, y});
        const Tensors first = gt::grad(y, x, {.retain_graph = true});
        const Held gradients_held(first);
        CHECK(held.unchanged());
        const Tensors second = gt::grad(y, x, {.retain_graph = true}), third = gt::grad(y, x);
        for (std::size_t i = 0; i < x.size(); ++i) {
          CHECK(same_bits(first[i], second[i]));
          CHECK(same_bits(first[i], third[i]));
        }
        CHECK(held.unchanged());
        CHECK(gradients_held.unchanged());
      }
}

TEST_CASE("elementwise: a retained graph keeps even the values that only its nodes hold") {
  const gt::RandomStream stream(62);
  for (const Op& op : ops())
    for (const bool create_graph : {false, true}) {
      CAPTURE(op.name);
      CAPTURE(create_graph);
      Tensors x, temporaries;
      for (const gt::Tensor& each : inputs(op, {37}, gt::f64)) x.push_back(gt::parameter(each));
      for (const gt::Tensor& each : x) temporaries.push_back(each + 1.5 - 0.5);  // its producer saves nothing of it
      gt::Tensor y = op.f(temporaries);
      temporaries.clear();
      y = gt::sum(y * 3 + y);
      const Tensors first = gt::grad(y, x, {.retain_graph = true, .create_graph = create_graph});
      const Held held(first);
      const Tensors second = gt::grad(y, x, {.retain_graph = true}), third = gt::grad(y, x);
      for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(first[i].detach() == gt::approx(second[i]));
        CHECK(same_bits(second[i], third[i]));
      }
      CHECK(held.unchanged());
    }
}

TEST_CASE("elementwise: a sweep that consumes its graph leaves held values alone") {
  const gt::RandomStream stream(57);
  for (const Op& op : ops())
    for (const gt::Dtype dtype : {gt::f32, gt::f64})
      for (const gt::Shape& shape : {gt::Shape{37}, gt::Shape{3, 70}}) {
        CAPTURE(op.name);
        Tensors x;
        for (const gt::Tensor& each : inputs(op, shape, dtype)) x.push_back(gt::parameter(each));
        const gt::Tensor inner = gt::sigmoid(op.f(x)), view = gt::transpose(gt::reshape(inner, {1, -1})),
                         part = inner[{gt::Slice{1}}];
        gt::Tensor outer = gt::exp(inner), y = gt::sum(outer * gt::tanh(part.rank() == 1 ? inner : inner * 2));
        // Held in every way there is: the tensor, a view, a slice, a detached handle, the leaves; `outer` dies before
        // the sweep.
        const Held held({x[0], x.back(), inner, view, part, inner.detach()});
        outer = gt::Tensor();
        y.backward();
        CHECK(held.unchanged());
        Tensors grads;
        for (const gt::Tensor& each : x) grads.push_back(each.grad());
        const Held grads_held(grads);
        gt::sum(gt::sigmoid(op.f(x))).backward();  // accumulates into .grad() while the old gradients are held
        CHECK(grads_held.unchanged());
        CHECK(held.unchanged());
      }
}

TEST_CASE("elementwise: a gradient that two inputs share is not written through either") {
  // add hands its gradient on as it came, to both sides; what follows must not see the other's work.
  const gt::RandomStream stream(58);
  for (const std::int64_t n : {37, 1000}) {  // large ones are added up in another way
    const auto a = gt::parameter(between(-2, 2)({n})), b = gt::parameter(between(-2, 2)({n})), g = between(-2, 2)({n});
    const Held seed({g});
    const auto expect = [&](const gt::Tensor& y, const gt::Tensor& da, const gt::Tensor& db) {
      const auto [ga, gb] = gt::grad(gt::sum(y * g), {a, b});
      CHECK(ga == gt::approx(da));
      CHECK(gb == gt::approx(db));
      CHECK(seed.unchanged());
    };
    const auto av = a.detach(), bv = b.detach(), one = gt::ones_like(av);
    expect(a + b, g, g);
    expect((a + b) + a, 2 * g, g);
    expect(gt::exp(a) + gt::exp(b), g * gt::exp(av), g * gt::exp(bv));
    expect(a * b + a, g * (bv + 1), g * av);
    expect(a * a + a + b * b, g * (2 * av + 1), 2 * g * bv);
    expect((a + b) + gt::square(a + b), g * (1 + 2 * (av + bv)), g * (1 + 2 * (av + bv)));
    expect(-(a + b) - (a * b), -1 * g * (1 + bv), -1 * g * (1 + av));
    expect(a * b + (a + (b + a)), g * (bv + 2), g * (av + one));
    const auto s = a + b, t = s + s, u = t + s;  // a diamond of sums, 3·(a + b)
    expect(u * t, 12 * g * (av + bv), 12 * g * (av + bv));
    // The gradient of a vjp is the caller's own tensor, even where it is passed straight through.
    const auto [ga, gb] = gt::vjp(gt::add, {av, bv}, g);
    const auto more = gt::vjp(gt::neg, av, ga);
    CHECK(more == gt::approx(-1 * g));
    CHECK(same_bits(gb, g));
    CHECK(seed.unchanged());
  }
}

TEST_CASE("elementwise: targets in the middle of a graph keep their own gradients") {
  const gt::RandomStream stream(59);
  for (const std::int64_t n : {37, 1000}) {
    const auto x = gt::parameter(between(0.5, 2)({n}));
    const auto a = gt::exp(x), b = a * x, c = gt::sin(b) + a, y = gt::sum(c * b);
    const auto xv = x.detach(), av = gt::exp(xv), bv = av * xv, cv = gt::sin(bv) + av;
    const auto dc = bv, db = cv + dc * gt::cos(bv), da = dc + db * xv, dx = da * av + db * av;
    const auto [gc, gb, ga, gx] = gt::grad(y, {c, b, a, x});
    CHECK(gc == gt::approx(dc));
    CHECK(gb == gt::approx(db));
    CHECK(ga == gt::approx(da));
    CHECK(gx == gt::approx(dx));
    const auto product = a * x, sum = gt::sum((product + a) * gt::sin(x));
    const auto [g_product, g_a] = gt::grad(sum, {product, a});
    CHECK(g_product == gt::approx(gt::sin(xv)));
    CHECK(g_a == gt::approx(gt::sin(xv) * (1 + xv)));
  }
}

TEST_CASE("elementwise: assigning a leaf leaves graphs and handles as they were") {
  const gt::RandomStream stream(60);
  const auto w = gt::parameter(between(-2, 2)({37})), before = copy_of(w);
  const auto y = gt::sum(w * w * w);
  const auto handle = w.detach(), part = w[{gt::Slice{3, 9}}];
  const Held held({handle, part});
  w.assign(gt::full_like(w, 7));
  CHECK(held.unchanged());
  y.backward();
  CHECK(w.grad() == gt::approx(3 * before * before));
  CHECK(gt::equal(w, gt::full_like(before, 7)));
}

TEST_CASE("elementwise: the gradient of a row stretched over many rows does not lose small terms") {
  const auto c = gt::parameter(gt::ones({3})), column = gt::parameter(gt::ones({2, 1}));
  gt::sum(gt::full({300000, 3}, 0.1) * c).backward();
  CHECK(c.grad() == gt::approx(gt::full({3}, 300000 * static_cast<double>(0.1F))).rtol(1e-6));
  gt::sum(gt::full({2, 300000}, 0.1) * column).backward();
  CHECK(column.grad() == gt::approx(gt::full({2, 1}, 300000 * static_cast<double>(0.1F))).rtol(1e-6));
}
