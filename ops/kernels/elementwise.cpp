#include <gradtape/core/error.hpp>
#include <gradtape/ops/kernels/blocks.hpp>
#include <gradtape/ops/kernels/elementwise.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

template <class T>
void value_blocks(const ElementwiseTable& table, const void* op, Kernel kernel, std::span<const Array* const> x,
                  const Array& out) {
  const std::size_t n_in = x.size();
  std::array<Array, max_arity> ready;
  for (std::size_t i = 0; i < n_in; ++i) ready[i] = *x[i];
  std::array<Strides, max_operands> strides{};
  prepare(ready, out.shape(), strides);
  strides[n_in] = out.strides();
  const Space space(out.shape(), strides, n_in + 1);
  parallel_for(out.numel(), elements_a_part, [&](std::int64_t begin, std::int64_t end) {
    std::array<Reader<T>, max_arity> readers;
    for (std::size_t i = 0; i < n_in; ++i) readers[i].open(ready[i], space, i, out.numel());
    alignas(64) T staged[block_size + lane_elements];
    for_each_block(begin, end, [&](std::int64_t index, std::int64_t n) {
      const void* in[max_arity];
      for (std::size_t i = 0; i < n_in; ++i) in[i] = readers[i].block(index, n);
      void* to = table.comparison ? staged : out.data<T>() + index;
      kernel(op, &to, in, static_cast<std::size_t>(n));
      if (table.comparison)
        for (std::int64_t i = 0; i < n; ++i) out.data<bool>()[index + i] = staged[i] != 0;
    });
  });
}

/// The dtype an op computes in. Throws DtypeError.
Dtype compute_dtype(const ElementwiseTable& table, std::span<const Array* const> x) {
  std::optional<Dtype> dtype;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Dtype d = x[i]->dtype();
    if (table.conditions >> i & 1) {
      if (d != boolean)
        throw DtypeError(fmt::format("{}: input {} must be boolean, not {}; compare it with something first",
                                     table.name, i, to_string(d)));
    } else if (dtype && *dtype != d) {
      throw DtypeError(fmt::format("{}: dtypes {} and {} do not mix; convert one with .to(gradtape::{})", table.name,
                                   to_string(*dtype), to_string(d), to_string(*dtype)));
    } else {
      dtype = d;
    }
  }
  if (!dtype) return f32;  // conditions alone, read as 0 and 1
  if (*dtype == boolean && table.comparison && table.value[2]) return i64;
  if (*dtype == boolean || !table.value[static_cast<std::size_t>(*dtype)])
    throw DtypeError(
        fmt::format("{}: no meaning for {}; convert with .to(gradtape::f32)", table.name, to_string(*dtype)));
  return *dtype;
}

/// Room for a number many times over. (And not cleared.)
template <class T>
class Spread {
 public:
  Spread() {}
  const T* operator()(const Array& number, std::int64_t n) {
    using Batch = xsimd::batch<T>;
    const Batch all(*number.data<T>());
    for (std::int64_t i = 0; i < n; i += static_cast<std::int64_t>(Batch::size)) all.store_aligned(room_ + i);
    return room_;
  }

 private:
  alignas(64) T room_[block_size];
};

/// The value where some operands are single numbers and the others small and alike, as in `2 * x`; empty where they are
/// not.
template <class T>
Array value_with_numbers(const ElementwiseTable& table, const void* op, std::span<const Array* const> x) {
  const Array* whole = nullptr;
  for (const Array* a : x) {
    if (!a->packed() || a->dtype() != dtype_of<T>) return {};
    if (a->numel() == 1) continue;
    if (a->numel() > block_size || (whole && whole->shape() != a->shape())) return {};
    whole = a;
  }
  if (!whole) return {};
  for (const Array* a : x)
    if (a->rank() > whole->rank()) return {};
  const Array out = Array::like(*whole);
  Spread<T> spread[max_arity];
  const void* in[max_arity];
  for (std::size_t i = 0; i < x.size(); ++i)
    in[i] = x[i] == whole || x[i]->numel() != 1 ? x[i]->data<T>() : spread[i](*x[i], out.numel());
  void* const to = out.data();
  table.value[static_cast<std::size_t>(dtype_of<T>)](op, &to, in, static_cast<std::size_t>(out.numel()));
  return out;
}

}  // namespace

Array elementwise_value(const ElementwiseTable& table, const void* op, std::span<const Array* const> x) {
  if (!table.comparison && table.conditions == 0 && is_floating(x[0]->dtype()))
    if (Array out =
            x[0]->dtype() == f32 ? value_with_numbers<float>(table, op, x) : value_with_numbers<double>(table, op, x))
      return out;
  const Dtype dtype = compute_dtype(table, x);
  Shape shape = x[0]->shape();
  for (std::size_t i = 1; i < x.size(); ++i) shape = broadcast(table.name, shape, x[i]->shape());
  Array out = Array::make(table.comparison ? boolean : dtype, shape);
  const Kernel kernel = table.value[static_cast<std::size_t>(dtype)];
  if (dtype == f32)
    value_blocks<float>(table, op, kernel, x, out);
  else if (dtype == f64)
    value_blocks<double>(table, op, kernel, x, out);
  else
    value_blocks<std::int64_t>(table, op, kernel, x, out);
  return out;
}

void run_parts_flat(Kernel kernel, const void* op, std::span<void* const> out, std::span<const void* const> in,
                    std::int64_t n, std::size_t size) {
  parallel_for(n, elements_a_part, [&](std::int64_t begin, std::int64_t end) {
    const std::size_t skipped = static_cast<std::size_t>(begin) * size;
    std::array<void*, max_arity> to{};
    std::array<const void*, max_arity + 2> from{};
    for (std::size_t i = 0; i < out.size(); ++i)
      if (out[i]) to[i] = static_cast<std::byte*>(out[i]) + skipped;
    for (std::size_t i = 0; i < in.size(); ++i)
      if (in[i]) from[i] = static_cast<const std::byte*>(in[i]) + skipped;
    kernel(op, to.data(), from.data(), static_cast<std::size_t>(end - begin));
  });
}

void require_whole(std::string_view op, double number, Dtype dtype) {
  if (!is_floating(dtype) && number != std::trunc(number))
    throw DtypeError(
        fmt::format("{}: the number {} is not whole, and the tensor is {}; convert it with .to(gradtape::f32)", op,
                    number, to_string(dtype)));
}

Array scalar(std::string_view op, double number, Dtype dtype) {
  require_whole(op, number, dtype);
  Array out = Array::make(dtype, {});
  fill(out, number);
  return out;
}

}  // namespace gradtape::inline v0::detail
