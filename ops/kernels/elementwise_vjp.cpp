#include <gradtape/ops/kernels/blocks.hpp>
#include <gradtape/ops/kernels/elementwise.hpp>
#include <gradtape/ops/kernels/folds.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

namespace gradtape::inline v0::detail {
namespace {

static_assert(2 * max_arity + 2 <= max_operands);

/// Whether the gradient so far of input i, which others see, makes way for a sum with it.
bool makes_way(std::size_t i, Backward& pass, const Node& node) {
  const Array* there = pass.beginning(static_cast<int>(i));
  if (!there || there->exclusive() || !there->packed() || there->shape() != node.shape) return false;
  return std::ranges::count(node.edges(), node.edges()[i]) == 1;
}

template <class T>
void vjp_blocks(const ElementwiseTable& table, const void* op, unsigned needs, Backward& pass, Node& node) {
  const auto arity = static_cast<std::size_t>(table.arity), values = arity + 2;
  const unsigned reads = table.vjp_reads[needs];
  // Handles on everything that is read; those that nobody else holds may become an output.
  std::array<Array, max_arity + 2> x;
  x[0] = pass.gradient().array();
  pass.gradient() = Tensor();
  for (std::size_t i = 1; i < values; ++i)
    if (reads >> i & 1) x[i] = pass.consuming() ? std::move(node.saved()[i - 1]) : node.saved()[i - 1];

  const Shape shape = node.shape;
  std::array<Strides, max_operands> strides{};
  prepare(x, shape, strides);

  std::array<Array, max_arity> out, before;  // `out` is to be a sum with it
  std::array<bool, max_arity> direct{}, fresh{};
  bool folds = false;
  const auto dying = [&]() -> Array {
    for (std::size_t i = 0; i < values; ++i)
      if (x[i].exclusive() && x[i].dtype() == node.dtype && x[i].shape() == shape)
        return x[i];  // no longer exclusive: taken once
    return {};
  };
  for (std::size_t i = 0; i < arity; ++i) {
    if (!(needs >> i & 1)) continue;
    const Shape& to = node.edges()[i]->shape;
    folds |= to != shape;
    if (const Array* partial = pass.partial(static_cast<int>(i))) {
      out[i] = *partial;
    } else if (makes_way(i, pass, node)) {
      before[i] = *pass.beginning(static_cast<int>(i));
      out[i] = Array::like(before[i]);
    } else {
      fresh[i] = true;
      direct[i] = to == shape;
      if (direct[i]) out[i] = dying();
      if (!out[i]) out[i] = Array::make(node.dtype, to);
      if (!direct[i]) fill(out[i], 0);
    }
    strides[values + i] = broadcast_strides(out[i], shape);
  }

  const Space space(shape, strides, values + arity);
  const Kernel kernel = table.vjp[needs][dtype_of<T> == f64];
  // Sums into smaller shapes are one chain, so no part of them can be another thread's.
  parallel_for(shape.numel(), folds ? shape.numel() : elements_a_part, [&](std::int64_t begin, std::int64_t end) {
    std::array<Reader<T>, max_arity + 2> readers;
    std::array<Writer<T>, max_arity> writers;
    for (std::size_t i = 0; i < values; ++i)
      if (reads >> i & 1) readers[i].open(x[i], space, i, shape.numel());
    for (std::size_t i = 0; i < arity; ++i)
      if (out[i]) writers[i].open(out[i], space, values + i, direct[i], shape.numel());
    for_each_block(begin, end, [&](std::int64_t index, std::int64_t n) {
      const void* in[max_arity + 2]{};
      void* to[max_arity]{};
      for (std::size_t i = 0; i < values; ++i)
        if (readers[i].is_open()) in[i] = readers[i].block(index, n);
      for (std::size_t i = 0; i < arity; ++i)
        if (writers[i].is_open()) to[i] = writers[i].block(index);
      kernel(op, to, in, static_cast<std::size_t>(n));
      for (std::size_t i = 0; i < arity; ++i)
        if (before[i]) std::copy_n(before[i].data<T>() + index, n, out[i].data<T>() + index);
      for (std::size_t i = 0; i < arity; ++i)
        if (writers[i].is_open()) writers[i].fold(static_cast<const T*>(to[i]), index, n);
    });
    for (std::size_t i = 0; i < arity; ++i)
      if (writers[i].is_open()) writers[i].finish();
  });
  for (std::size_t i = 0; i < arity; ++i) {
    if (!out[i]) continue;
    if (before[i]) pass.replace(static_cast<int>(i), std::move(out[i]));
    if (fresh[i]) {
      for (Array& array : x)
        if (array && same(array, out[i])) array = {};  // leave the gradient the only handle
      pass.give(static_cast<int>(i), Tensor(std::move(out[i])));
    }
  }
}

/// x += y on n elements, in full lanes.
template <class T>
void add_to(T* x, const T* y, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  for (std::int64_t k = 0; k < n; k += static_cast<std::int64_t>(Batch::size))
    (Batch::load_unaligned(x + k) + Batch::load_aligned(y + k)).store_unaligned(x + k);
}

/// One kernel over packed operands of n elements, block by block. Where there is a `sum`, the gradient is added to it,
/// else it goes `to`.
template <class T, std::size_t N>
void add_flat(Kernel kernel, const void* op, const std::array<void*, N>& sum, const std::array<void*, N>& to,
              const std::array<const void*, N + 2>& in, std::int64_t numel) {
  parallel_for(numel, elements_a_part, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) T staged[N][block_size];
    for (std::int64_t index = begin; index < end; index += block_size) {
      const std::int64_t n = std::min(block_size, end - index);
      std::array<void*, N> out{};
      std::array<const void*, N + 2> from{};
      for (std::size_t i = 0; i < N; ++i)
        if (to[i] || sum[i]) out[i] = sum[i] ? staged[i] : static_cast<T*>(to[i]) + index;
      for (std::size_t i = 0; i < N + 2; ++i)
        if (in[i]) from[i] = static_cast<const T*>(in[i]) + index;
      kernel(op, out.data(), from.data(), static_cast<std::size_t>(n));
      for (std::size_t i = 0; i < N; ++i)
        if (sum[i]) add_to(static_cast<T*>(sum[i]) + index, staged[i], n);
    }
  });
}

/// The common case, with little bookkeeping: every value packed and of one shape. A gradient that is already there is
/// added to. (g++ 12 does not unroll loops of so few steps by itself.)
template <std::size_t N>
void vjp_flat(const ElementwiseTable& table, const void* op, unsigned needs, Backward& pass, Node& node) {
  const unsigned reads = table.vjp_reads[needs];
  const Array& g = pass.gradient().array();
  Array* const saved = node.saved().data();
  std::array<const void*, N + 2> in;
  in[0] = g.data();
#pragma GCC unroll 5
  for (std::size_t i = 0; i <= N; ++i) in[i + 1] = reads >> (i + 1) & 1 ? saved[i].data() : nullptr;

  std::array<Array, N> out;
  std::array<void*, N> sum{}, to{};
  alignas(64) std::byte staged[N][64];
  const std::int64_t n = g.numel();
  const bool small = n <= 8;  // and fits there, whatever the dtype
  bool adds = false, taken = false;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < N; ++i) {
    if (!(needs >> i & 1)) continue;
    if (const Array* partial = pass.partial(static_cast<int>(i))) {
      sum[i] = partial->data();
      if (small) to[i] = staged[i];
      adds = true;
      continue;
    }
    if (!taken && g.exclusive())
      out[i] = g, taken = true;
    else if (pass.consuming() && reads >> (i + 1) & 1 && saved[i].exclusive())
      out[i] = saved[i];
    else
      out[i] = Array::like(g);
    to[i] = out[i].data();
  }

  const Kernel kernel = table.vjp[needs][node.dtype == f64];
  if (!adds || small) {
    run_flat(kernel, op, to, in, g);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < N; ++i) {
      if (!sum[i]) continue;
      if (node.dtype == f32)
        add_to(static_cast<float*>(sum[i]), reinterpret_cast<float*>(staged[i]), n);
      else
        add_to(static_cast<double*>(sum[i]), reinterpret_cast<double*>(staged[i]), n);
    }
  } else if (node.dtype == f32) {
    add_flat<float>(kernel, op, sum, to, in, n);
  } else {
    add_flat<double>(kernel, op, sum, to, in, n);
  }
  pass.gradient() = Tensor();
#pragma GCC unroll 4
  for (std::size_t i = 0; i < N; ++i)
    if (out[i]) pass.give(static_cast<int>(i), Tensor(std::move(out[i])));
}

constexpr std::array flat_by_arity{vjp_flat<1>, vjp_flat<2>, vjp_flat<3>, vjp_flat<4>};
static_assert(flat_by_arity.size() == max_arity);

/// Where the rule returns the gradient as it came (a + b), the input shares it. Returns what is still needed.
unsigned share(unsigned passes, unsigned needs, Backward& pass, Node& node) {
  int i = 0;
  for (const auto& edge : node.edges()) {
    const unsigned bit = 1u << i;
    if (needs & passes & bit && !edge->flight.array && edge->shape == node.shape) {
      needs &= ~bit;
      pass.give(i, needs ? pass.gradient() : std::move(pass.gradient()));
    }
    ++i;
  }
  return needs;
}

/// The part of the tangent `t` of input i in that of the output.
template <class T>
Array jvp_blocks(const ElementwiseTable& table, const void* op, std::size_t i, const Array& t, Node& node) {
  const std::size_t values = static_cast<std::size_t>(table.arity) + 2;
  const unsigned needs = 1u << i, reads = table.vjp_reads[needs];
  std::array<Array, max_arity + 2> x;
  for (std::size_t k = 0; k < values; ++k)
    if (reads >> k & 1) x[k] = k == 0 ? t : node.saved()[k - 1];
  std::array<Strides, max_operands> strides{};
  prepare(x, node.shape, strides);
  const Array out = Array::make(node.dtype, node.shape);
  strides[values] = out.strides();
  const Space space(node.shape, strides, values + 1);
  std::array<Reader<T>, max_arity + 2> readers;
  for (std::size_t k = 0; k < values; ++k)
    if (x[k]) readers[k].open(x[k], space, k, out.numel());
  const Kernel kernel = table.vjp[needs][dtype_of<T> == f64];
  for_each_block(0, out.numel(), [&](std::int64_t index, std::int64_t n) {
    const void* in[max_arity + 2]{};
    for (std::size_t k = 0; k < values; ++k)
      if (readers[k].is_open()) in[k] = readers[k].block(index, n);
    void* to[max_arity]{};
    to[i] = out.data<T>() + index;
    kernel(op, to, in, static_cast<std::size_t>(n));
  });
  return out;
}

}  // namespace

void elementwise_vjp(const ElementwiseTable& table, const void* op, bool flat, Backward& pass, Node& node) {
  unsigned needs = pass.needs();
  if (needs & table.passes && (needs = share(table.passes, needs, pass, node)) == 0) return;
  const Array& g = pass.gradient().array();
  const auto any_makes_way = [&] {  // which saves large arrays from being read and written once more
    for (std::size_t i = 0; i < node.edges().size(); ++i)
      if (needs >> i & 1 && makes_way(i, pass, node)) return true;
    return false;
  };
  if (flat && g.packed() && (g.numel() <= block_size || !any_makes_way())) [[likely]]
    flat_by_arity[static_cast<std::size_t>(table.arity) - 1](table, op, needs, pass, node);
  else if (node.dtype == f32)
    vjp_blocks<float>(table, op, needs, pass, node);
  else
    vjp_blocks<double>(table, op, needs, pass, node);
}

void elementwise_jvp(const ElementwiseTable& table, const void* op, Forward& pass, Node& node) {
  for (int i = 0; i < table.arity; ++i) {
    const Tensor t = pass.tangent(i);
    if (!t.defined()) continue;
    pass.give(with_floating(table.name, node.dtype, [&]<class T>(std::type_identity<T>) {
      return Tensor(jvp_blocks<T>(table, op, static_cast<std::size_t>(i), t.array(), node));
    }));
  }
}

}  // namespace gradtape::inline v0::detail
