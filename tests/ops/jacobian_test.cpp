#include <ops/cases.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::message_of;
using gt::Tensor;

namespace {

/// x as a vector, times a matrix of m rows: its Jacobian is that matrix.
auto linear_map(const Tensor& matrix) {
  return [matrix](const Tensor& x) { return gt::matmul(matrix, gt::reshape(x, {-1, 1})); };
}

/// Σ tanh(x·W)², smooth and mixing all elements.
auto smooth(const Tensor& w) {
  return [w](const Tensor& x) { return gt::sum(gt::square(gt::tanh(gt::matmul(x, w)))); };
}

}  // namespace

TEST_CASE("jacobian: shape y.shape + x.shape, whichever way the sweeps go") {
  const gt::RandomStream random(1);
  for (const std::int64_t m : {2, 6, 9}) {  // rows, as many, columns
    const Tensor matrix = cases::random({m, 6}), x = cases::random({2, 3});
    const Tensor j = gt::jacobian(linear_map(matrix), x);
    CHECK(j.shape() == gt::Shape{m, 1, 2, 3});
    CHECK(gt::reshape(j, {m, 6}) == gt::approx(matrix));
  }
  const Tensor x = gt::tensor({1, 2, 3});
  CHECK(gt::equal(gt::jacobian(gt::square, x), gt::tensor({{2, 0, 0}, {0, 4, 0}, {0, 0, 6}})));
  CHECK(gt::equal(gt::jacobian(gt::sum, x), gt::ones({3})));
  CHECK(gt::equal(gt::jacobian([&](const Tensor& t) { return t * x; }, gt::tensor(2)), x));  // of a scalar, forwards
}

TEST_CASE("jacobian: several inputs, of which some do not matter") {
  const gt::RandomStream random(2);
  const Tensor a = cases::random({2, 3}), b = cases::random({3, 2}), c = cases::random({4});
  const auto f = [](const Tensor& x, const Tensor& y, const Tensor&) { return gt::matmul(x, y); };
  const auto [da, db, dc] = gt::jacobian(f, {a, b, c});
  // ∂(a·b)[i, j]/∂a[p, q] = δ(i, p)·b[q, j]  and  ∂(a·b)[i, j]/∂b[p, q] = a[i, p]·δ(j, q)
  for (const int i : {0, 1})
    for (const int j : {0, 1})
      for (const int p : {0, 1, 2})
        for (const int q : {0, 1}) {
          CHECK(da[{i, j, q, p}].item() == (i == q ? b[{p, j}].item() : 0));
          CHECK(db[{i, j, p, q}].item() == (j == q ? a[{i, p}].item() : 0));
        }
  CHECK(gt::equal(dc, gt::zeros({2, 2, 4}, {.dtype = gt::f64})));
  CHECK(gt::equal(gt::jacobian([&](const Tensor&) { return a; }, c), gt::zeros({2, 3, 4}, {.dtype = gt::f64})));
}

TEST_CASE("jacobian: nothing in, nothing out, and another dtype out") {
  CHECK(gt::jacobian(gt::square, gt::zeros({0, 2})).shape() == gt::Shape{0, 2, 0, 2});
  CHECK(gt::equal(gt::jacobian(gt::sum, gt::zeros({0, 2})), gt::zeros({0, 2})));
  CHECK(gt::jacobian([](const Tensor& x) { return gt::zeros({0}) * x; }, gt::ones({})).shape() == gt::Shape{0});
  const auto wider = [](const Tensor& x) {
    return gt::broadcast_to(2 * x.to(gt::f64), {3, 2});
  };  // more out than in: forwards
  const auto narrower = [](const Tensor& x) { return 2 * gt::sum(x.to(gt::f64)); };
  CHECK(gt::equal(gt::jacobian(wider, gt::ones({2}))[1], gt::tensor({{2, 0}, {0, 2}})));
  CHECK(gt::equal(gt::jacobian(narrower, gt::ones({2})), gt::tensor({2, 2})));
}

TEST_CASE("jacobian: on the tape if an input is, and inside of NoGrad") {
  const gt::RandomStream random(3);
  const Tensor w = gt::parameter(gt::tensor({1, 2}));
  const auto cube = [](const Tensor& x) { return x * x * x; };
  gt::sum(gt::jacobian(cube, w)).backward();  // Σ 3x²
  CHECK(gt::equal(w.grad(), gt::tensor({6, 12})));
  {
    const gt::NoGrad off;
    const Tensor j = gt::jacobian(cube, w);
    CHECK(gt::equal(j, gt::tensor({{3, 0}, {0, 12}})));
    CHECK_FALSE(j.requires_grad());
  }
  for (const std::int64_t m : {2, 9}) {  // backwards and forwards
    const auto f = [](const Tensor& x, const Tensor& matrix) {
      return gt::jacobian([&](const Tensor& in) { return gt::tanh(gt::matmul(matrix, in)); }, x);
    };
    CHECK(gt::gradcheck(f, {cases::random({3, 1}), cases::random({m, 3})}));
  }
}

TEST_CASE("jacobian: errors") {
  CHECK(message_of<gt::DtypeError>([] {
          return gt::jacobian(gt::take, {gt::zeros({3}), cases::integers({1})});
        }) == "jacobian: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::DtypeError>([] {
          return gt::jacobian([](const Tensor& x) { return x > 0; }, gt::zeros({3}));
        }) == "jacobian: no meaning for boolean; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::ShapeError>([] {
          return gt::jacobian(gt::square, gt::zeros({1, 1, 1, 1, 2}));
        }) ==
        "jacobian: derivatives of [1, 1, 1, 1, 2] by [1, 1, 1, 1, 2] have 10 axes, more than 8; reshape to fewer");
}

TEST_CASE("hessian: of a quadratic form, of Rosenbrock's function, and of what is linear") {
  const gt::DefaultDtype all_f64(gt::f64);
  const Tensor a = gt::tensor({{1, 2}, {3, 4}});
  const auto quadratic = [&](const Tensor& x) { return gt::sum(x * gt::matmul(a, x)); };  // xᵀAx -> A + Aᵀ
  CHECK(gt::hessian(quadratic, gt::tensor({{5}, {6}})) ==
        gt::approx(gt::reshape(gt::tensor({{2, 5}, {5, 8}}), {2, 1, 2, 1})));
  const auto rosenbrock = [](const Tensor& p) {
    const Tensor x = p[0], y = p[1];
    return gt::square(1 - x) + 100 * gt::square(y - x * x);
  };
  CHECK(gt::hessian(rosenbrock, gt::tensor({-1.2, 1.0})) == gt::approx(gt::tensor({{1330, 480}, {480, 200}})));
  CHECK(gt::equal(gt::hessian(gt::sum, gt::ones({2, 2})), gt::zeros({2, 2, 2, 2})));
  CHECK(gt::hessian([](const Tensor& x) { return x * x * x; }, gt::tensor(2)).item() == 12);
  CHECK(gt::hessian(gt::sum, gt::ones({0, 3})).shape() == gt::Shape{0, 3, 0, 3});
}

TEST_CASE("hessian: blocks of several inputs") {
  const gt::DefaultDtype all_f64(gt::f64);
  const Tensor x = gt::tensor({1, 2}), y = gt::tensor(3);
  const auto h = gt::hessian([](const Tensor& u, const Tensor& v) { return gt::sum(u * u) * v * v; }, {x, y});
  CHECK(gt::equal(h[0][0], gt::tensor({{18, 0}, {0, 18}})));
  CHECK(gt::equal(h[0][1], gt::tensor({12, 24})));  // 4uv
  CHECK(gt::equal(h[1][0], gt::tensor({12, 24})));
  CHECK(h[1][1].item() == 10);
}

TEST_CASE("hessian: of something with a jvp in it, and differentiated again") {
  const gt::DefaultDtype all_f64(gt::f64);
  const gt::RandomStream random(4);
  const Tensor x = cases::random({2, 2}), w = cases::random({2, 3}), t = cases::random({2, 2});
  const auto f = smooth(w);
  const auto slope = [&](const Tensor& in) { return gt::jvp(f, in, t); };
  // The Hessian of the slope along t is the slope of the Hessian along t.
  CHECK(gt::hessian(slope, x) == gt::approx(gt::jvp([&](const Tensor& in) { return gt::hessian(f, in); }, x, t)));
  CHECK(gt::gradcheck([&](const Tensor& in) { return gt::hessian(f, in); }, x));
  CHECK(gt::gradcheck([&](const Tensor& in) { return gt::hessian(slope, in); }, x).order(1));
}

TEST_CASE("hessian and hvp: errors") {
  CHECK(message_of<gt::ShapeError>([] { return gt::hessian(gt::square, gt::zeros({3})); }) ==
        "hessian: the function gives shape [3]; it must give exactly one element: reduce it (sum, mean), or call "
        "jacobian");
  CHECK(message_of<gt::ShapeError>([] {
          return gt::hessian(gt::sum, gt::zeros({1, 1, 1, 1, 1}));
        }) == "hessian: derivatives of [1, 1, 1, 1, 1] by [1, 1, 1, 1, 1] have 10 axes, more than 8; reshape to fewer");
  CHECK(message_of<gt::DtypeError>([] { return gt::hessian(gt::sum, cases::integers({1})); }) ==
        "hessian: no meaning for i64; convert with .to(gradtape::f32)");
  CHECK(message_of<gt::ShapeError>([] { return gt::hvp(gt::square, gt::zeros({3}), gt::zeros({3})); }) ==
        "hvp: the function gives shape [3]; it must give exactly one element: reduce it (sum, mean), or call jacobian");
  CHECK(message_of<gt::ShapeError>([] { return gt::hvp(gt::sum, gt::zeros({3}), gt::zeros({2})); }) ==
        "hvp: the tangent of input 0 is f32 [2], but the input is f32 [3]; they must be alike");
}

TEST_CASE("hvp: is the Hessian times a vector") {
  const gt::DefaultDtype all_f64(gt::f64);
  const gt::RandomStream random(5);
  const Tensor x = cases::random({2, 2}), w = cases::random({2, 3}), v = cases::random({2, 2});
  const auto product = [&](const Tensor& h) {
    return gt::reshape(gt::matmul(gt::reshape(h, {4, 4}), gt::reshape(v, {4, 1})), {2, 2});
  };
  CHECK(gt::hvp(smooth(w), x, v) == gt::approx(product(gt::hessian(smooth(w), x))));
  CHECK(gt::equal(gt::hvp(gt::sum, x, v), gt::zeros({2, 2})));
  const auto f = [](const Tensor& a, const Tensor& b) { return gt::sum(a * a * a) * b; };
  const auto [da, db] = gt::hvp(f, {gt::tensor({1, 2}), gt::tensor(3)}, {gt::tensor({1, 1}), gt::tensor(10)});
  CHECK(da == gt::approx(gt::tensor({18 + 30, 36 + 120})));  // 6ab·u + 3a²·t
  CHECK(db.item() == 15);                                    // Σ 3a²·u
  const gt::NoGrad off;
  CHECK(gt::gradcheck([&](const Tensor& in, const Tensor& along) { return gt::hvp(smooth(w), in, along); }, {x, v}));
}

TEST_CASE("per_sample_grad: the gradient of each row, with a loss that takes batches") {
  const gt::DefaultDtype all_f64(gt::f64);
  const gt::RandomStream random(6);
  const gt::nn::MLP net({3, 4, 2}, {.activation = gt::tanh});
  const Tensor x = cases::random({5, 3}), y = cases::random({5, 2});
  const auto loss = [&](const Tensor& in, const Tensor& target) { return gt::mse_loss(net(in), target); };
  const auto rows = gt::per_sample_grad(loss, net.parameters(), {x, y});
  const auto all = gt::grad(loss(x, y), net.parameters());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(rows[i].shape()[0] == 5);
    CHECK(gt::mean(rows[i], {.axes = 0}) == gt::approx(all[i]));
  }
  CHECK_FALSE(rows[0].requires_grad());
  const gt::NoGrad off;
  CHECK(gt::equal(gt::per_sample_grad(loss, net.parameters(), {x, y})[0], rows[0]));
}

TEST_CASE("per_sample_grad: by hand, without rows, and differentiated again") {
  const gt::DefaultDtype all_f64(gt::f64);
  const Tensor w = gt::parameter(gt::tensor({1, 2})), x = gt::tensor({{1, 2}, {3, 4}, {5, 6}});
  const auto loss = [&](const Tensor& row) { return gt::square(gt::sum(row * w)); };  // -> 2(x·w)x
  const auto [dw] = gt::per_sample_grad(loss, {w}, {x}, {.create_graph = true});
  CHECK(gt::equal(dw, gt::tensor({{10, 20}, {66, 88}, {170, 204}})));
  gt::sum(dw).backward();  // Σ 2(Σx)x
  CHECK(gt::equal(w.grad(), gt::tensor({6 + 42 + 110, 12 + 56 + 132})));
  w.zero_grad();
  CHECK(gt::equal(gt::per_sample_grad(loss, {w}, {gt::zeros({0, 2})})[0], gt::zeros({0, 2})));
}

TEST_CASE("per_sample_grad: errors") {
  const Tensor w = gt::parameter(gt::ones({2})), deep = gt::parameter(gt::ones({1, 1, 1, 1, 1, 1, 1, 1}));
  const auto f = [&](const Tensor& x, const Tensor&) { return x * w; };
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::per_sample_grad(f, {w}, {gt::ones({3, 2}), gt::ones({4})});
        }) == "per_sample_grad: batch tensors 0 and 1 are [3, 2] and [4]; they must have as many rows");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::per_sample_grad(f, {w}, {gt::ones({}), gt::ones({})});
        }) == "per_sample_grad: batch tensor 0 is a scalar; give it rows along a first axis");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::per_sample_grad(f, {w}, {gt::ones({3, 2}), gt::ones({3})});
        }) ==
        "per_sample_grad: the function gives shape [1, 2]; it must give exactly one element: reduce it (sum, mean), or "
        "call jacobian");
  CHECK(message_of<gt::ShapeError>([&] {
          return gt::per_sample_grad(f, {deep}, {gt::ones({3, 2}), gt::ones({3})});
        }) ==
        "per_sample_grad: derivatives of [3] by [1, 1, 1, 1, 1, 1, 1, 1] have 9 axes, more than 8; reshape to fewer");
  CHECK(message_of<gt::GradientError>([&] {
          return gt::per_sample_grad([](const Tensor& x) { return gt::sum(x); }, {w}, {gt::ones({3, 2})});
        }) ==
        "grad: this tensor depends on no parameter (requires_grad() is false); make leaves with gradtape::parameter"
        ", compute outside of NoGrad, and ask for gradients that are to be differentiated again with "
        "{.create_graph = true}");
}
