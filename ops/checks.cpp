#include <gradtape/core/error.hpp>
#include <gradtape/ops/checks.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0::detail {

void check_numbers(std::string_view op, Dtype dtype) {
  if (dtype == boolean) throw_not_floating(op, dtype);
}

void check_same(std::string_view op, Dtype a, Dtype b) {
  if (a != b)
    throw DtypeError(fmt::format("{}: dtypes {} and {} do not mix; convert one with .to(gradtape::{})", op,
                                 to_string(a), to_string(b), to_string(a)));
}

std::int64_t count(std::string_view op, std::span<const std::int64_t> dims) {
  const std::optional<std::int64_t> n = product(dims);
  if (!n) throw ShapeError(fmt::format("{}: [{}] has more elements than can be counted", op, fmt::join(dims, ", ")));
  return *n;
}

Shape replace_axes(std::string_view op, const Shape& shape, int begin, int end, const Shape& with) {
  if (shape.rank() - (end - begin) + with.rank() > max_rank)
    throw ShapeError(fmt::format("{}: the result of shape {} would have {} axes; at most {} are supported", op,
                                 to_string(shape), shape.rank() - (end - begin) + with.rank(), max_rank));
  Shape out;
  for (int axis = 0; axis < begin; ++axis) out.push_back(shape[axis]);
  for (const std::int64_t dim : with) out.push_back(dim);
  for (int axis = end; axis < shape.rank(); ++axis) out.push_back(shape[axis]);
  return out;
}

}  // namespace gradtape::inline v0::detail
