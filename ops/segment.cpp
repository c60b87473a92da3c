#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/indexed.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/segment.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// `index` holds the id of each row for all elements of it.
struct SegmentMax {
  static constexpr std::string_view name = "segment_max";
  Shape to;

  Spec infer(const Array& data, const Shape&) const { return {data.dtype(), to}; }
  void value(const Array& out, const Array& data, const Array& index) const {
    std::vector<bool> seen(static_cast<std::size_t>(to[0]));
    for (std::int64_t i = 0; i < index.shape()[0]; ++i)
      seen[static_cast<std::size_t>(index.data<std::int64_t>()[i * index.strides()[0]])] = true;
    const std::int64_t row = to[0] == 0 ? 0 : out.numel() / to[0];
    with_type(data.dtype(), [&]<class T>(std::type_identity<T>) {
      constexpr T least =
          std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
      for (std::int64_t s = 0; s < to[0]; ++s)
        std::fill_n(out.data<T>() + s * row, row, seen[static_cast<std::size_t>(s)] ? least : T{0});
      detail::for_each_indexed<T>(out, index, data, 0, [](T* most, const T* x, std::int64_t n) {
        for (std::int64_t k = 0; k < n; ++k)
          if (x[k] > most[k] || x[k] != x[k]) most[k] = x[k];
      });
    });
  }
  auto vjp(Wrt<0>, Grad g, In<0> data, In<1> index, Out y) const {
    const Tensor ties = (data.detach() == detail::gather_along(y.detach(), index, 0)).to(data.dtype());
    const Tensor number = detail::scatter_along(ties, index, 0, to);
    return detail::gather_along(g, index, 0) * (ties / detail::gather_along(number, index, 0));
  }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

/// Checks, and gives the shape of the result.
Shape result_of(std::string_view op, const Tensor& data, const Tensor& ids, std::int64_t segments) {
  detail::check_numbers(op, data.dtype());
  if (ids.rank() != 1 || data.rank() == 0 || data.shape()[0] != ids.numel())
    throw ShapeError(fmt::format("{}: data {} and ids {} do not fit; expected data [n, …] and ids [n]", op,
                                 to_string(data.shape()), to_string(ids.shape())));
  if (segments < 0) throw ValueError(fmt::format("{}: {} segments; expected at least 0", op, segments));
  detail::check_indices(op, ids, segments);
  Shape shape = data.shape();
  shape.set(0, segments);
  return shape;
}

Tensor sum_of(const Tensor& data, const Tensor& ids, const Shape& to) {
  return detail::scatter_along(data, detail::along_axis(ids, 0, data.shape()), 0, to);
}

}  // namespace

Tensor segment_sum(const Tensor& data, const Tensor& ids, std::int64_t segments) {
  return sum_of(data, ids, result_of("segment_sum", data, ids, segments));
}

Tensor segment_mean(const Tensor& data, const Tensor& ids, std::int64_t segments) {
  detail::check_floating("segment_mean", {&data.array()});
  const Shape to = result_of("segment_mean", data, ids, segments);
  Shape rows = to;
  for (int axis = 1; axis < to.rank(); ++axis) rows.set(axis, 1);
  const Tensor number = sum_of(ones(ids.shape(), {.dtype = f64}), ids, {segments}).to(data.dtype());
  return sum_of(data, ids, to) / reshape(maximum(number, 1), rows);
}

Tensor segment_max(const Tensor& data, const Tensor& ids, std::int64_t segments) {
  const Shape to = result_of("segment_max", data, ids, segments);
  return record(SegmentMax{to}, data, detail::along_axis(ids, 0, data.shape()));
}

}  // namespace gradtape::inline v0
