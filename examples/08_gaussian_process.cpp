// A Gaussian process: the hyperparameters of its kernel are fitted by maximum likelihood, through a Cholesky factor and
// a log-determinant, and the fit predicts with error bars (Rasmussen and Williams 2006, chapters 2 and 5).

#include <gradtape/gradtape.hpp>

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace gt = gradtape;

namespace {

/// variance · exp(-½ (a - b)² / length²) for every pair: (n), (m) -> (n, m).
gt::Tensor kernel(const gt::Tensor& a, const gt::Tensor& b, const gt::Tensor& length, const gt::Tensor& variance) {
  const auto distance = (gt::reshape(a, {-1, 1}) - gt::reshape(b, {1, -1})) / length;
  return variance * gt::exp(-0.5 * gt::square(distance));
}

}  // namespace

int main() {
  const gt::DefaultDtype all_f64(gt::f64);
  const std::int64_t n = 30;
  const auto x = 0.25 * gt::arange(n);
  const auto y = gt::sin(x) + 0.1 * gt::cos(37 * x);  // a sine, and what looks like noise

  // Logarithms, so that every step of the optimizer stays positive.
  const auto log_length = gt::parameter(gt::tensor(0.0)), log_variance = gt::parameter(gt::tensor(0.0)),
             log_noise = gt::parameter(gt::tensor(std::log(0.1)));
  const auto covariance = [&] {
    return kernel(x, x, gt::exp(log_length), gt::exp(log_variance)) + gt::exp(log_noise) * gt::eye(n);
  };

  // -log p(y) = ½ yᵀK⁻¹y + ½ log|K| + n/2 log 2π, with K = L·Lᵀ
  const auto negative_log_likelihood = [&] {
    const auto k = covariance();
    const auto white = gt::solve_triangular(gt::cholesky(k), y);
    return 0.5 * gt::sum(gt::square(white)) + 0.5 * gt::slogdet(k).logabsdet +
           0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi);
  };

  gt::optim::LBFGS optimizer({log_length, log_variance, log_noise}, {.max_iter = 200});
  optimizer.step([&] {
    optimizer.zero_grad();
    const auto loss = negative_log_likelihood();
    loss.backward();
    return loss;
  });
  fmt::print("length {:.4f}, variance {:.4f}, noise {:.5f}\n", std::exp(log_length.item()),
             std::exp(log_variance.item()), std::exp(log_noise.item()));

  const gt::NoGrad off;
  const auto where = gt::arange(9.0);
  const auto cross = kernel(where, x, gt::exp(log_length), gt::exp(log_variance));  // (9, n)
  const auto mean = gt::matmul(cross, gt::solve(covariance(), y));
  const auto explained = gt::sum(cross * gt::transpose(gt::solve(covariance(), gt::transpose(cross))), {.axes = 1});
  const auto deviation = gt::sqrt(gt::exp(log_variance) - explained);
  fmt::print("{:>4} {:>8} {:>8} {:>8}\n", "x", "mean", "±", "sine");
  for (int i = 0; i < 9; ++i)
    fmt::print("{:>4} {:>8.4f} {:>8.4f} {:>8.4f}\n", i, mean[i].item(), deviation[i].item(), std::sin(i));

  const double known = 17.3012188244054;  // scikit-learn 1.2's GaussianProcessRegressor on the same data
  const double reached = -negative_log_likelihood().item();
  fmt::print("log likelihood: {:.10f}\n", reached);
  fmt::print("below the known optimum: {:.2e}\n", known - reached);
}
