#include <gradtape/core/error.hpp>
#include <gradtape/optim/sgd.hpp>

#include <fmt/format.h>

namespace gradtape::optim {
namespace {

template <class T>
void move(const Update<T>& u, double rate, const SGDOptions& options) {
  const T lr = static_cast<T>(rate), decay = static_cast<T>(options.weight_decay);
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

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options)
    : lr(options.lr), parameters_("SGD", std::move(parameters), options.momentum != 0 ? 1 : 0), options_(options) {
  if (!(options.lr >= 0)) throw ValueError(fmt::format("SGD: lr is {}; it must not be negative", options.lr));
  if (!(options.momentum >= 0) || !(options.weight_decay >= 0))
    throw ValueError(fmt::format("SGD: momentum is {} and weight_decay {}; neither may be negative", options.momentum,
                                 options.weight_decay));
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
    throw ValueError("SGD: nesterov needs momentum > 0 and dampening = 0");
}

void SGD::step() {
  parameters_.update([&](const auto& update) { move(update, lr, options_); });
}

void SGD::zero_grad() const { parameters_.zero_grad(); }

}  // namespace gradtape::optim
