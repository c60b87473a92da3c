#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape {
namespace {

struct Transpose {
  static constexpr std::string_view name = "transpose";
  int axis0, axis1;

  Array view(const Array& x) const { return detail::transposed(x, axis0, axis1); }
  auto vjp(Wrt<0>, Grad g) const { return transpose(g, {axis0, axis1}); }
};

struct Reshape {
  static constexpr std::string_view name = "reshape";
  Shape from, to;

  Array view(const Array& x) const { return reshaped(x, to); }
  auto vjp(Wrt<0>, Grad g) const { return reshape(g, from); }
};

struct BroadcastTo {
  static constexpr std::string_view name = "broadcast_to";
  Shape from, to;

  Array view(const Array& x) const { return Array::view(x, to, broadcast_strides(x, to)); }
  auto vjp(Wrt<0>, Grad g) const { return detail::sum_to(g, from); }
};

struct Contiguous {
  static constexpr std::string_view name = "contiguous";

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { copy_elements(out, x); }
  auto vjp(Wrt<0>, Grad g) const { return Tensor(g); }
};

/// A part of an array: along each axis the elements from `begin` on, as many as the part has.
struct Part {
  Shape from, to;
  std::array<std::int64_t, max_rank> begin{};

  Array of(const Array& x) const {
    std::int64_t offset = 0;
    for (int axis = 0; axis < x.rank(); ++axis) offset += begin[static_cast<std::size_t>(axis)] * x.strides()[static_cast<std::size_t>(axis)];
    return Array::view(x, to, x.strides(), to.numel() == 0 ? 0 : offset);
  }
};

struct TakePart {
  static constexpr std::string_view name = "slice";
  Part part;

  Array view(const Array& x) const { return part.of(x); }
  auto vjp(Wrt<0>, Grad g) const;
};

/// The adjoint of TakePart: zeros but for the part.
struct PutPart {
  static constexpr std::string_view name = "slice_adjoint";
  Part part;

  Shape infer(const Shape&) const { return part.from; }
  void value(const Array& out, const Array& g, double beta = 0) const {
    const Array inside = part.of(out);
    if (beta == 0) {
      fill(out, 0);
      copy_elements(inside, g);
    } else {
      detail::add_elements(inside, g);
    }
  }
  auto vjp(Wrt<0>, Grad g) const { return record(TakePart{part}, g); }
};

auto TakePart::vjp(Wrt<0>, Grad g) const { return tail(PutPart{part}, g); }

/// Cuts [begin, end) to what an axis has, counting negative numbers from its end.
Slice clamp(const Slice& slice, std::int64_t size) {
  const auto at = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  return {at(slice.begin), std::max(at(slice.begin), at(slice.end))};
}

/// A view may claim more elements than can be counted, though no array could hold them.
void require_countable(std::string_view op, const Shape& shape) {
  std::int64_t n = 1;
  bool overflow = false;
  for (const std::int64_t dim : shape) overflow |= __builtin_mul_overflow(n, dim, &n);
  if (overflow && std::ranges::find(shape, 0) == shape.end())
    throw ShapeError(fmt::format("{}: {} has more elements than can be counted", op, to_string(shape)));
}

}  // namespace

Tensor transpose(const Tensor& x, const TransposeOptions& options) {
  const int rank = x.rank();
  if (rank < 2) throw ShapeError(fmt::format("transpose: shape {} has fewer than two axes; reshape it to a row or column first", to_string(x.shape())));
  return record(Transpose{normalize_axis("transpose", options.axis0, rank), normalize_axis("transpose", options.axis1, rank)}, x);
}

Tensor reshape(const Tensor& x, const NewShape& wanted) {
  IntegerList dims;
  std::int64_t known = 1;
  bool open = false, overflow = false;
  for (const std::int64_t dim : wanted.values()) {
    if (dim == -1 && open) throw ShapeError("reshape: only one dimension can be -1");
    if (dim == -1)
      open = true;
    else
      overflow |= __builtin_mul_overflow(known, dim, &known);
  }
  if (open && (overflow || known <= 0 || x.numel() % known != 0))
    throw ShapeError(fmt::format("reshape: {} has {} elements, which [{}] does not divide", to_string(x.shape()), x.numel(), fmt::join(wanted.values(), ", ")));
  for (const std::int64_t dim : wanted.values()) dims.push_back(dim == -1 ? x.numel() / known : dim);
  const Shape shape(dims.values());
  require_countable("reshape", shape);
  if (shape.numel() != x.numel())
    throw ShapeError(fmt::format("reshape: {} has {} elements, {} has {}; they must be as many", to_string(x.shape()), x.numel(), to_string(shape), shape.numel()));
  return record(Reshape{x.shape(), shape}, x);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.rank() > shape.rank() || broadcast("broadcast_to", x.shape(), shape) != shape)
    throw ShapeError(fmt::format("broadcast_to: {} does not stretch to {}; only axes of 1 and missing leading axes do", to_string(x.shape()), to_string(shape)));
  require_countable("broadcast_to", shape);
  return record(BroadcastTo{x.shape(), shape}, x);
}

Tensor contiguous(const Tensor& x) { return x.array().packed() ? x : record(Contiguous{}, x); }

Tensor slice(const Tensor& x, const SliceOptions& options) {
  const int axis = normalize_axis("slice", options.axis, x.rank());
  const Slice range = clamp({options.begin, options.end}, x.shape()[axis]);
  Part part{x.shape(), x.shape(), {}};
  part.to.set(axis, range.end - range.begin);
  part.begin[static_cast<std::size_t>(axis)] = range.begin;
  return record(TakePart{part}, x);
}

Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  if (static_cast<int>(indices.size()) > rank())
    throw IndexError(fmt::format("index: {} indices for shape {}, which has {} axes", indices.size(), to_string(shape()), rank()));
  Part part{shape(), shape(), {}};
  Shape kept;
  int axis = 0;
  for (const Index& index : indices) {
    const std::int64_t size = shape()[axis];
    if (index.at()) {
      const std::int64_t at = *index.at() < 0 ? *index.at() + size : *index.at();
      if (at < 0 || at >= size) throw IndexError(fmt::format("index: {} is outside axis {} of shape {}", *index.at(), axis, to_string(shape())));
      part.begin[static_cast<std::size_t>(axis)] = at;
      part.to.set(axis, 1);
    } else {
      const Slice range = clamp(index.slice(), size);
      part.begin[static_cast<std::size_t>(axis)] = range.begin;
      part.to.set(axis, range.end - range.begin);
      kept.push_back(range.end - range.begin);
    }
    ++axis;
  }
  for (; axis < rank(); ++axis) kept.push_back(shape()[axis]);
  return reshape(record(TakePart{part}, *this), kept);
}

Tensor Tensor::operator[](const Index& index) const { return (*this)[{index}]; }

}  // namespace gradtape
