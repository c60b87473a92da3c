#include <gradtape/optim/adam.hpp>

#include <algorithm>
#include <cmath>

namespace gradtape::inline v0::optim {
namespace {

/// With c = 1 - βᵗ the step lr·m/c1 / (sqrt(v/c2) + eps) is (lr·sqrt(c2)/c1)·m / (sqrt(v) + eps·sqrt(c2)), which leaves
/// the loop no bias to correct.
template <class T>
void move(const Update<T>& u, const AdamOptions& options) {
  const auto [b1, b2] = options.betas;
  const double c1 = 1 - std::pow(b1, u.step), root2 = std::sqrt(1 - std::pow(b2, u.step));
  const T beta1 = static_cast<T>(b1), beta2 = static_cast<T>(b2);
  const T part1 = static_cast<T>(1 - b1), part2 = static_cast<T>(1 - b2);
  const T rate = static_cast<T>(u.lr * root2 / c1), eps = static_cast<T>(options.eps * root2);
  const Decay decay(u, options.decoupled_weight_decay);
  const auto [m, v, largest] = u.memory;
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay.penalty * u.w[i];
    m[i] = beta1 * m[i] + part1 * d;
    v[i] = beta2 * v[i] + part2 * d * d;
    const T second = largest ? (largest[i] = std::max(largest[i], v[i])) : v[i];
    u.w[i] = decay.keep * u.w[i] - rate * m[i] / (std::sqrt(second) + eps);
  }
}

}  // namespace

Adam::Adam(std::string_view name, const Groups& parameters, const AdamOptions& options)
    : Optimizer(name, parameters, options.lr, options.weight_decay,
                {.elements = {"exp_avg", "exp_avg_sq", options.amsgrad ? "max_exp_avg_sq" : nullptr}}),
      options_(options) {
  require_betas(options.betas);
  require_not_negative("eps", options.eps);
}

void Adam::step() {
  update_elements([&](const auto& u) { move(u, options_); });
}

AdamW::AdamW(const Groups& parameters, const AdamWOptions& options)
    : Adam("AdamW", parameters,
           {.lr = options.lr,
            .betas = options.betas,
            .eps = options.eps,
            .weight_decay = options.weight_decay,
            .amsgrad = options.amsgrad,
            .decoupled_weight_decay = true}) {}

}  // namespace gradtape::inline v0::optim
