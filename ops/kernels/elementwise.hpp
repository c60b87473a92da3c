#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/backward.hpp>
#include <gradtape/core/parallel.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace gradtape::inline v0::detail {

/// One op on one block: reads `n` packed elements behind each `in`, writes as many behind each non-null `out`. Works in
/// full lanes: up to a lane less one is read and written past the end.
using Kernel = void (*)(const void* op, void* const* out, const void* const* in, std::size_t n);

/// The most inputs an elementwise op may have.
inline constexpr int max_arity = 4;

/// All the driver needs to know of an elementwise op.
struct ElementwiseTable {
  std::string_view name;
  int arity;
  unsigned conditions;               // bit i: input i is boolean and does not take part in the choice of dtype
  unsigned passes;                   // bit i: the gradient of input i is the output's as it came
  bool comparison;                   // the result is boolean
  Kernel value[3];                   // f32, f64, i64; null where the op has no meaning
  const std::array<Kernel, 2>* vjp;  // by mask of the inputs that need a gradient; f32, f64
  const unsigned* vjp_reads;  // by the same mask: bit 0 the gradient, bit 1 + i input i, bit 1 + arity the output
};

/// The op on whole arrays, broadcasting them. Throws ShapeError or DtypeError that name the op.
Array elementwise_value(const ElementwiseTable& table, const void* op, std::span<const Array* const> inputs);

/// One kernel over packed operands of n elements of `size` bytes, part by part; those that are null stay so.
void run_parts_flat(Kernel kernel, const void* op, std::span<void* const> out, std::span<const void* const> in,
                    std::int64_t n, std::size_t size);

/// The same on operands like `array`, at once where it is no more than a part.
inline void run_flat(Kernel kernel, const void* op, std::span<void* const> out, std::span<const void* const> in,
                     const Array& array) {
  const std::int64_t n = array.numel();
  if (n > elements_a_part) [[unlikely]]
    return run_parts_flat(kernel, op, out, in, n, size_of(array.dtype()));
  kernel(op, out.data(), in.data(), static_cast<std::size_t>(n));
}

/// First-order gradients of the inputs that `pass` needs, fused into one loop; each is folded straight into a gradient
/// that is already there, or into the smaller shape of an input that was broadcast. `flat`: the inputs were
/// packed, of the output's shape and dtype.
void elementwise_vjp(const ElementwiseTable& table, const void* op, bool flat, Backward& pass, Node& node);

/// The derivative of the output along the tangents of the inputs: the kernels of the gradients on tangents, summed.
void elementwise_jvp(const ElementwiseTable& table, const void* op, Forward& pass, Node& node);

/// Throws DtypeError if `number` is not whole and dtype is i64.
void require_whole(std::string_view op, double number, Dtype dtype);

/// A scalar of `dtype`. Throws DtypeError if `number` is not whole and dtype is i64.
Array scalar(std::string_view op, double number, Dtype dtype);

}  // namespace gradtape::inline v0::detail
