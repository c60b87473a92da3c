#include <gradtape/optim/adagrad.hpp>

#include <cmath>

namespace gradtape::inline v0::optim {
namespace {

template <class T>
void move(const Update<T>& u, const AdagradOptions& options) {
  const T lr = static_cast<T>(u.lr / (1 + static_cast<double>(u.step - 1) * options.lr_decay));
  const T decay = static_cast<T>(u.weight_decay), eps = static_cast<T>(options.eps);
  const T first = static_cast<T>(u.step == 1 ? options.initial_accumulator_value : 0);
  T* const sum = u.memory[0];
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay * u.w[i];
    sum[i] += first + d * d;
    u.w[i] -= lr * d / (std::sqrt(sum[i]) + eps);
  }
}

}  // namespace

Adagrad::Adagrad(const Groups& parameters, const AdagradOptions& options)
    : Optimizer("Adagrad", parameters, options.lr, options.weight_decay, {.elements = {"sum"}}), options_(options) {
  require_not_negative("lr_decay", options.lr_decay);
  require_not_negative("initial_accumulator_value", options.initial_accumulator_value);
  require_not_negative("eps", options.eps);
}

void Adagrad::step() {
  update_elements([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
