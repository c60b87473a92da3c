#include <gradtape/core/error.hpp>
#include <gradtape/ops/reduction.hpp>
#include <gradtape/ops/shape.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::detail {

Reduction::Reduction(std::string_view op, const Tensor& x, const ReduceOptions& options)
    : from(x.shape()), kept(x.shape()), mask(axis_mask(op, options.axes, x.rank())), keepdims(options.keepdims) {
  for (int axis = 0; axis < from.rank(); ++axis)
    if (mask >> axis & 1) kept.set(axis, 1);
}

Shape Reduction::infer(const Shape&) const {
  if (keepdims) return kept;
  Shape shape;
  for (int axis = 0; axis < from.rank(); ++axis)
    if (!(mask >> axis & 1)) shape.push_back(from[axis]);
  return shape;
}

std::int64_t Reduction::count() const {
  Shape reduced;
  for (int axis = 0; axis < from.rank(); ++axis)
    if (mask >> axis & 1) reduced.push_back(from[axis]);
  return reduced.numel();
}

Axes Reduction::axes() const {
  Axes axes;
  for (int axis = 0; axis < from.rank(); ++axis)
    if (mask >> axis & 1) axes.push_back(axis);
  return axes;
}

void Reduction::attributes(AttributeVisitor& v) const { v("axes", axes().values()), v("keepdims", keepdims); }

void Reduction::require_elements(std::string_view op) const {
  if (count() == 0)
    throw ValueError(
        fmt::format("{}: shape {} has no elements along the reduced axes, and the {} of nothing is undefined", op,
                    to_string(from), op));
}

Tensor Reduction::restore(const Tensor& y) const { return keepdims ? y : reshape(y, kept); }

void require_numbers(std::string_view op, const Tensor& x) {
  if (x.dtype() == boolean)
    throw DtypeError(fmt::format("{}: no meaning for boolean; convert with .to(gradtape::f32)", op));
}

}  // namespace gradtape::inline v0::detail
