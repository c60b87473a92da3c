#include <ops/cases.hpp>

#include <span>

// What holds for every elementwise op alike: bits do not depend on place or on who else needs a gradient, fused and recorded
// gradients agree, and no buffer that somebody holds is reused.

namespace gt = gradtape;
using cases::between, cases::same_bits;

namespace {

using Tensors = std::vector<gt::Tensor>;

struct Op {
  std::string name;
  std::size_t arity;
  std::function<gt::Tensor(const Tensors&)> f;
  bool positive = false;  // inputs must be
};

Op unary(std::string name, gt::Tensor (*f)(const gt::Tensor&), bool positive = false) {
  return {std::move(name), 1, [f](const Tensors& x) { return f(x[0]); }, positive};
}
Op binary(std::string name, gt::Tensor (*f)(const gt::Operand&, const gt::Operand&), bool positive = false) {
  return {std::move(name), 2, [f](const Tensors& x) { return f(x[0], x[1]); }, positive};
}

std::vector<Op> ops() {
  return {
      binary("add", gt::add),
      binary("sub", gt::sub),
      binary("mul", gt::mul),
      binary("div", gt::div),
      binary("maximum", gt::maximum),
      binary("minimum", gt::minimum),
      binary("pow", gt::pow, true),
      {"where", 2, [](const Tensors& x) { return gt::where(x[0] > x[1], x[0], x[1]); }},
      unary("neg", gt::neg),
      unary("exp", gt::exp),
      unary("log", gt::log, true),
      unary("sqrt", gt::sqrt, true),
      unary("square", gt::square),
      unary("sin", gt::sin),
      unary("cos", gt::cos),
      unary("abs", gt::abs),
      unary("sigmoid", gt::sigmoid),
      unary("tanh", gt::tanh),
      unary("relu", gt::relu),
  };
}

/// Numbers of many sizes, so that neighbours call for different branches of a function.
gt::Tensor mixed(const Op& op, const gt::Shape& shape, gt::Dtype dtype) {
  const auto size = gt::exp(gt::uniform(shape, {.low = -8, .high = 6, .dtype = gt::f64}));
  const auto sign = op.positive ? gt::ones_like(size) : gt::where(gt::uniform(shape, {.dtype = gt::f64}) < 0.5, -1 * gt::ones_like(size), 1);
  return (size * sign).to(dtype);
}

Tensors inputs(const Op& op, const gt::Shape& shape, gt::Dtype dtype) {
  Tensors x;
  for (std::size_t i = 0; i < op.arity; ++i) x.push_back(mixed(op, shape, dtype));
  return x;
}

/// The gradients of gᵀ·op(x) for the inputs in `which`; the others are constants.
Tensors gradients(const Op& op, const Tensors& x, const gt::Tensor& g, unsigned which = ~0u) {
  Tensors in, wanted;
  for (std::size_t i = 0; i < x.size(); ++i) {
    in.push_back(which >> i & 1 ? gt::parameter(x[i]) : x[i]);
    if (which >> i & 1) wanted.push_back(in.back());
  }
  return gt::grad(gt::sum(op.f(in) * g), wanted);
}

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

TEST_CASE("elementwise: the bits of an element do not depend on where it stands in a packed array") {
  const gt::RandomStream stream(51);
  for (const Op& op : ops())
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      CAPTURE(op.name);
      CAPTURE(gt::to_string(dtype));
      std::size_t wrong = 0;
      for (std::int64_t size = 1; size <= 70; ++size)
        for (std::int64_t at = 0; at < std::min<std::int64_t>(size, 41); ++at) {
          const Tensors one = inputs(op, {1}, dtype);  // a number alone, then at this place among strangers
          const gt::Tensor g = between(-1, 1)({1}).to(dtype), y = op.f(one);
          const Tensors d = gradients(op, one, g);
          const auto here = gt::arange(static_cast<double>(size), {.dtype = gt::i64}) == static_cast<double>(at);
          Tensors x = inputs(op, {size}, dtype);
          for (std::size_t i = 0; i < x.size(); ++i) x[i] = gt::where(here, one[i], x[i]);
          wrong += !same_bits(op.f(x)[{gt::Slice{at, at + 1}}], y);
          const Tensors all = gradients(op, x, gt::where(here, g, between(-1, 1)({size}).to(dtype)));
          for (std::size_t i = 0; i < x.size(); ++i) wrong += !same_bits(all[i][{gt::Slice{at, at + 1}}], d[i]);
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE("elementwise: nor on the broadcast or view through which it is read") {
  const gt::RandomStream stream(52);
  for (const Op& op : ops())
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      CAPTURE(op.name);
      for (const auto& view : cases::views()) {
        CAPTURE(view.name);
        Tensors strided, packed;
        for (const gt::Tensor& x : inputs(op, view.base, dtype)) {
          strided.push_back(view.of(x));
          packed.push_back(gt::contiguous(strided.back()));
        }
        CHECK(same_bits(op.f(strided), op.f(packed)));
      }
      if (op.arity != 2) continue;
      for (const auto& [left, right] : cases::broadcasts()) {
        CAPTURE(gt::to_string(left));
        CAPTURE(gt::to_string(right));
        const gt::Tensor a = mixed(op, left, dtype), b = mixed(op, right, dtype), y = op.f({a, b}), z = op.f({b, a});
        const gt::Tensor wide_a = gt::contiguous(gt::broadcast_to(a, y.shape())), wide_b = gt::contiguous(gt::broadcast_to(b, y.shape()));
        CHECK(same_bits(y, op.f({wide_a, wide_b})));
        CHECK(same_bits(z, op.f({wide_b, wide_a})));
        // An operand that is not stretched gets the gradient of the packed case, bit by bit.
        const gt::Tensor g = between(-1, 1)(y.shape()).to(dtype);
        if (left == y.shape()) CHECK(same_bits(gradients(op, {a, b}, g)[0], gradients(op, {wide_a, wide_b}, g)[0]));
        if (left == y.shape()) CHECK(same_bits(gradients(op, {b, a}, g)[1], gradients(op, {wide_b, wide_a}, g)[1]));
      }
    }
}

TEST_CASE("elementwise: the gradient of one input is bitwise that of both") {
  const gt::RandomStream stream(53);
  for (const Op& op : ops()) {
    if (op.arity != 2) continue;
    for (const gt::Dtype dtype : {gt::f32, gt::f64})
      for (const auto& [left, right] : cases::broadcasts()) {
        CAPTURE(op.name);
        CAPTURE(gt::to_string(left));
        CAPTURE(gt::to_string(right));
        const Tensors x{mixed(op, left, dtype), mixed(op, right, dtype)};
        const gt::Tensor g = between(-1, 1)(op.f(x).shape()).to(dtype);
        const Tensors both = gradients(op, x, g);
        CHECK(same_bits(gradients(op, x, g, 0b01)[0], both[0]));
        CHECK(same_bits(gradients(op, x, g, 0b10)[0], both[1]));
        const Tensors in{gt::parameter(x[0]), gt::parameter(x[1])};  // both need one, one is asked for
        CHECK(same_bits(gt::grad(gt::sum(op.f(in) * g), {in[0]})[0], both[0]));
        CHECK(same_bits(gt::grad(gt::sum(op.f(in) * g), {in[1]})[0], both[1]));
      }
  }
}

TEST_CASE("elementwise: the fused gradient equals the recorded one") {
  const gt::RandomStream stream(54);
  for (const Op& op : ops())
    for (const gt::Dtype dtype : {gt::f32, gt::f64})
      for (const auto& [left, right] : cases::broadcasts()) {
        CAPTURE(op.name);
        CAPTURE(gt::to_string(left));
        CAPTURE(gt::to_string(right));
        const auto sample = op.positive ? between(0.5, 2) : cases::away_from(0);
        Tensors x{gt::parameter(sample(left).to(dtype))};
        if (op.arity == 2) x.push_back(gt::parameter(sample(right).to(dtype)));
        const gt::Tensor g = between(-1, 1)(op.f(x).shape()).to(dtype), y = gt::sum(op.f(x) * g);
        const Tensors recorded = gt::grad(y, x, {.create_graph = true}), fused = gt::grad(y, x);
        for (std::size_t i = 0; i < x.size(); ++i) {
          CHECK_FALSE(fused[i].requires_grad());
          CHECK(recorded[i].detach() == gt::approx(fused[i]).atol(dtype == gt::f32 ? 3e-5 : 1e-12));  // sums in another order
        }
      }
}

TEST_CASE("elementwise: a tensor used several times in different broadcasts gathers all of its gradient") {
  // y = x·a + x + x·b·a + c·x with x [3, 1], a [4], b [3, 4], c scalar:
  // dy/dx_i = Σ_j g_ij·(a_j + 1 + b_ij·a_j + c),  dy/da_j = Σ_i g_ij·(x_i + x_i·b_ij)
  const gt::RandomStream stream(55);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto sample = [&](const gt::Shape& shape) { return gt::parameter(between(-2, 2)(shape).to(dtype)); };
    const gt::Tensor x = sample({3, 1}), a = sample({4}), b = sample({3, 4}), c = sample({}), g = sample({3, 4}).detach();
    const auto y = gt::sum(g * (x * a + x + x * b * a + c * x));
    const auto [dx, da, dc] = gt::grad(y, {x, a, c});
    const auto xv = cases::doubles(x), av = cases::doubles(a), bv = cases::doubles(b), gv = cases::doubles(g);
    std::vector<double> ex(3), ea(4), ec(1);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 4; ++j) {
        const double gij = gv[4 * i + j], bij = bv[4 * i + j];
        ex[i] += gij * (av[j] + 1 + bij * av[j] + c.item());
        ea[j] += gij * (xv[i] + xv[i] * bij);
        ec[0] += gij * xv[i];
      }
    CHECK(dx == gt::approx(gt::reshape(cases::vector(ex, dtype), {3, 1})).atol(1e-5));
    CHECK(da == gt::approx(cases::vector(ea, dtype)).atol(1e-5));
    CHECK(dc == gt::approx(gt::reshape(cases::vector(ec, dtype), {})).atol(1e-5));
  }
  cases::gradcheck_all([](const gt::Tensor& x, const gt::Tensor& y) { return x * y + x - y * y + (x + y) * x; }, between(-2, 2), between(-2, 2));
}

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
        const gt::Tensor inner = gt::sigmoid(op.f(x)), view = gt::transpose(gt::reshape(inner, {1, -1})), part = inner[{gt::Slice{1}}];
        gt::Tensor outer = gt::exp(inner), y = gt::sum(outer * gt::tanh(part.rank() == 1 ? inner : inner * 2));
        // Held in every way there is: the tensor, a view, a slice, a detached handle, the leaves; `outer` dies before the sweep.
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
  const auto a = gt::parameter(between(-2, 2)({37})), b = gt::parameter(between(-2, 2)({37})), g = between(-2, 2)({37});
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

TEST_CASE("elementwise: targets in the middle of a graph keep their own gradients") {
  const gt::RandomStream stream(59);
  const auto x = gt::parameter(between(0.5, 2)({37}));
  const auto a = gt::exp(x), b = a * x, c = gt::sin(b) + a, y = gt::sum(c * b);
  const auto xv = x.detach(), av = gt::exp(xv), bv = av * xv, cv = gt::sin(bv) + av;
  const auto dc = bv, db = cv + dc * gt::cos(bv), da = dc + db * xv, dx = da * av + db * av;
  const auto [gc, gb, ga, gx] = gt::grad(y, {c, b, a, x});
  CHECK(gc == gt::approx(dc));
  CHECK(gb == gt::approx(db));
  CHECK(ga == gt::approx(da));
  CHECK(gx == gt::approx(dx));
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

TEST_CASE("elementwise: gradients larger than a block are folded into those that are there") {
  // Sizes past the driver's blocks and off their ends, a gradient that is already there on either side.
  const gt::RandomStream stream(61);
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const std::int64_t n : {511, 512, 513, 1024, 1543}) {
      CAPTURE(n);
      const auto a = gt::parameter(between(-2, 2)({n}).to(dtype)), b = gt::parameter(between(-2, 2)({n}).to(dtype));
      const auto [da, db] = gt::grad(gt::sum(a * b + a * a * b), {a, b});
      const auto av = a.detach(), bv = b.detach();
      CHECK(da == gt::approx(bv + 2 * av * bv).atol(1e-5));
      CHECK(db == gt::approx(av + av * av).atol(1e-5));
      const auto row = gt::parameter(between(-2, 2)({n}).to(dtype)), m = between(-2, 2)({3, n}).to(dtype);
      const auto dr = gt::grad(gt::sum(m * row + row * row), {row})[0];
      CHECK(dr == gt::approx(gt::sum(m, {.axes = 0}) + 6 * row.detach()).atol(1e-5));
    }
}
