#include <gradtape/optim/adadelta.hpp>

#include <cmath>

namespace gradtape::inline v0::optim {
namespace {

template <class T>
void move(const Update<T>& u, const AdadeltaOptions& options) {
  const T lr = static_cast<T>(u.lr), decay = static_cast<T>(u.weight_decay), eps = static_cast<T>(options.eps);
  const T rho = static_cast<T>(options.rho), part = static_cast<T>(1 - options.rho);
  T *const square = u.memory[0], *const moved = u.memory[1];
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay * u.w[i];
    square[i] = rho * square[i] + part * d * d;
    const T delta = std::sqrt(moved[i] + eps) / std::sqrt(square[i] + eps) * d;
    moved[i] = rho * moved[i] + part * delta * delta;
    u.w[i] -= lr * delta;
  }
}

}  // namespace

Adadelta::Adadelta(const Groups& parameters, const AdadeltaOptions& options)
    : Optimizer("Adadelta", parameters, options.lr, options.weight_decay, {.elements = {"square_avg", "acc_delta"}}),
      options_(options) {
  require_fraction("rho", options.rho);
  require_not_negative("eps", options.eps);
}

void Adadelta::step() {
  update_elements([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
