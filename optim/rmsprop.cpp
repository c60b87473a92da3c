#include <gradtape/optim/rmsprop.hpp>

#include <algorithm>
#include <cmath>

namespace gradtape::inline v0::optim {
namespace {

template <class T>
void move(const Update<T>& u, const RMSpropOptions& options) {
  const T lr = static_cast<T>(u.lr), decay = static_cast<T>(u.weight_decay), eps = static_cast<T>(options.eps);
  const T alpha = static_cast<T>(options.alpha), part = static_cast<T>(1 - options.alpha);
  const T momentum = static_cast<T>(options.momentum);
  const auto [square, mean, buffer] = u.memory;
  for (std::int64_t i = 0; i < u.n; ++i) {
    const T d = u.g[i] + decay * u.w[i];
    T variance = square[i] = alpha * square[i] + part * d * d;
    if (mean) {
      mean[i] = alpha * mean[i] + part * d;
      variance = std::max(variance - mean[i] * mean[i], T{0});
    }
    T along = d / (std::sqrt(variance) + eps);
    if (buffer) along = buffer[i] = momentum * buffer[i] + along;
    u.w[i] -= lr * along;
  }
}

}  // namespace

RMSprop::RMSprop(const Groups& parameters, const RMSpropOptions& options)
    : Optimizer("RMSprop", parameters, options.lr, options.weight_decay,
                {.elements = {"square_avg", options.centered ? "grad_avg" : nullptr,
                              options.momentum != 0 ? "momentum_buffer" : nullptr}}),
      options_(options) {
  require_fraction("alpha", options.alpha);
  require_not_negative("eps", options.eps);
  require_not_negative("momentum", options.momentum);
}

void RMSprop::step() {
  update_elements([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
