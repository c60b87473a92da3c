// Newton's method on Rosenbrock's valley: gradient and Hessian by differentiation, the step by a linear solve. Near the
// minimum each step doubles the number of correct digits.

#include <gradtape/gradtape.hpp>

#include <fmt/format.h>

namespace gt = gradtape;

namespace {

/// Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)², whose minimum is at (1, …, 1) (Rosenbrock 1960).
gt::Tensor rosenbrock(const gt::Tensor& x) {
  const auto head = x[{gt::Slice{0, -1}}], tail = x[{gt::Slice{1}}];
  return gt::sum(100 * gt::square(tail - gt::square(head)) + gt::square(1 - head));
}

}  // namespace

int main() {
  const gt::DefaultDtype all_f64(gt::f64);
  auto x = gt::tensor({-1.2, 1});
  const auto one = gt::ones({2});
  fmt::print("{:>4} {:>14} {:>14}\n", "step", "value", "distance");
  for (int step = 0; step < 50; ++step) {
    const auto [value, gradient] = gt::value_and_grad(rosenbrock, x);
    fmt::print("{:>4} {:>14.6e} {:>14.6e}\n", step, value.item(), gt::norm(x - one).item());
    if (gt::norm(gradient).item() < 1e-12) break;
    const auto direction = gt::solve(gt::hessian(rosenbrock, x), gradient);
    // Halved until the value falls; near the minimum a whole step does.
    double rate = 1;
    while (rate > 1e-10 && !(rosenbrock(x - rate * direction).item() <= value.item())) rate /= 2;
    x = x - rate * direction;
  }
  fmt::print("distance from the minimum: {:.2e}\n", gt::norm(x - one).item());
}
