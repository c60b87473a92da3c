#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/grad.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/functional.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace gradtape::inline v0 {

// Derivatives that take many sweeps over one tape. As vjp and jvp, they touch no `.grad()`, work inside of NoGrad, and
// are on the tape themselves if an input is and grad mode is on.

namespace detail {

/// Throws DtypeError for an input of integers, ShapeError if it has too many axes for a square matrix of its elements.
void check_hessian(std::span<const Tensor> inputs);

/// The derivatives of `output` by each of `inputs`, into them.
void jacobian(const char* caller, const Tensor& output, std::span<Tensor> inputs, bool nested);

/// Σ gᵢ·vᵢ over floating gradients.
Tensor dot(std::span<const Tensor> gradients, std::span<const Tensor> v);

void per_sample_grad(const Function<Tensor(std::span<const Tensor>)>& f, std::span<const Tensor> parameters,
                     std::span<const Tensor> batch, const GradOptions& options, std::span<Tensor> out);

}  // namespace detail

/// d f(x…)/dx for each input, of shape y.shape + x.shape and x's dtype, where y = f(x…): J[i…, j…] = ∂y[i…]/∂x[j…]. f
/// runs once; then there is a sweep backwards for each element of y, or forwards for each of x, whichever are fewer.
/// Throws DtypeError for inputs or an output of integers, ShapeError for more than max_rank axes.
template <class F, std::size_t N>
std::array<Tensor, N> jacobian(F f, const Tensor (&x)[N]) {
  detail::Inputs<N> in(x);
  const Tensor y = in.apply(f);
  detail::jacobian("jacobian", y, in.x, in.nested);
  return in.x;
}

template <class F, std::derived_from<Tensor> T>
Tensor jacobian(F f, const T& x) {
  return jacobian(std::move(f), {static_cast<const Tensor&>(x)})[0];
}

/// Second derivatives of f, which gives one element: H[i…, j…] = ∂²f/∂x[i…]∂x[j…], of shape x.shape + x.shape; for
/// several inputs H[a][b] holds ∂²f/∂xₐ∂x_b, of shape xₐ.shape + x_b.shape. A sweep for the gradient and one for each
/// of its elements. Errors as of jacobian, and ShapeError unless f gives exactly one element.
template <class F, std::size_t N>
std::array<std::array<Tensor, N>, N> hessian(F f, const Tensor (&x)[N]) {
  detail::check_hessian(x);
  detail::Inputs<N> in(x);
  const Tensor y = in.apply(f);
  std::array<Tensor, N> gradients = in.x;
  detail::gradient("hessian", y, gradients, true);
  std::array<std::array<Tensor, N>, N> rows;
  for (std::size_t i = 0; i < N; ++i) {
    rows[i] = in.x;
    detail::jacobian("hessian", gradients[i], rows[i], in.nested);
  }
  return rows;
}

template <class F, std::derived_from<Tensor> T>
Tensor hessian(F f, const T& x) {
  return hessian(std::move(f), {static_cast<const Tensor&>(x)})[0][0];
}

/// Hessian-vector product H·v without the matrix: the gradient of Σ v·∇f, two sweeps (Pearlmutter, Fast exact
/// multiplication by the Hessian, Neural Computation 1994). v has the shape and dtype of x, one for each input. Throws
/// ShapeError unless it has and f gives exactly one element, DtypeError unless that is f32 or f64. An input of integers
/// gets zeros.
template <class F, std::size_t N>
std::array<Tensor, N> hvp(F f, const Tensor (&x)[N], const Tensor (&v)[N]) {
  detail::check_tangents("hvp", x, v);
  detail::Inputs<N> in(x, v);
  const Tensor y = in.apply(f);
  std::array<Tensor, N> gradients = in.x;
  detail::gradient("hvp", y, gradients, true);
  detail::gradient("hvp", detail::dot(gradients, v), in.x, in.nested);
  return in.x;
}

template <class F, std::derived_from<Tensor> T>
Tensor hvp(F f, const T& x, const Tensor& v) {
  return hvp(std::move(f), {static_cast<const Tensor&>(x)}, {v})[0];
}

/// The gradient of a loss for each row of a batch, where `grad` has that of all of them: result i is
/// grad(f(row…), parameters) stacked over the rows, of shape [n] + parameterᵢ.shape. `f` gets one row of each batch
/// tensor at a time, as a batch of one (shape [1, …]), and gives one element; it captures the parameters, which are
/// tensors on the tape:
///   const auto loss = [&](const Tensor& x, const Tensor& y) { return mse_loss(net(x), y); };
///   const std::vector<Tensor> of_rows = per_sample_grad(loss, net.parameters(), {x, y});
/// Options as of grad: ask for `create_graph` to differentiate the result. Throws ShapeError if the batch tensors
/// differ in rows or have none, or f gives more than one element; GradientError as grad does.
template <class F, std::size_t N, std::size_t B>
std::array<Tensor, N> per_sample_grad(F f, const Tensor (&parameters)[N], const Tensor (&batch)[B],
                                      const GradOptions& options = {}) {
  std::array<Tensor, N> out;
  detail::per_sample_grad(detail::on_span<B>(std::move(f)), parameters, batch, options, out);
  return out;
}

template <class F, std::size_t B>
std::vector<Tensor> per_sample_grad(F f, const std::vector<Tensor>& parameters, const Tensor (&batch)[B],
                                    const GradOptions& options = {}) {
  std::vector<Tensor> out(parameters.size());
  detail::per_sample_grad(detail::on_span<B>(std::move(f)), parameters, batch, options, out);
  return out;
}

}  // namespace gradtape::inline v0
