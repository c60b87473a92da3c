#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/jacobian.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// 1 at flat index k, 0 elsewhere.
Tensor unit(const Tensor& like, std::int64_t k) {
  const Array out = Array::make(like.dtype(), like.shape());
  fill(out, 0);
  with_floating("unit", out.dtype(), [&]<class T>(std::type_identity<T>) { out.data<T>()[k] = 1; });
  return Tensor(out);
}

Shape matrix_shape(const char* caller, const Shape& y, const Shape& x) {
  if (y.rank() + x.rank() > max_rank)
    throw ShapeError(fmt::format("{}: derivatives of {} by {} have {} axes, more than {}; reshape to fewer", caller,
                                 to_string(y), to_string(x), y.rank() + x.rank(), max_rank));
  Shape shape = y;
  for (const std::int64_t dim : x) shape.push_back(dim);
  return shape;
}

/// A sweep backwards for each element of the output: row k of every matrix.
void by_rows(const Tensor& output, std::span<Tensor> inputs, bool nested) {
  const GradOptions options{.retain_graph = true, .create_graph = nested, .allow_unused = true};
  std::vector<std::vector<Tensor>> rows(inputs.size(), std::vector<Tensor>(static_cast<std::size_t>(output.numel())));
  std::vector<Tensor> row(inputs.size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(output.numel()); ++k) {
    detail::grad(output, unit(output, static_cast<std::int64_t>(k)), inputs, options, row);
    for (std::size_t i = 0; i < inputs.size(); ++i) rows[i][k] = std::move(row[i]);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = stack(rows[i]);
}

/// A sweep forwards for each element of an input: columns.
Tensor by_columns(const Tensor& output, const Tensor& input, bool nested) {
  std::vector<Tensor> columns;
  for (std::int64_t k = 0; k < input.numel(); ++k) {
    const Tensor along = unit(input, k);
    columns.push_back(reshape(detail::jvp(output, {&input, 1}, {&along, 1}, nested), {-1}).to(input.dtype()));
  }
  return transpose(stack(columns));
}

}  // namespace

void detail::check_hessian(std::span<const Tensor> inputs) {
  for (const Tensor& a : inputs)
    for (const Tensor& b : inputs) {
      if (!is_floating(a.dtype())) throw_not_floating("hessian", a.dtype());
      matrix_shape("hessian", a.shape(), b.shape());
    }
}

void detail::jacobian(const char* caller, const Tensor& output, std::span<Tensor> inputs, bool nested) {
  if (!is_floating(output.dtype())) throw_not_floating(caller, output.dtype());
  std::vector<Shape> shapes;
  std::int64_t columns = 0;
  for (const Tensor& x : inputs) {
    if (!is_floating(x.dtype())) throw_not_floating(caller, x.dtype());
    shapes.push_back(matrix_shape(caller, output.shape(), x.shape()));
    columns += x.numel();
  }
  const bool backwards = output.numel() <= columns;
  if (backwards && output.numel() > 0 && output.requires_grad()) by_rows(output, inputs, nested);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (shapes[i].numel() == 0 || !output.requires_grad())
      inputs[i] = zeros(shapes[i], {.dtype = inputs[i].dtype()});
    else
      inputs[i] = reshape(backwards ? inputs[i] : by_columns(output, inputs[i], nested), shapes[i]);
  }
}

Tensor detail::dot(std::span<const Tensor> gradients, std::span<const Tensor> v) {
  Tensor total;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!is_floating(gradients[i].dtype())) continue;
    const Tensor term = sum(gradients[i] * v[i]);
    total = total.defined() ? total + term.to(total.dtype()) : term;
  }
  return total.defined() ? total : zeros({});
}

void detail::per_sample_grad(const Function<Tensor(std::span<const Tensor>)>& f, std::span<const Tensor> parameters,
                             std::span<const Tensor> batch, const GradOptions& options, std::span<Tensor> out) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].rank() == 0)
      throw ShapeError(fmt::format("per_sample_grad: batch tensor {} is a scalar; give it rows along a first axis", i));
    if (batch[i].shape()[0] != batch[0].shape()[0])
      throw ShapeError(fmt::format("per_sample_grad: batch tensors 0 and {} are {} and {}; they must have as many rows",
                                   i, to_string(batch[0].shape()), to_string(batch[i].shape())));
  }
  const std::int64_t n = batch[0].shape()[0];
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Shape shape = matrix_shape("per_sample_grad", {n}, parameters[i].shape());
    if (n == 0) out[i] = zeros(shape, {.dtype = parameters[i].dtype()});
  }
  if (n == 0) return;
  const EnableGrad on;
  std::vector<std::vector<Tensor>> rows(parameters.size());
  std::vector<Tensor> row(batch.size()), found(parameters.size());
  for (std::int64_t at = 0; at < n; ++at) {
    for (std::size_t i = 0; i < batch.size(); ++i) row[i] = slice(batch[i], {.begin = at, .end = at + 1});
    const Tensor loss = f(row);
    require_one("per_sample_grad", loss);
    grad(loss, {}, parameters, options, found);
    for (std::size_t i = 0; i < found.size(); ++i) rows[i].push_back(std::move(found[i]));
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = stack(rows[i]);
}

}  // namespace gradtape::inline v0
