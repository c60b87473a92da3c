#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/kernels/reduce.hpp>
#include <gradtape/ops/kernels/rows.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/reduction.hpp>
#include <gradtape/ops/scan.hpp>
#include <gradtape/ops/shape.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::Reduction;

struct Sum : Reduction {
  static constexpr std::string_view name = "sum";

  void value(const Array& out, const Array& x) const { detail::reduce_sum(out, x, mask); }
  auto vjp(Wrt<0>, Grad g) const { return broadcast_to(restore(g), from); }
};

struct Prod : Reduction {
  static constexpr std::string_view name = "prod";

  void value(const Array& out, const Array& x) const { detail::reduce_prod(out, x, mask); }
  auto vjp(Wrt<0>, Grad g, In<0> x) const {
    // All other elements: those on the same line along one axis, those on the other lines along the next, and so on.
    Tensor others = restore(g);
    const Axes reduced = axes();
    Axes done;
    for (const std::int64_t axis : reduced.values()) {
      const Tensor lines = done.empty() ? Tensor(x) : prod(x, {.axes = done, .keepdims = true});
      others = others * detail::exclusive_product(lines, static_cast<int>(axis));
      done.push_back(axis);
    }
    return others;
  }
};

template <bool largest>
struct Extreme : Reduction {
  static constexpr std::string_view name = largest ? "max" : "min";

  void value(const Array& out, const Array& x) const {
    (largest ? detail::reduce_max : detail::reduce_min)(out, x, mask);
  }
  auto vjp(Wrt<0>, Grad g, In<0> x, Out y) const {
    const Tensor ties = (x.detach() == restore(y.detach())).to(x.dtype());
    return ties * (restore(g) / sum(ties, {.axes = axes(), .keepdims = true}));
  }
};

template <bool largest>
struct ArgExtreme {
  static constexpr std::string_view name = largest ? "argmax" : "argmin";
  int axis;

  void attributes(AttributeVisitor& v) const { v("axis", axis); }
  Spec infer(const Shape& x) const {
    Shape shape = x;
    shape.set(axis, 1);
    return {i64, shape};
  }
  void value(const Array& out, const Array& x) const {
    (largest ? detail::argmax : detail::argmin)(out, detail::rows_of(x, 1u << axis));
  }
  NoGradient vjp(Wrt<0>) const { return {}; }
};

struct CountNonzero : Reduction {
  static constexpr std::string_view name = "count_nonzero";

  Spec infer(const Shape& x) const { return {i64, Reduction::infer(x)}; }
  void value(const Array& out, const Array& x) const { detail::count_nonzero(out, detail::rows_of(x, mask)); }
  NoGradient vjp(Wrt<0>) const { return {}; }
};

template <bool largest>
Tensor extreme(const Tensor& x, const ReduceOptions& options) {
  using Op = Extreme<largest>;
  detail::require_numbers(Op::name, x);
  const Op op{Reduction(Op::name, x, options)};
  op.require_elements(Op::name);
  return record(op, x);
}

template <bool largest>
Tensor arg_extreme(const Tensor& x, const ArgmaxOptions& options) {
  using Op = ArgExtreme<largest>;
  const int axis = normalize_axis(Op::name, options.axis, x.rank());
  if (x.shape()[axis] == 0)
    throw ValueError(fmt::format("{}: axis {} of shape {} has no elements", Op::name, axis, to_string(x.shape())));
  const Tensor kept = record(Op{axis}, x.dtype() == boolean ? x.to(i64) : x);
  const Reduction shapes(Op::name, x, {.axes = axis, .keepdims = options.keepdims});
  return reshape(kept, shapes.infer(x.shape()));
}

}  // namespace

Tensor sum(const Tensor& x, const ReduceOptions& options) {
  detail::require_numbers("sum", x);
  return record(Sum{Reduction("sum", x, options)}, x);
}

Tensor prod(const Tensor& x, const ReduceOptions& options) {
  detail::require_numbers("prod", x);
  return record(Prod{Reduction("prod", x, options)}, x);
}

Tensor mean(const Tensor& x, const ReduceOptions& options) {
  detail::check_floating("mean", {&x.array()});
  const Sum op{Reduction("mean", x, options)};
  op.require_elements("mean");
  return record(op, x) / static_cast<double>(op.count());
}

Tensor max(const Tensor& x, const ReduceOptions& options) { return extreme<true>(x, options); }
Tensor min(const Tensor& x, const ReduceOptions& options) { return extreme<false>(x, options); }

Tensor argmax(const Tensor& x, const ArgmaxOptions& options) { return arg_extreme<true>(x, options); }
Tensor argmin(const Tensor& x, const ArgmaxOptions& options) { return arg_extreme<false>(x, options); }

Tensor any(const Tensor& x, const ReduceOptions& options) {
  return record(CountNonzero{Reduction("any", x, options)}, x) != 0;
}
Tensor all(const Tensor& x, const ReduceOptions& options) {
  const CountNonzero op{Reduction("all", x, options)};
  return record(op, x) == op.count();
}
Tensor count_nonzero(const Tensor& x, const ReduceOptions& options) {
  return record(CountNonzero{Reduction("count_nonzero", x, options)}, x);
}

Tensor detail::sum_to(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  const int shift = gradient.rank() - shape.rank();
  Axes axes;
  for (int axis = 0; axis < gradient.rank(); ++axis)
    if (axis < shift || (shape[axis - shift] == 1 && gradient.shape()[axis] != 1)) axes.push_back(axis);
  return reshape(sum(gradient, {.axes = axes, .keepdims = true}), shape);
}

}  // namespace gradtape::inline v0
