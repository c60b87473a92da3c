#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/statistics.hpp>
#include <gradtape/optim/muon.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gradtape::inline v0::optim {
namespace {

/// The iteration in the direction in which X·Xᵀ is the smaller product.
Tensor orthogonalised(const Tensor& d, const MuonOptions& options) {
  const auto [a, b, c] = options.ns_coefficients;
  const bool tall = d.shape()[0] > d.shape()[1];
  Tensor x = (tall ? transpose(d) : d) / maximum(norm(d), options.eps);
  for (int i = 0; i < options.ns_steps; ++i) {
    const Tensor gram = matmul(x, transpose(x));
    x = a * x + matmul(b * gram + c * matmul(gram, gram), x);
  }
  return contiguous(tall ? transpose(x) : x);
}

template <class T>
void move(const Update<T>& u, const MuonOptions& options) {
  const T momentum = static_cast<T>(options.momentum), part = static_cast<T>(1 - options.momentum);
  const T of_g = options.nesterov ? part : T{0}, of_v = options.nesterov ? momentum : T{1};
  const Array along = Array::make(dtype_of<T>, u.shape);
  T *const v = u.memory[0], *const d = along.data<T>();
  for (std::int64_t i = 0; i < u.n; ++i) {
    v[i] = momentum * v[i] + part * u.g[i];
    d[i] = of_v * v[i] + of_g * u.g[i];
  }

  const Tensor orthogonal = orthogonalised(Tensor(along), options);
  const auto m = static_cast<double>(u.shape[0]), n = static_cast<double>(u.shape[1]);
  const bool original = options.adjust_lr == MuonRate::original;
  const double scale = original ? std::sqrt(std::max(1., m / n)) : 0.2 * std::sqrt(std::max(m, n));
  const T keep = Decay(u, true).keep, rate = static_cast<T>(u.lr * scale);
  const T* const x = orthogonal.array().data<T>();
  for (std::int64_t i = 0; i < u.n; ++i) u.w[i] = keep * u.w[i] - rate * x[i];
}

}  // namespace

Muon::Muon(const Groups& parameters, const MuonOptions& options)
    : Optimizer("Muon", parameters, options.lr, options.weight_decay, {.elements = {"momentum_buffer"}}),
      options_(options) {
  require_fraction("momentum", options.momentum);
  require_not_negative("eps", options.eps);
  require_not_negative("ns_steps", options.ns_steps);
  for (const Group& group : parameters.list())
    for (const Tensor& w : group.parameters)
      if (w.rank() != 2)
        throw ShapeError(
            fmt::format("Muon: a parameter of shape {} is no matrix; give biases, kernels and others that "
                        "are none to another optimizer, such as AdamW",
                        to_string(w.shape())));
}

void Muon::step() {
  const NoGrad off;
  update([&](const auto& u) { move(u, options_); });
}

}  // namespace gradtape::inline v0::optim
