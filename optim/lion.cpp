#include <gradtape/optim/lion.hpp>

namespace gradtape::inline v0::optim {
namespace {

/// -1, 0 or 1; NaN stays.
template <class T>
T sign(T x) {
  return x > 0 ? T{1} : x < 0 ? T{-1} : x;
}

template <class T>
void move(const Update<T>& u, const LionOptions& options) {
  const auto [b1, b2] = options.betas;
  const T beta1 = static_cast<T>(b1), beta2 = static_cast<T>(b2);
  const T part1 = static_cast<T>(1 - b1), part2 = static_cast<T>(1 - b2);
  const T lr = static_cast<T>(u.lr), decay = static_cast<T>(u.weight_decay);
  T* const m = u.memory[0];
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T along = sign(beta1 * m[i] + part1 * u.g[i]);
    m[i] = beta2 * m[i] + part2 * u.g[i];
    u.w[i] -= lr * (along + decay * u.w[i]);
  }
}

}  // namespace

Lion::Lion(const Groups& parameters, const LionOptions& options)
    : Optimizer("Lion", parameters, options.lr, options.weight_decay, {.elements = {"exp_avg"}}), options_(options) {
  require_betas(options.betas);
}

void Lion::step() {
  update_elements([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
