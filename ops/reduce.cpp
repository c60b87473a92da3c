#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/kernels/reduce.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <bit>

#include <fmt/format.h>

namespace gradtape {
namespace {

/// What a reduction does to shapes.
struct Reduction {
  Shape from, kept;  // `kept` has the reduced axes with size 1
  unsigned mask;
  bool keepdims;

  Reduction(std::string_view op, const Tensor& x, const ReduceOptions& options)
      : from(x.shape()), kept(x.shape()), mask(axis_mask(op, options.axes, x.rank())), keepdims(options.keepdims) {
    if (x.dtype() == boolean) throw DtypeError(fmt::format("{}: no meaning for boolean; convert with .to(gradtape::f32)", op));
    for (int axis = 0; axis < from.rank(); ++axis)
      if (reduces(axis)) kept.set(axis, 1);
  }

  bool reduces(int axis) const { return mask >> axis & 1; }

  std::int64_t count() const {
    std::int64_t n = 1;
    for (int axis = 0; axis < from.rank(); ++axis)
      if (reduces(axis)) n *= from[axis];
    return n;
  }

  void require_elements(std::string_view op) const {
    if (count() == 0)
      throw ValueError(fmt::format("{}: shape {} has no elements along the reduced axes, and the {} of nothing is undefined", op, to_string(from), op));
  }

  Shape result() const {
    if (keepdims) return kept;
    Shape shape;
    for (int axis = 0; axis < from.rank(); ++axis)
      if (!reduces(axis)) shape.push_back(from[axis]);
    return shape;
  }

  /// Something of the result's shape, stretched back over the input.
  Tensor stretch(const Tensor& y) const { return broadcast_to(keepdims ? y : reshape(y, kept), from); }
};

struct Sum : Reduction {
  static constexpr std::string_view name = "sum";
  Sum(std::string_view op, const Tensor& x, const ReduceOptions& options) : Reduction(op, x, options) {}

  Shape infer(const Shape&) const { return result(); }
  void value(const Array& out, const Array& x) const { detail::reduce_sum(out, x, mask); }
  auto vjp(Wrt<0>, Grad g) const { return stretch(g); }
};

struct Max : Reduction {
  static constexpr std::string_view name = "max";
  Max(const Tensor& x, const ReduceOptions& options) : Reduction(name, x, options) { require_elements(name); }

  Shape infer(const Shape&) const { return result(); }
  void value(const Array& out, const Array& x) const { detail::reduce_max(out, x, mask); }
  auto vjp(Wrt<0>, Grad g, In<0> x, Out y) const {
    const Tensor ties = (x.detach() == stretch(y.detach())).to(x.dtype());
    const Tensor share = ties / stretch(sum(ties, {.axes = axes(), .keepdims = keepdims}));
    return stretch(g) * share;
  }

 private:
  Axes axes() const {
    Axes out = {};
    for (int axis = 0; axis < from.rank(); ++axis)
      if (reduces(axis)) out.push_back(axis);
    return out;
  }
};

struct Argmax {
  static constexpr std::string_view name = "argmax";
  int axis;

  Spec infer(const Shape& x) const {
    Shape shape = x;
    shape.set(axis, 1);
    return {i64, shape};
  }
  void value(const Array& out, const Array& x) const { detail::argmax(out, packed(x), axis); }
  NoGradient vjp(Wrt<0>) const { return {}; }
};

}  // namespace

Tensor sum(const Tensor& x, const ReduceOptions& options) { return record(Sum(Sum::name, x, options), x); }

Tensor mean(const Tensor& x, const ReduceOptions& options) {
  detail::check_floating("mean", {&x.array()});
  const Sum op("mean", x, options);
  op.require_elements("mean");
  return record(op, x) / static_cast<double>(op.count());
}

Tensor max(const Tensor& x, const ReduceOptions& options) { return record(Max(x, options), x); }

Tensor argmax(const Tensor& x, const ArgmaxOptions& options) {
  const int axis = normalize_axis("argmax", options.axis, x.rank());
  if (x.shape()[axis] == 0) throw ValueError(fmt::format("argmax: axis {} of shape {} has no elements", axis, to_string(x.shape())));
  const Tensor kept = record(Argmax{axis}, x);
  if (options.keepdims) return kept;
  Shape shape;
  for (int a = 0; a < x.rank(); ++a)
    if (a != axis) shape.push_back(x.shape()[a]);
  return reshape(kept, shape);
}

Tensor detail::sum_to(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  const int shift = gradient.rank() - shape.rank();
  Axes axes;
  for (int axis = 0; axis < gradient.rank(); ++axis)
    if (axis < shift || (shape[axis - shift] == 1 && gradient.shape()[axis] != 1)) axes.push_back(axis);
  return reshape(sum(gradient, {.axes = axes, .keepdims = true}), shape);
}

}  // namespace gradtape
