#include <ops/elementwise_ops.hpp>

// Bits depend neither on place nor on who else needs a gradient; fused and recorded gradients agree.

namespace gt = gradtape;
using cases::between, cases::gradients, cases::inputs, cases::mixed, cases::Op, cases::ops, cases::same_bits,
    cases::Tensors;

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
          const auto here = gt::arange(size, {.dtype = gt::i64}) == static_cast<double>(at);
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
        const gt::Tensor wide_a = gt::contiguous(gt::broadcast_to(a, y.shape())),
                         wide_b = gt::contiguous(gt::broadcast_to(b, y.shape()));
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
          CHECK(recorded[i].detach() ==
                gt::approx(fused[i]).atol(dtype == gt::f32 ? 3e-5 : 1e-12));  // sums in another order
        }
      }
}

TEST_CASE("elementwise: a tensor used several times in different broadcasts gathers all of its gradient") {
  // y = x·a + x + x·b·a + c·x with x [3, 1], a [4], b [3, 4], c scalar:
  // dy/dx_i = Σ_j g_ij·(a_j + 1 + b_ij·a_j + c),  dy/da_j = Σ_i g_ij·(x_i + x_i·b_ij)
  const gt::RandomStream stream(55);
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    const auto sample = [&](const gt::Shape& shape) { return gt::parameter(between(-2, 2)(shape).to(dtype)); };
    const gt::Tensor x = sample({3, 1}), a = sample({4}), b = sample({3, 4}), c = sample({}),
                     g = sample({3, 4}).detach();
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
  cases::gradcheck_all([](const gt::Tensor& x, const gt::Tensor& y) { return x * y + x - y * y + (x + y) * x; },
                       between(-2, 2), between(-2, 2));
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

TEST_CASE("elementwise: operands stretched or strided in any way, over rows, blocks and parts of any length") {
  // Whole numbers, so that values and gradients are exact; views amid NaN, which must reach neither.
  const gt::RandomStream stream(62);
  const auto whole = [](const gt::Shape& shape, gt::Dtype dtype) { return gt::randint(-3, 4, shape).to(dtype); };
  const auto as_it_is = [](const gt::Tensor& x) { return x; };
  const auto amid_nan = [](gt::Tensor x) {
    for (int axis = 0; axis < x.rank(); ++axis) {
      const gt::Tensor rows = gt::swapaxes(x, 0, axis);
      gt::Shape two = rows.shape();
      two.set(0, 2);
      const gt::Tensor nan = gt::full(two, std::nan(""), {.dtype = x.dtype()});
      x = gt::swapaxes(gt::concatenate({nan, rows, nan}, {.axis = 0})[gt::Slice{2, 2 + rows.shape()[0]}], 0, axis);
    }
    return x;
  };
  const auto transposed = [](const gt::Tensor& x) {
    return x.rank() < 2 ? x : gt::swapaxes(gt::contiguous(gt::swapaxes(x, -1, -2)), -1, -2);
  };
  const auto check = [&](std::int64_t m, std::int64_t n, const gt::Shape& to, gt::Dtype dtype, auto view) {
    const gt::Tensor x = whole({2, m, n}, dtype), g = whole({2, m, n}, dtype);
    const gt::Tensor leaf = gt::parameter(whole(to, dtype)), a = gt::parameter(x), w = view(leaf);
    const gt::Tensor wide = gt::contiguous(gt::broadcast_to(leaf.detach(), x.shape()));
    CHECK(gt::equal(x * w, x * wide));
    CHECK(gt::equal(x < w, x < wide));
    CHECK(gt::equal(gt::where(w > 0, x, w), gt::where(wide > 0, x, wide)));
    const auto [of_a, of_leaf] = gt::grad(gt::sum(a * w * g + view(x) * w * g), {a, leaf});
    CHECK(gt::equal(of_a, g * wide));
    CHECK(gt::equal(of_leaf, 2 * gt::detail::sum_to(x * g, to)));
  };
  for (const gt::Dtype dtype : {gt::f32, gt::f64})
    for (const std::int64_t n : {1, 2, 3, 4, 5, 8, 15, 16, 17, 37, 300, 511, 512, 513, 1000, 1024, 1025, 1500})
      for (const std::int64_t m : {std::int64_t{2}, 1 + 1100 / n, 1 + 17'000 / n})
        for (const gt::Shape& to : {gt::Shape{n}, {m, 1}, {m, n}, {2, 1, n}, {2, m, 1}, {2, 1, 1}, {2, m, n}, {1}}) {
          CAPTURE(n);
          CAPTURE(m);
          CAPTURE(gt::to_string(to));
          check(m, n, to, dtype, as_it_is);
          check(m, n, to, dtype, amid_nan);
          check(m, n, to, dtype, transposed);
        }
}

TEST_CASE("elementwise: rules that are recorded whole are right to the fifth derivative, over broadcasts too") {
  const auto derivatives = [](auto f, double at, int orders = 5) {
    const auto x = gt::parameter(gt::full({5}, at, {.dtype = gt::f64}));
    const auto scale = gt::full({3, 1}, 2, {.dtype = gt::f64});
    gt::Tensor y = f(x * scale);
    std::vector<double> out;
    for (int order = 1; order <= orders; ++order) {
      const auto [d] = gt::grad(gt::sum(y), {x}, {.create_graph = true});
      y = d;
      // three rows, and a factor of 2 from each derivative
      out.push_back(d[4].item() / (3 * std::pow(2, order)));
    }
    return out;
  };
  const double x = 0.35, t = std::tanh(2 * x), s = 1 / (1 + std::exp(-2 * x)), q = 1 - t * t, p = s * (1 - s);
  const auto check = [](const std::vector<double>& got, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK_MESSAGE(got[i] == doctest::Approx(expected[i]).epsilon(1e-12), "order ", i + 1);
  };
  // the derivatives of t' = 1 - t² and of s' = s - s², each a polynomial in the function
  check(derivatives([](const gt::Tensor& v) { return gt::tanh(v); }, x),
        {q, -2 * t * q, q * (6 * t * t - 2), q * (16 * t - 24 * t * t * t),
         q * (16 - 120 * t * t + 120 * std::pow(t, 4))});
  check(derivatives([](const gt::Tensor& v) { return gt::sigmoid(v); }, x),
        {p, p * (1 - 2 * s), p * (1 - 6 * s + 6 * s * s), p * (1 - 14 * s + 36 * s * s - 24 * s * s * s),
         p * (1 - 30 * s + 150 * s * s - 240 * s * s * s + 120 * std::pow(s, 4))});
  check(derivatives([](const gt::Tensor& v) { return gt::square(v); }, x, 2), {4 * x, 2});
}

TEST_CASE("elementwise: a rule that is recorded whole is one node, and so is its gradient") {
  const auto x = gt::parameter(gt::full({5}, 0.3));
  const auto [d] = gt::grad(gt::sum(gt::tanh(x)), {x}, {.create_graph = true});
  CHECK(d.node()->name() == "tanh_vjp");
  const auto before = gt::memory().live_nodes;
  const auto [dd] = gt::grad(gt::sum(d), {x}, {.create_graph = true});
  CHECK(dd.node()->name() == "tanh_vjp");
  CHECK(gt::memory().live_nodes - before <= 4);
}
