// Implicit differentiation: a layer whose output z solves z = tanh(W·z + x). Its gradient needs no memory of how z was
// found: by the implicit function theorem dz = (I - J)⁻¹ · d(tanh(W·z + x)) with J the Jacobian by z, which is one
// linear solve.

#include <gradtape/gradtape.hpp>

#include <fmt/format.h>

namespace gt = gradtape;

namespace {

gt::Tensor step(const gt::Tensor& z, const gt::Tensor& w, const gt::Tensor& x) {
  return gt::tanh(gt::matmul(w, z) + x);
}

/// The fixed point by iteration: `steps` of them, each on the tape if that is recording.
gt::Tensor iterate(const gt::Tensor& w, const gt::Tensor& x, int steps) {
  gt::Tensor z = gt::zeros_like(x);
  for (int i = 0; i < steps; ++i) z = step(z, w, x);
  return z;
}

/// The same with a gradient by the implicit function theorem: found off the tape, then one step of Newton's method on
/// it.
gt::Tensor fixed_point(const gt::Tensor& w, const gt::Tensor& x) {
  const gt::Tensor z = [&] {
    const gt::NoGrad off;
    return iterate(w, x, 200);
  }();
  const auto jacobian = gt::jacobian([&](const gt::Tensor& at) { return step(at, w.detach(), x.detach()); }, z);
  return z - gt::solve(gt::eye(z.shape()[0]) - jacobian, z - step(z, w, x));
}

}  // namespace

int main() {
  const gt::DefaultDtype all_f64(gt::f64);
  gt::manual_seed(3);
  const std::int64_t n = 20;
  const auto w = gt::parameter(0.1 * gt::randn({n, n})), x = gt::parameter(gt::randn({n}));
  const auto loss = [](const gt::Tensor& z) { return gt::sum(gt::square(z)); };

  const auto z = fixed_point(w, x);
  fmt::print("residual of the fixed point: {:.2e}\n", gt::norm(z - step(z, w, x)).item());
  const auto [dw, dx] = gt::grad(loss(z), {w, x});
  const auto [unrolled_dw, unrolled_dx] = gt::grad(loss(iterate(w, x, 200)), {w, x});  // through all 200 steps

  const double error =
      (gt::norm(dw - unrolled_dw) / gt::norm(unrolled_dw) + gt::norm(dx - unrolled_dx) / gt::norm(unrolled_dx)).item();
  fmt::print("relative difference from the unrolled gradient: {:.2e}\n", error);
}
