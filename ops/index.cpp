#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/record.hpp>

#include <cstring>

#include <fmt/format.h>

namespace gradtape {
namespace {

Array row_of(const Array& x, std::int64_t row) {
  Shape shape;
  Strides strides{};
  for (int axis = 1; axis < x.rank(); ++axis) {
    shape.push_back(x.shape()[axis]);
    strides[static_cast<std::size_t>(axis - 1)] = x.strides()[static_cast<std::size_t>(axis)];
  }
  return Array::view(x, shape, strides, row * x.strides()[0]);
}

struct Take {
  static constexpr std::string_view name = "take";
  std::int64_t rows_of_x;

  Shape infer(const Shape& x, const Shape& rows) const {
    Shape shape = x;
    shape.set(0, rows[0]);
    return shape;
  }
  void value(const Array& out, const Array& x, const Array& rows) const {
    const Array from = packed(x), at = packed(rows);
    const std::size_t bytes = from.shape()[0] == 0 ? 0 : static_cast<std::size_t>(from.numel() / from.shape()[0]) * size_of(from.dtype());
    for (std::int64_t i = 0; bytes > 0 && i < at.numel(); ++i)
      std::memcpy(out.data() + static_cast<std::size_t>(i) * bytes, from.data() + static_cast<std::size_t>(at.data<std::int64_t>()[i]) * bytes, bytes);
  }
  auto vjp(Wrt<0>, Grad g, In<1> rows) const;
  NoGradient vjp(Wrt<1>) const { return {}; }
};

/// The adjoint of Take: adds the rows of g to those of zeros.
struct AddRows {
  static constexpr std::string_view name = "take_adjoint";
  std::int64_t rows_of_x;

  Shape infer(const Shape& g, const Shape&) const {
    Shape shape = g;
    shape.set(0, rows_of_x);
    return shape;
  }
  void value(const Array& out, const Array& g, const Array& rows, double beta = 0) const {
    if (beta == 0) fill(out, 0);
    const Array at = packed(rows);
    for (std::int64_t i = 0; i < at.numel(); ++i) detail::add_elements(row_of(out, at.data<std::int64_t>()[i]), row_of(g, i));
  }
  auto vjp(Wrt<0>, Grad h, In<1> rows) const { return record(Take{rows_of_x}, h, rows); }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

auto Take::vjp(Wrt<0>, Grad g, In<1> rows) const { return tail(AddRows{rows_of_x}, g, rows); }

}  // namespace

Tensor take(const Tensor& x, const Tensor& rows) {
  if (rows.dtype() != i64) throw DtypeError(fmt::format("take: rows are {}; expected i64", to_string(rows.dtype())));
  if (x.rank() == 0 || rows.rank() != 1)
    throw ShapeError(fmt::format("take: x {} and rows {} do not fit; expected x [n, …] and rows [m]", to_string(x.shape()), to_string(rows.shape())));
  const Array at = packed(rows.array());
  for (std::int64_t i = 0; i < at.numel(); ++i)
    if (const std::int64_t row = at.data<std::int64_t>()[i]; row < 0 || row >= x.shape()[0])
      throw IndexError(fmt::format("take: row {} at index {} is outside of x, which has {} rows", row, i, x.shape()[0]));
  return record(Take{x.shape()[0]}, x, rows);
}

}  // namespace gradtape
