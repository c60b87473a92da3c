#include <gradtape/core/error.hpp>
#include <gradtape/optim/sgd.hpp>

#include <fmt/format.h>

namespace gradtape::optim {
namespace {

template <class T>
void update(T* to, const T* w, const T* g, T* v, bool first, std::int64_t n, double rate, const SGDOptions& options) {
  const T lr = static_cast<T>(rate), decay = static_cast<T>(options.weight_decay), momentum = static_cast<T>(options.momentum);
  if (!v) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = w[i] - lr * (g[i] + decay * w[i]);
    return;
  }
  const T keep = first ? T{0} : momentum, part = first ? T{1} : static_cast<T>(1 - options.dampening);
  const T of_d = options.nesterov ? T{1} : T{0}, of_v = options.nesterov ? momentum : T{1};
  for (std::int64_t i = 0; i < n; ++i) {
    const T d = g[i] + decay * w[i];
    v[i] = keep * v[i] + part * d;
    to[i] = w[i] - lr * (of_d * d + of_v * v[i]);
  }
}

}  // namespace

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options)
    : lr(options.lr), parameters_(std::move(parameters)), velocity_(parameters_.size()), options_(options) {
  for (const Tensor& w : parameters_) (void)w.leaf("SGD");
  if (!(options.lr >= 0)) throw ValueError(fmt::format("SGD: lr is {}; it must not be negative", options.lr));
  if (!(options.momentum >= 0) || !(options.weight_decay >= 0))
    throw ValueError(fmt::format("SGD: momentum is {} and weight_decay {}; neither may be negative", options.momentum, options.weight_decay));
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
    throw ValueError("SGD: nesterov needs momentum > 0 and dampening = 0");
}

void SGD::step() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Leaf& leaf = parameters_[i].leaf();
    const Array& g = leaf.grad.array;
    if (!g) continue;
    const Array gradient = packed(g);
    Array& v = velocity_[i];
    const bool first = !v || v.dtype() != leaf.dtype;  // the module may have been converted
    if (options_.momentum != 0 && first) {
      v = Array::make(leaf.dtype, leaf.shape);
      fill(v, 0);
    }
    const Array to = leaf.value.exclusive() ? leaf.value : Array::make(leaf.dtype, leaf.shape);
    with_floating("SGD", leaf.dtype, [&]<class T>(std::type_identity<T>) {
      update(to.data<T>(), packed(leaf.value).data<T>(), gradient.data<T>(), v ? v.data<T>() : nullptr, first, to.numel(), lr, options_);
    });
    leaf.value = to;
  }
}

void SGD::zero_grad() const {
  for (const Tensor& w : parameters_) w.zero_grad();
}

}  // namespace gradtape::optim
