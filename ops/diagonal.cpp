#include <gradtape/core/error.hpp>
#include <gradtape/ops/adjoint.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/diagonal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

struct Diagonal {
  static constexpr std::string_view name = "diagonal";
  Shape from;
  std::int64_t offset;
  int axis1, axis2;

  /// Elements of diagonal `offset` in a matrix of so many rows and columns.
  static std::int64_t length(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
    if (offset >= columns || offset <= -rows) return 0;
    return offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns);
  }

  Array view(const Array& x) const {
    Shape shape;
    Strides strides{};
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (axis == axis1 || axis == axis2) continue;
      strides[static_cast<std::size_t>(shape.rank())] = x.strides()[static_cast<std::size_t>(axis)];
      shape.push_back(x.shape()[axis]);
    }
    const std::int64_t row = x.strides()[static_cast<std::size_t>(axis1)],
                       column = x.strides()[static_cast<std::size_t>(axis2)];
    strides[static_cast<std::size_t>(shape.rank())] = row + column;
    shape.push_back(length(x.shape()[axis1], x.shape()[axis2], offset));
    return Array::view(x, shape, strides, shape.numel() == 0 ? 0 : offset >= 0 ? offset * column : -offset * row);
  }
  auto vjp(Wrt<0>, Grad g) const { return tail(Adjoint{*this, from}, g); }
};

/// Zeros of a matrix's shape, which is checked.
Array zero_matrix(std::string_view op, std::int64_t rows, std::int64_t columns, std::optional<Dtype> dtype) {
  if (rows < 0 || columns < 0)
    throw ValueError(fmt::format("{}: {} rows and {} columns; expected at least 0", op, rows, columns));
  const Array out = Array::make(dtype.value_or(default_dtype()), {rows, columns});
  fill(out, 0);
  return out;
}

/// True at and below a diagonal of the matrices in x.
Tensor lower(std::string_view op, const Tensor& x, std::int64_t diagonal) {
  detail::check_numbers(op, x.dtype());
  if (x.rank() < 2)
    throw ShapeError(
        fmt::format("{}: shape {} has fewer than two axes; expected matrices […, m, n]", op, to_string(x.shape())));
  return tri(x.shape()[-2], {.columns = x.shape()[-1], .diagonal = diagonal, .dtype = boolean});
}

}  // namespace

Tensor eye(std::int64_t rows, const EyeOptions& options) {
  const std::int64_t columns = options.columns.value_or(rows);
  const Array out = zero_matrix("eye", rows, columns, options.dtype);
  with_type(out.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < std::min(rows, columns); ++i) out.data<T>()[i * columns + i] = T{1};
  });
  return Tensor(out);
}

Tensor tri(std::int64_t rows, const TriOptions& options) {
  const std::int64_t columns = options.columns.value_or(rows);
  const Array out = zero_matrix("tri", rows, columns, options.dtype);
  // Beyond these every diagonal is as good as any other, and numbers stay small.
  const std::int64_t diagonal = std::clamp(options.diagonal, -rows, columns);
  with_type(out.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < rows; ++i)
      std::fill_n(out.data<T>() + i * columns, std::clamp<std::int64_t>(i + diagonal + 1, 0, columns), T{1});
  });
  return Tensor(out);
}

Tensor tril(const Tensor& x, const TriangleOptions& options) { return where(lower("tril", x, options.diagonal), x, 0); }

Tensor triu(const Tensor& x, const TriangleOptions& options) {
  const std::int64_t above =
      options.diagonal == std::numeric_limits<std::int64_t>::min() ? options.diagonal : options.diagonal - 1;
  return where(lower("triu", x, above), 0, x);
}

Tensor diagonal(const Tensor& x, const DiagonalOptions& options) {
  if (x.rank() < 2)
    throw ShapeError(
        fmt::format("diagonal: shape {} has fewer than two axes; expected matrices", to_string(x.shape())));
  axis_mask("diagonal", {options.axis1, options.axis2}, x.rank());
  return record(Diagonal{x.shape(), options.offset, normalize_axis("diagonal", options.axis1, x.rank()),
                         normalize_axis("diagonal", options.axis2, x.rank())},
                x);
}

Tensor diag(const Tensor& x, const DiagOptions& options) {
  const std::int64_t offset = options.offset;
  if (x.rank() == 2) return diagonal(x, {.offset = offset});
  if (x.rank() != 1)
    throw ShapeError(fmt::format("diag: shape {}; expected a vector or a matrix", to_string(x.shape())));
  std::int64_t n;
  if (offset == std::numeric_limits<std::int64_t>::min() || __builtin_add_overflow(x.shape()[0], std::abs(offset), &n))
    throw ShapeError(
        fmt::format("diag: a vector {} on diagonal {} is larger than any memory", to_string(x.shape()), offset));
  return record(Adjoint{Diagonal{{n, n}, offset, 0, 1}, Shape{n, n}}, x);
}

}  // namespace gradtape::inline v0
