#include <gradtape/core/error.hpp>
#include <gradtape/optim/sgd.hpp>

namespace gradtape::inline v0::optim {
namespace {

template <class T>
void move(const Update<T>& u, const SGDOptions& options) {
  const T lr = static_cast<T>(u.lr), decay = static_cast<T>(u.weight_decay);
  T *const w = u.w, *const v = u.memory[0];
  if (!v) {
    for (std::int64_t i = 0; i < u.n; ++i) w[i] -= lr * (u.g[i] + decay * w[i]);
    return;
  }
  const T momentum = static_cast<T>(options.momentum);
  const T part = u.step == 1 ? T{1} : static_cast<T>(1 - options.dampening);
  const T of_d = options.nesterov ? T{1} : T{0}, of_v = options.nesterov ? momentum : T{1};
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay * w[i];
    v[i] = momentum * v[i] + part * d;
    w[i] -= lr * (of_d * d + of_v * v[i]);
  }
}

}  // namespace

SGD::SGD(const Groups& parameters, const SGDOptions& options)
    : Optimizer("SGD", parameters, options.lr, options.weight_decay,
                {.elements = {options.momentum != 0 ? "momentum_buffer" : nullptr}}),
      options_(options) {
  require_not_negative("momentum", options.momentum);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
    throw ValueError("SGD: nesterov needs momentum > 0 and dampening = 0");
}

void SGD::step() {
  update_elements([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
