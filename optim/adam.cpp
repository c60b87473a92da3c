#include <gradtape/core/error.hpp>
#include <gradtape/optim/adam.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gradtape::optim {
namespace {

/// With c = 1 - βᵗ the step lr·m/c1 / (sqrt(v/c2) + eps) is (lr·sqrt(c2)/c1)·m / (sqrt(v) + eps·sqrt(c2)), which leaves
/// the loop no bias to correct.
template <class T>
void move(const Update<T>& u, double lr, const AdamOptions& options) {
  const auto [b1, b2] = options.betas;
  const double c1 = 1 - std::pow(b1, u.step), root2 = std::sqrt(1 - std::pow(b2, u.step));
  const T beta1 = static_cast<T>(b1), beta2 = static_cast<T>(b2);
  const T part1 = static_cast<T>(1 - b1), part2 = static_cast<T>(1 - b2);
  const T rate = static_cast<T>(lr * root2 / c1), eps = static_cast<T>(options.eps * root2);
  const bool decoupled = options.decoupled_weight_decay;
  const T decay = static_cast<T>(decoupled ? 0 : options.weight_decay);
  const T keep = static_cast<T>(decoupled ? 1 - lr * options.weight_decay : 1);
  const auto [m, v, largest] = u.memory;
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay * u.w[i];
    m[i] = beta1 * m[i] + part1 * d;
    v[i] = beta2 * v[i] + part2 * d * d;
    const T second = largest ? (largest[i] = std::max(largest[i], v[i])) : v[i];
    u.w[i] = keep * u.w[i] - rate * m[i] / (std::sqrt(second) + eps);
  }
}

}  // namespace

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options)
    : lr(options.lr), parameters_("Adam", std::move(parameters), options.amsgrad ? 3 : 2), options_(options) {
  const auto [beta1, beta2] = options.betas;
  if (!(options.lr >= 0)) throw ValueError(fmt::format("Adam: lr is {}; it must not be negative", options.lr));
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1))
    throw ValueError(fmt::format("Adam: betas are {} and {}; both must be in [0, 1)", beta1, beta2));
  if (!(options.eps >= 0) || !(options.weight_decay >= 0))
    throw ValueError(
        fmt::format("Adam: eps is {} and weight_decay {}; neither may be negative", options.eps, options.weight_decay));
}

void Adam::step() {
  parameters_.update([&](const auto& update) { move(update, lr, options_); });
}

void Adam::zero_grad() const { parameters_.zero_grad(); }

}  // namespace gradtape::optim
