#include <gradtape/core/error.hpp>
#include <gradtape/core/grad.hpp>
#include <gradtape/ops/record.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::detail {

void check_dtypes(std::string_view op, std::initializer_list<const Array*> inputs) {
  const Array* first = nullptr;
  for (const Array* a : inputs) {
    if (!is_floating(a->dtype())) continue;
    if (!first) first = a;
    if (a->dtype() != first->dtype())
      throw DtypeError(fmt::format("{}: dtypes {} and {} do not mix; convert one with .to(gradtape::{})", op,
                                   to_string(first->dtype()), to_string(a->dtype()), to_string(first->dtype())));
  }
}

void check_floating(std::string_view op, std::initializer_list<const Array*> inputs) {
  for (const Array* a : inputs)
    if (!is_floating(a->dtype())) throw_not_floating(op, a->dtype());
}

Tensor zero_gradient(const Node& node) {
  const Array zero = Array::make(node.dtype, node.shape);
  fill(zero, 0);
  return Tensor({}, Ref<Node>::adopt(new Leaf(zero)));
}

Tensor turned(const Tensor& result, const Tensor& g, const Tensor& t, bool create_graph) {
  Tensor out;
  grad(result, t, {&g, 1}, {.create_graph = create_graph}, {&out, 1});
  return out;
}

}  // namespace gradtape::inline v0::detail
