#include <gradtape/core/error.hpp>
#include <gradtape/ops/record.hpp>

#include <fmt/format.h>

namespace gradtape::detail {

void check_dtypes(std::string_view op, std::initializer_list<const Array*> inputs) {
  const Array* first = nullptr;
  for (const Array* a : inputs) {
    if (!is_floating(a->dtype())) continue;
    if (!first) first = a;
    if (a->dtype() != first->dtype())
      throw DtypeError(fmt::format("{}: dtypes {} and {} do not mix; convert one with .to(gradtape::{})", op, to_string(first->dtype()),
                                   to_string(a->dtype()), to_string(first->dtype())));
  }
}

void check_floating(std::string_view op, std::initializer_list<const Array*> inputs) {
  for (const Array* a : inputs)
    if (!is_floating(a->dtype())) throw_not_floating(op, a->dtype());
}

}  // namespace gradtape::detail
