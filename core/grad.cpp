#include <gradtape/core/error.hpp>
#include <gradtape/core/grad.hpp>
#include <gradtape/core/sweep.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// The gradient a sweep starts with: `seed`, or one for an output of exactly one element.
Tensor start(const char* caller, const Tensor& output, const Tensor& seed) {
  if (!output.defined())
    throw GradientError(fmt::format("{}: the output is an empty Tensor (default-constructed or moved from)", caller));
  if (!output.requires_grad())
    throw GradientError(
        fmt::format("{}: this tensor depends on no parameter (requires_grad() is false); make leaves with "
                    "gradtape::parameter, compute outside of NoGrad, and ask for gradients that are to be "
                    "differentiated again with {{.create_graph = true}}",
                    caller));
  output.node()->check_thread();
  if (seed.defined()) {
    if (seed.shape() != output.shape() || seed.dtype() != output.dtype())
      throw ShapeError(fmt::format("{}: the gradient given is {} {}, but the output is {} {}; they must be alike",
                                   caller, to_string(seed.dtype()), to_string(seed.shape()), to_string(output.dtype()),
                                   to_string(output.shape())));
    return seed;
  }
  if (output.numel() != 1)
    throw ShapeError(fmt::format(
        "{}: the output has shape {}; a sweep starts from exactly one element: reduce it first (sum, mean), "
        "or give its gradient to gradtape::vjp",
        caller, to_string(output.shape())));
  Array one = Array::make(output.dtype(), output.shape());
  fill(one, 1);
  return Tensor(one);
}

}  // namespace

void Tensor::backward(const BackwardOptions& options) const {
  Tensor seed = start("backward", *this, {});
  Sweep sweep(options.create_graph, options.retain_graph || options.create_graph);
  sweep.run(*this, std::move(seed));
  sweep.commit();
}

void detail::grad(const Tensor& output, const Tensor& seed, std::span<const Tensor> inputs, const GradOptions& options,
                  std::span<Tensor> out) {
  Tensor first = start("grad", output, seed);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].requires_grad())
      throw GradientError(
          fmt::format("grad: input {} needs no gradient; make it with gradtape::parameter, or compute it from one", i));
  Sweep sweep(options.create_graph, options.retain_graph || options.create_graph);
  sweep.restrict_to(inputs, output.node().get());
  sweep.run(output, std::move(first));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const detail::Value& found = inputs[i].node()->flight;
    if (found.array) {
      out[i] = options.create_graph ? Tensor(found) : Tensor(packed(found.array));
      continue;
    }
    if (!options.allow_unused)
      throw GradientError(fmt::format(
          "grad: input {} of shape {} was not reached from the output; pass {{.allow_unused = true}} to get zeros", i,
          to_string(inputs[i].shape())));
    Array zero = Array::make(inputs[i].dtype(), inputs[i].shape());
    fill(zero, 0);
    out[i] = Tensor(zero);
  }
}

Tensor detail::tangent(const Tensor& output, std::span<const Tensor> inputs, std::span<const Tensor> tangents,
                       bool create_graph) {
  if (!output.requires_grad()) return {};
  Sweep sweep(create_graph, true);
  sweep.restrict_to(inputs, output.node().get());
  return sweep.run_forward(output, inputs, tangents);
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options) {
  std::vector<Tensor> out(inputs.size());
  detail::grad(output, {}, inputs, options, out);
  return out;
}

}  // namespace gradtape::inline v0
