#include <gradtape/core/sweep.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/functional.hpp>
#include <gradtape/ops/record.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct Identity {
  static constexpr std::string_view name = "identity";
  Array view(const Array& x) const { return x; }
  auto vjp(Wrt<0>, Grad g) const { return Tensor(g); }
};

}  // namespace

Tensor detail::as_input(const Tensor& x, bool nested) {
  if (!is_floating(x.dtype())) return x;
  return nested && x.requires_grad() ? record(Identity{}, x) : parameter(x);
}

bool detail::on_tape(std::span<const Tensor> x) {
  return thread_state.grad_enabled && std::ranges::any_of(x, [](const Tensor& each) { return each.requires_grad(); });
}

bool detail::captures(const Tensor& output, std::span<const Tensor> inputs) {
  std::uint64_t start = ~std::uint64_t{0};  // of what the function recorded
  for (const Tensor& x : inputs)
    if (x.node()) start = std::min(start, x.node()->id);
  if (!output.node()) return false;
  return std::ranges::any_of(outside(output.node().get(), start), [&](const Node* node) {
    return std::ranges::none_of(inputs, [&](const Tensor& x) { return x.node().get() == node; });
  });
}

void detail::vjp(const Tensor& output, std::span<Tensor> inputs, const Tensor& g, bool nested) {
  if (g.shape() != output.shape() || g.dtype() != output.dtype())
    throw ShapeError(fmt::format("vjp: the gradient given is {} {}, but the output is {} {}; they must be alike",
                                 to_string(g.dtype()), to_string(g.shape()), to_string(output.dtype()),
                                 to_string(output.shape())));
  std::vector<Tensor> wanted;
  for (const Tensor& x : inputs)
    if (x.requires_grad()) wanted.push_back(x);
  std::vector<Tensor> found(wanted.size());
  if (output.requires_grad())
    gradtape::detail::grad(output, g, wanted, {.create_graph = nested, .allow_unused = true}, found);
  std::size_t at = 0;
  for (Tensor& x : inputs) {
    Tensor gradient = x.requires_grad() ? std::move(found[at++]) : Tensor();
    x = gradient.defined() ? std::move(gradient) : zeros_like(x);
  }
}

void detail::gradient(const char* caller, const Tensor& output, std::span<Tensor> inputs, bool nested) {
  require_one(caller, output);
  vjp(output, inputs, ones_like(output), nested);
}

void detail::require_one(const char* caller, const Tensor& output) {
  if (!is_floating(output.dtype())) throw_not_floating(caller, output.dtype());
  if (output.numel() != 1)
    throw ShapeError(fmt::format(
        "{}: the function gives shape {}; it must give exactly one element: reduce it (sum, mean), or call jacobian",
        caller, to_string(output.shape())));
}

void detail::check_tangents(const char* caller, std::span<const Tensor> inputs, std::span<const Tensor> tangents) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor &x = inputs[i], &t = tangents[i];
    if (is_floating(x.dtype()) && (t.shape() != x.shape() || t.dtype() != x.dtype()))
      throw ShapeError(fmt::format("{}: the tangent of input {} is {} {}, but the input is {} {}; they must be alike",
                                   caller, i, to_string(t.dtype()), to_string(t.shape()), to_string(x.dtype()),
                                   to_string(x.shape())));
  }
}

Tensor detail::jvp(const Tensor& output, std::span<const Tensor> inputs, std::span<const Tensor> tangents,
                   bool nested) {
  std::vector<Tensor> from, along;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad()) from.push_back(inputs[i]), along.push_back(tangents[i]);
  Tensor t = tangent(output, from, along, nested);
  return t.defined() ? t : zeros_like(output);
}

}  // namespace gradtape::inline v0
