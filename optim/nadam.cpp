#include <gradtape/optim/nadam.hpp>

#include <cmath>

namespace gradtape::inline v0::optim {
namespace {

template <class T>
void move(const Update<T>& u, const NAdamOptions& options) {
  const auto [b1, b2] = options.betas;
  const auto momentum = [&](std::int64_t t) {
    return b1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * options.momentum_decay));
  };
  const double mu = momentum(u.step), next = momentum(u.step + 1), product = *u.number *= mu;
  const T of_d = static_cast<T>(u.lr * (1 - mu) / (1 - product));
  const T of_m = static_cast<T>(u.lr * next / (1 - product * next));
  const T scale = static_cast<T>(1 / std::sqrt(1 - std::pow(b2, u.step))), eps = static_cast<T>(options.eps);
  const T beta1 = static_cast<T>(b1), beta2 = static_cast<T>(b2);
  const T part1 = static_cast<T>(1 - b1), part2 = static_cast<T>(1 - b2);
  const Decay decay(u, options.decoupled_weight_decay);
  T *const m = u.memory[0], *const v = u.memory[1];
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay.penalty * u.w[i];
    m[i] = beta1 * m[i] + part1 * d;
    v[i] = beta2 * v[i] + part2 * d * d;
    u.w[i] = decay.keep * u.w[i] - (of_d * d + of_m * m[i]) / (std::sqrt(v[i]) * scale + eps);
  }
}

}  // namespace

NAdam::NAdam(const Groups& parameters, const NAdamOptions& options)
    : Optimizer("NAdam", parameters, options.lr, options.weight_decay,
                {.elements = {"exp_avg", "exp_avg_sq"}, .number = "mu_product"}),
      options_(options) {
  require_betas(options.betas);
  require_not_negative("eps", options.eps);
  require_not_negative("momentum_decay", options.momentum_decay);
}

void NAdam::step() {
  update([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
