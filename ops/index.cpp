#include <gradtape/core/error.hpp>
#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/indexed.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct Gather {
  static constexpr std::string_view name = "gather";
  Shape from;
  int axis;

  void attributes(AttributeVisitor& v) const { v("axis", axis); }
  Spec infer(const Array& x, const Shape& index) const { return {x.dtype(), index}; }
  void value(const Array& out, const Array& x, const Array& index) const {
    with_type(x.dtype(), [&]<class T>(std::type_identity<T>) {
      detail::for_each_indexed<T>(x, index, out, axis,
                                  [](const T* source, T* to, std::int64_t n) { std::copy_n(source, n, to); });
    });
  }
  auto vjp(Wrt<0>, Grad g, In<1> index) const;
  auto jvp(Wrt<0>, Grad t, In<1> index) const { return record(*this, t, index); }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

/// Adds each row of g to what its row of the index picks from a row of n elements of `out`, which is cleared before
/// if told.
template <class T>
void scatter_rows(T* out, std::int64_t n, const T* g, const Array& index, bool clear) {
  const std::int64_t picked = index.shape()[-1];
  detail::parallel_for(index.numel() / picked, detail::rows_a_part(n + picked),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t row = begin; row < end; ++row) {
                           T* const sum = out + row * n;
                           if (clear) std::fill_n(sum, n, T{0});
                           const std::int64_t* const at = index.data<std::int64_t>() + row * picked;
                           for (std::int64_t k = 0; k < picked; ++k) detail::add_to(sum[at[k]], g[row * picked + k]);
                         }
                       });
}

/// The adjoint of Gather: zeros, and each element of g added to where it was picked.
struct ScatterAdd {
  static constexpr std::string_view name = "scatter_add";
  Shape to;
  int axis;

  Spec infer(const Array& g, const Shape&) const { return {g.dtype(), to}; }
  void value(const Array& out, const Array& g, const Array& index, double beta = 0) const {
    Shape row_by_row = index.shape();
    row_by_row.set(axis, to[axis]);
    with_type(g.dtype(), [&]<class T>(std::type_identity<T>) {
      if (axis == to.rank() - 1 && row_by_row == to && index.numel() > 0 && index.packed() && g.packed())
        return scatter_rows(out.data<T>(), to[axis], g.data<T>(), index, beta == 0);
      if (beta == 0) fill(out, 0);
      detail::for_each_indexed<T>(out, index, g, axis, [](T* sum, const T* from, std::int64_t n) {
        for (std::int64_t k = 0; k < n; ++k) detail::add_to(sum[k], from[k]);
      });
    });
  }
  auto vjp(Wrt<0>, Grad h, In<1> index) const { return record(Gather{to, axis}, h, index); }
  auto jvp(Wrt<0>, Grad t, In<1> index) const { return record(*this, t, index); }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

auto Gather::vjp(Wrt<0>, Grad g, In<1> index) const { return tail(ScatterAdd{from, axis}, g, index); }

/// Throws unless `index` is no larger than x along every axis but one.
void require_within(std::string_view op, const Shape& x, const Shape& index, int axis) {
  for (int a = 0; a < index.rank(); ++a)
    if (a != axis && index[a] > x[a])
      throw ShapeError(
          fmt::format("{}: index {} is larger than x {} along axis {}", op, to_string(index), to_string(x), a));
}

Tensor take_of(std::string_view op, const Tensor& x, const Tensor& indices, int axis) {
  const int at = normalize_axis(op, axis, x.rank());
  detail::check_indices(op, indices, x.shape()[at]);
  const Shape shape = detail::replace_axes(op, x.shape(), at, at + 1, indices.shape());
  Shape flat = x.shape();
  flat.set(at, indices.numel());
  const Tensor out = detail::gather_along(x, detail::along_axis(indices, at, flat), at);
  return indices.rank() == 1 ? out : reshape(out, shape);
}

}  // namespace

Tensor detail::gather_along(const Tensor& x, const Tensor& index, int axis) {
  return record(Gather{x.shape(), axis}, x, index);
}

Tensor detail::scatter_along(const Tensor& source, const Tensor& index, int axis, const Shape& shape) {
  return record(ScatterAdd{shape, axis}, source, index);
}

Tensor detail::along_axis(const Tensor& indices, int axis, const Shape& shape) {
  Shape ones;
  for (int a = 0; a < shape.rank(); ++a) ones.push_back(a == axis ? indices.numel() : 1);
  return broadcast_to(reshape(indices, ones), shape);
}

void detail::check_indices(std::string_view op, const Tensor& index, std::int64_t n) {
  if (index.dtype() != i64)
    throw DtypeError(fmt::format("{}: indices are {}; expected i64", op, to_string(index.dtype())));
  const Array all = packed(index.array());
  const auto* i = all.data<std::int64_t>();
  const auto* bad = std::find_if(i, i + all.numel(), [n](std::int64_t at) { return at < 0 || at >= n; });
  if (bad != i + all.numel())
    throw IndexError(
        fmt::format("{}: index {} at {} is outside of [0, {})", op, *bad, index_string(index.shape(), bad - i), n));
}

Tensor take(const Tensor& x, const Tensor& indices, const TakeOptions& options) {
  return take_of("take", x, indices, options.axis);
}

Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  if (x.rank() != index.rank())
    throw ShapeError(
        fmt::format("gather: x {} and index {} differ in rank", to_string(x.shape()), to_string(index.shape())));
  const int at = normalize_axis("gather", axis, x.rank());
  require_within("gather", x.shape(), index.shape(), at);
  detail::check_indices("gather", index, x.shape()[at]);
  return detail::gather_along(x, index, at);
}

Tensor take_along_axis(const Tensor& x, const Tensor& index, const TakeAlongAxisOptions& options) {
  if (x.rank() != index.rank())
    throw ShapeError(fmt::format("take_along_axis: x {} and index {} differ in rank", to_string(x.shape()),
                                 to_string(index.shape())));
  const int at = normalize_axis("take_along_axis", options.axis, x.rank());
  detail::check_indices("take_along_axis", index, x.shape()[at]);
  Shape of_x = x.shape(), of_index = index.shape();
  of_x.set(at, 1), of_index.set(at, 1);
  of_x = of_index = broadcast("take_along_axis", of_x, of_index);
  of_x.set(at, x.shape()[at]), of_index.set(at, index.shape()[at]);
  return detail::gather_along(of_x == x.shape() ? x : broadcast_to(x, of_x),
                              of_index == index.shape() ? index : broadcast_to(index, of_index), at);
}

Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& source) {
  detail::check_numbers("scatter_add", x.dtype());
  detail::check_same("scatter_add", x.dtype(), source.dtype());
  if (x.rank() != index.rank() || x.rank() != source.rank())
    throw ShapeError(fmt::format("scatter_add: x {}, index {} and source {} differ in rank", to_string(x.shape()),
                                 to_string(index.shape()), to_string(source.shape())));
  const int at = normalize_axis("scatter_add", axis, x.rank());
  require_within("scatter_add", x.shape(), index.shape(), at);
  Tensor used = source;
  for (int a = 0; a < x.rank(); ++a) {
    const std::int64_t n = index.shape()[a];
    if (n > source.shape()[a])
      throw ShapeError(fmt::format("scatter_add: index {} is larger than source {} along axis {}",
                                   to_string(index.shape()), to_string(source.shape()), a));
    if (n < source.shape()[a]) used = slice(used, {.axis = a, .end = n});
  }
  detail::check_indices("scatter_add", index, x.shape()[at]);
  return x + detail::scatter_along(used, index, at, x.shape());
}

Tensor index_add(const Tensor& x, int axis, const Tensor& indices, const Tensor& source) {
  detail::check_numbers("index_add", x.dtype());
  detail::check_same("index_add", x.dtype(), source.dtype());
  const int at = normalize_axis("index_add", axis, x.rank());
  Shape expected = x.shape();
  expected.set(at, indices.numel());
  if (indices.rank() != 1 || source.shape() != expected)
    throw ShapeError(
        fmt::format("index_add: x {}, indices {} and source {} do not fit; expected indices [m] and source {}",
                    to_string(x.shape()), to_string(indices.shape()), to_string(source.shape()), to_string(expected)));
  detail::check_indices("index_add", indices, x.shape()[at]);
  return x + detail::scatter_along(source, detail::along_axis(indices, at, expected), at, x.shape());
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Operand& value) {
  const auto require_fit = [&](const Tensor& t, const char* what) {
    if (t.rank() > x.rank() || broadcast("masked_fill", x.shape(), t.shape()) != x.shape())
      throw ShapeError(
          fmt::format("masked_fill: {} {} does not stretch to x {}", what, to_string(t.shape()), to_string(x.shape())));
  };
  detail::check_numbers("masked_fill", x.dtype());
  if (value.tensor()) detail::check_same("masked_fill", x.dtype(), value.tensor()->dtype());
  if (mask.dtype() != boolean)
    throw DtypeError(
        fmt::format("masked_fill: the mask is {}; expected boolean, as comparisons give", to_string(mask.dtype())));
  require_fit(mask, "mask");
  if (value.tensor()) require_fit(*value.tensor(), "value");
  return where(mask, value, x);
}

Tensor embedding(const Tensor& weight, const Tensor& ids, const EmbeddingOptions& options) {
  const Tensor rows = take_of("embedding", weight, ids, 0);
  if (!options.padding_idx) return rows;
  const std::int64_t n = weight.shape()[0],
                     padding = *options.padding_idx < 0 ? *options.padding_idx + n : *options.padding_idx;
  if (padding < 0 || padding >= n)
    throw IndexError(
        fmt::format("embedding: padding_idx {} is outside of the table, which has {} rows", *options.padding_idx, n));
  Shape mask = ids.shape();
  for (int axis = 1; axis < weight.rank(); ++axis) mask.push_back(1);
  return where(reshape(ids == padding, mask), rows.detach(), rows);
}

}  // namespace gradtape::inline v0
