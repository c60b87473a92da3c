#include <gradtape/core/error.hpp>
#include <gradtape/ops/kernels/elementwise.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <xsimd/xsimd.hpp>

namespace gradtape::detail {
namespace {

constexpr std::int64_t block_size = 512;           // elements; all buffers of a block stay in the first-level cache
constexpr std::int64_t lane_elements = 64 / 4;     // room behind a block for the widest lane of the smallest type
constexpr std::int64_t long_row = 64;              // from here on a row is worth a kernel call of its own
constexpr std::size_t max_operands = 2 * max_arity + 2;

/// The common iteration space of some operands: axes that can be walked as one are merged.
struct Space {
  int rank = 0;
  std::array<std::int64_t, max_rank> dims{};
  std::array<Strides, max_operands> strides{};

  /// `strides[k]`, over `shape`, for each of `n` operands.
  Space(const Shape& shape, const std::array<Strides, max_operands>& given, std::size_t n) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      const auto a = static_cast<std::size_t>(axis), last = static_cast<std::size_t>(rank) - 1;
      bool merge = rank > 0;
      for (std::size_t k = 0; merge && k < n; ++k) merge = strides[k][last] == given[k][a] * shape[axis];
      const std::size_t to = merge ? last : static_cast<std::size_t>(rank++);
      dims[to] = merge ? dims[to] * shape[axis] : shape[axis];
      for (std::size_t k = 0; k < n; ++k) strides[k][to] = given[k][a];
    }
    if (rank == 0) dims[0] = 1, rank = 1;
  }

  std::int64_t row() const { return dims[static_cast<std::size_t>(rank) - 1]; }
};

/// Walks the elements of one operand in the order of a space, from any flat index.
class Cursor {
 public:
  Cursor(const Space& space, std::size_t operand, std::int64_t index) : space_(space), strides_(space.strides[operand]) {
    for (std::size_t a = static_cast<std::size_t>(space.rank); a-- > 0;) {
      at_[a] = index % space.dims[a];
      index /= space.dims[a];
      offset_ += at_[a] * strides_[a];
    }
  }
  std::int64_t offset() const { return offset_; }
  void next() {
    for (std::size_t a = static_cast<std::size_t>(space_.rank); a-- > 0;) {
      offset_ += strides_[a];
      if (++at_[a] < space_.dims[a]) return;
      offset_ -= strides_[a] * space_.dims[a];
      at_[a] = 0;
    }
  }

 private:
  const Space& space_;
  const Strides& strides_;
  std::array<std::int64_t, max_rank> at_{};
  std::int64_t offset_ = 0;
};

enum class Pattern { packed, constant, strided };

Pattern pattern_of(const Space& space, std::size_t operand) {
  const Strides& s = space.strides[operand];
  bool constant = true, packed = true;
  std::int64_t expected = 1;
  for (std::size_t a = static_cast<std::size_t>(space.rank); a-- > 0;) {
    if (space.dims[a] == 1) continue;
    constant &= s[a] == 0;
    packed &= s[a] == expected;
    expected *= space.dims[a];
  }
  return packed ? Pattern::packed : constant ? Pattern::constant : Pattern::strided;
}

/// Gives one operand as packed blocks of T.
template <class T>
class Reader {
 public:
  Reader() {}  // and not `= default`, which would clear the buffer
  void open(const Array& array, const Space& space, std::size_t operand, std::int64_t numel) {
    array_ = &array, space_ = &space, operand_ = operand;
    pattern_ = pattern_of(space, operand);
    converts_ = array.dtype() != dtype_of<T>;
    if (pattern_ == Pattern::constant && numel > 0)
      std::fill_n(buffer_, std::min(numel, block_size) + lane_elements, converts_ ? static_cast<T>(*array.data<bool>()) : *array.template data<T>());
  }

  bool is_open() const { return array_ != nullptr; }
  bool strided() const { return pattern_ == Pattern::strided; }

  const T* block(std::int64_t index, std::int64_t n) {
    if (pattern_ == Pattern::constant) return buffer_;
    if (converts_) return gather(array_->data<bool>(), index, n);
    const T* data = array_->template data<T>();
    if (pattern_ == Pattern::packed) return data + index;
    const std::int64_t row = space_->row(), step = space_->strides[operand_][static_cast<std::size_t>(space_->rank) - 1];
    if (index % row + n <= row && step == 1) return data + Cursor(*space_, operand_, index).offset();
    return gather(data, index, n);
  }

 private:
  template <class From>
  const T* gather(const From* data, std::int64_t index, std::int64_t n) {
    const std::int64_t row = space_->row(), step = space_->strides[operand_][static_cast<std::size_t>(space_->rank) - 1];
    Cursor cursor(*space_, operand_, index);
    if (index % row + n <= row) {
      const From* at = data + cursor.offset();
      for (std::int64_t i = 0; i < n; ++i) buffer_[i] = static_cast<T>(at[i * step]);
    } else {
      for (std::int64_t i = 0; i < n; ++i, cursor.next()) buffer_[i] = static_cast<T>(data[cursor.offset()]);
    }
    return buffer_;
  }

  const Array* array_ = nullptr;
  const Space* space_ = nullptr;
  std::size_t operand_ = 0;
  Pattern pattern_ = Pattern::packed;
  bool converts_ = false;
  alignas(64) T buffer_[block_size + lane_elements];
};

/// Sum of `n` packed elements, in an order that depends on `n` alone.
template <class T>
double sum_block(const T* x, std::int64_t n) {
  using Batch = xsimd::batch<T>;
  constexpr auto size = static_cast<std::int64_t>(Batch::size);
  Batch a(T{0}), b(T{0});
  std::int64_t i = 0;
  for (; i + 2 * size <= n; i += 2 * size) a += Batch::load_unaligned(x + i), b += Batch::load_unaligned(x + i + size);
  double rest = 0;
  for (; i < n; ++i) rest += static_cast<double>(x[i]);
  return static_cast<double>(xsimd::hadd(a + b)) + rest;
}

/// Takes the gradient of one input block by block.
template <class T>
class Writer {
 public:
  Writer() {}  // and not `= default`, which would clear the buffer
  /// Adds into `target`, which is packed, has the operand's strides in `space` and holds numbers already.
  void open(const Array& target, const Space& space, std::size_t operand, bool direct) {
    target_ = &target, space_ = &space, operand_ = operand, direct_ = direct;
    pattern_ = pattern_of(space, operand);
  }
  bool is_open() const { return target_ != nullptr; }

  /// Where the kernel is to write a block. `whole` blocks may be written to in full lanes.
  T* block(std::int64_t index, bool whole) { return direct_ && whole ? target_->template data<T>() + index : buffer_; }

  /// Folds what the kernel has written.
  void fold(const T* block, std::int64_t index, std::int64_t n) {
    T* out = target_->template data<T>();
    if (direct_) {
      if (block == buffer_) std::memcpy(out + index, block, static_cast<std::size_t>(n) * sizeof(T));
      return;
    }
    if (pattern_ == Pattern::constant) {
      total_ += sum_block(block, n);
      return;
    }
    const std::int64_t row = space_->row(), step = space_->strides[operand_][static_cast<std::size_t>(space_->rank) - 1];
    Cursor cursor(*space_, operand_, index);
    if (pattern_ == Pattern::packed || (index % row + n <= row && step == 1)) {
      T* to = out + cursor.offset();
      for (std::int64_t i = 0; i < n; ++i) to[i] += block[i];
    } else if (index % row + n <= row && step == 0) {
      out[cursor.offset()] += static_cast<T>(sum_block(block, n));
    } else {
      for (std::int64_t i = 0; i < n; ++i, cursor.next()) out[cursor.offset()] += block[i];
    }
  }

  void finish() {
    if (!direct_ && pattern_ == Pattern::constant && target_->numel() > 0) *target_->template data<T>() += static_cast<T>(total_);
  }

 private:
  const Array* target_ = nullptr;
  const Space* space_ = nullptr;
  std::size_t operand_ = 0;
  Pattern pattern_ = Pattern::packed;
  bool direct_ = false;
  double total_ = 0;  // a single sum over everything is kept in double
  alignas(64) T buffer_[block_size + lane_elements];
};

template <class T>
constexpr std::int64_t lane = static_cast<std::int64_t>(64 / sizeof(T));

/// Calls `block(index, n, whole)` over `numel` elements. A block that is not `whole` ends inside an array off a lane boundary.
template <class T, class F>
void for_each_block(std::int64_t numel, const Space& space, bool by_row, F block) {
  const std::int64_t row = space.row();
  by_row = by_row && row >= long_row;
  for (std::int64_t index = 0; index < numel;) {
    std::int64_t n = std::min(block_size, numel - index);
    if (by_row) n = std::min(n, row - index % row);
    block(index, n, n % lane<T> == 0 || index + n == numel);
    index += n;
  }
}

template <class T>
void value_blocks(const ElementwiseTable& table, const void* op, Kernel kernel, std::span<const Array* const> x, const Array& out) {
  std::array<Strides, max_operands> strides{};
  const std::size_t n_in = x.size();
  strides[n_in] = out.strides();
  for (std::size_t i = 0; i < n_in; ++i) strides[i] = broadcast_strides(*x[i], out.shape());
  const Space space(out.shape(), strides, n_in + 1);
  std::array<Reader<T>, max_arity> readers;
  bool by_row = false;
  for (std::size_t i = 0; i < n_in; ++i) {
    readers[i].open(*x[i], space, i, out.numel());
    by_row |= readers[i].strided();
  }
  alignas(64) T staged[block_size + lane_elements];
  for_each_block<T>(out.numel(), space, by_row, [&](std::int64_t index, std::int64_t n, bool whole) {
    const void* in[max_arity];
    for (std::size_t i = 0; i < n_in; ++i) in[i] = readers[i].block(index, n);
    void* to = whole && !table.comparison ? out.data<T>() + index : staged;
    kernel(op, &to, in, static_cast<std::size_t>(n));
    if (to != staged) return;
    if (table.comparison)
      for (std::int64_t i = 0; i < n; ++i) out.data<bool>()[index + i] = staged[i] != 0;
    else
      std::memcpy(out.data<T>() + index, staged, static_cast<std::size_t>(n) * sizeof(T));
  });
}

/// The dtype an op computes in. Throws DtypeError.
Dtype compute_dtype(const ElementwiseTable& table, std::span<const Array* const> x) {
  std::optional<Dtype> dtype;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Dtype d = x[i]->dtype();
    if (table.conditions >> i & 1) {
      if (d != boolean) throw DtypeError(fmt::format("{}: input {} must be boolean, not {}; compare it with something first", table.name, i, to_string(d)));
    } else if (dtype && *dtype != d) {
      throw DtypeError(fmt::format("{}: dtypes {} and {} do not mix; convert one with .to(gradtape::{})", table.name, to_string(*dtype), to_string(d), to_string(*dtype)));
    } else {
      dtype = d;
    }
  }
  if (*dtype == boolean && table.comparison && table.value[2]) return i64;
  if (*dtype == boolean || !table.value[static_cast<std::size_t>(*dtype)])
    throw DtypeError(fmt::format("{}: no meaning for {}; convert with .to(gradtape::f32)", table.name, to_string(*dtype)));
  return *dtype;
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
  for (std::size_t i = 0; i < values; ++i)
    if (x[i]) strides[i] = broadcast_strides(x[i], shape);

  std::array<Array, max_arity> out;
  std::array<bool, max_arity> direct{}, fresh{};
  const auto dying = [&]() -> Array {
    for (std::size_t i = 0; i < values; ++i)
      if (x[i].exclusive() && x[i].dtype() == node.dtype && x[i].shape() == shape) return x[i];  // no longer exclusive: taken once
    return {};
  };
  for (std::size_t i = 0; i < arity; ++i) {
    if (!(needs >> i & 1)) continue;
    const Shape& to = node.edges()[i]->shape;
    out[i] = pass.partial(static_cast<int>(i));
    if (!out[i]) {
      fresh[i] = true;
      direct[i] = to == shape;
      if (direct[i]) out[i] = dying();
      if (!out[i]) out[i] = Array::make(node.dtype, to);
      if (!direct[i]) fill(out[i], 0);
    }
    strides[values + i] = broadcast_strides(out[i], shape);
  }

  const Space space(shape, strides, values + arity);
  std::array<Reader<T>, max_arity + 2> readers;
  std::array<Writer<T>, max_arity> writers;
  bool by_row = false;
  for (std::size_t i = 0; i < values; ++i)
    if (reads >> i & 1) {
      readers[i].open(x[i], space, i, shape.numel());
      by_row |= readers[i].strided();
    }
  for (std::size_t i = 0; i < arity; ++i)
    if (out[i]) {
      by_row |= !direct[i] && pattern_of(space, values + i) == Pattern::strided;
      writers[i].open(out[i], space, values + i, direct[i]);
    }

  const Kernel kernel = table.vjp[needs][dtype_of<T> == f64];
  for_each_block<T>(shape.numel(), space, by_row, [&](std::int64_t index, std::int64_t n, bool whole) {
    const void* in[max_arity + 2]{};
    void* to[max_arity]{};
    for (std::size_t i = 0; i < values; ++i)
      if (readers[i].is_open()) in[i] = readers[i].block(index, n);
    for (std::size_t i = 0; i < arity; ++i)
      if (writers[i].is_open()) to[i] = writers[i].block(index, whole);
    kernel(op, to, in, static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < arity; ++i)
      if (writers[i].is_open()) writers[i].fold(static_cast<const T*>(to[i]), index, n);
  });
  for (std::size_t i = 0; i < arity; ++i) {
    if (!out[i]) continue;
    writers[i].finish();
    if (fresh[i]) {
      for (Array& array : x)
        if (array && same(array, out[i])) array = {};  // leave the gradient the only handle
      pass.give(static_cast<int>(i), Tensor(std::move(out[i])));
    }
  }
}

/// The common case, with little bookkeeping: every value packed and of one shape. A gradient that is already there is added
/// to block by block.
void vjp_flat(const ElementwiseTable& table, const void* op, unsigned needs, Backward& pass, Node& node) {
  const auto arity = static_cast<std::size_t>(table.arity);
  const unsigned reads = table.vjp_reads[needs];
  const Array& g = pass.gradient().array();
  const std::span<Array> saved = node.saved();
  std::array<const std::byte*, max_arity + 2> in;
  in[0] = g.data();
  for (std::size_t i = 0; i <= arity; ++i) in[i + 1] = reads >> (i + 1) & 1 ? saved[i].data() : nullptr;

  std::array<Array, max_arity> out;
  std::array<std::byte*, max_arity> sum;
  std::array<void*, max_arity> to;
  bool adds = false, taken = false;
  for (std::size_t i = 0; i < arity; ++i) {
    sum[i] = nullptr, to[i] = nullptr;
    if (!(needs >> i & 1)) continue;
    if (const Array& partial = pass.partial(static_cast<int>(i))) {
      sum[i] = partial.data();
      adds = true;
      continue;
    }
    if (!taken && g.exclusive())
      out[i] = g, taken = true;
    else if (pass.consuming() && reads >> (i + 1) & 1 && saved[i].exclusive())
      out[i] = saved[i];
    else
      out[i] = Array::make(node.dtype, node.shape);
    to[i] = out[i].data();
  }

  const Kernel kernel = table.vjp[needs][node.dtype == f64];
  const std::int64_t numel = g.numel();
  if (!adds) {
    kernel(op, to.data(), reinterpret_cast<const void* const*>(in.data()), static_cast<std::size_t>(numel));
  } else {
    with_type(node.dtype, [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_floating_point_v<T>) {
        alignas(64) T staged[max_arity][block_size + lane_elements];
        for (std::size_t i = 0; i < arity; ++i)
          if (sum[i]) to[i] = staged[i];
        for (std::int64_t index = 0; index < numel; index += block_size) {
          const std::int64_t n = std::min(block_size, numel - index);
          kernel(op, to.data(), reinterpret_cast<const void* const*>(in.data()), static_cast<std::size_t>(n));
          for (std::size_t i = 0; i < arity; ++i) {
            if (sum[i])
              for (std::int64_t k = 0; k < n; ++k) reinterpret_cast<T*>(sum[i])[index + k] += staged[i][k];
            else if (to[i])
              to[i] = static_cast<T*>(to[i]) + block_size;
          }
          for (auto& from : in)
            if (from) from += block_size * static_cast<std::int64_t>(sizeof(T));
        }
      }
    });
  }
  pass.gradient() = Tensor();
  if (pass.consuming()) node.release();
  for (std::size_t i = 0; i < arity; ++i)
    if (out[i]) pass.give(static_cast<int>(i), Tensor(std::move(out[i])));
}

}  // namespace

Array elementwise_value(const ElementwiseTable& table, const void* op, std::span<const Array* const> x, bool& flat) {
  const Array& first = *x[0];
  const Dtype d = first.dtype();
  flat = first.packed() && is_floating(d) && !table.comparison;
  for (std::size_t i = 1; flat && i < x.size(); ++i) flat = x[i]->packed() && x[i]->dtype() == d && x[i]->shape() == first.shape();
  if (flat) {
    Array out = Array::make(d, first.shape());
    const void* in[max_arity];
    for (std::size_t i = 0; i < x.size(); ++i) in[i] = x[i]->data();
    void* to = out.data();
    table.value[static_cast<std::size_t>(d)](op, &to, in, static_cast<std::size_t>(out.numel()));
    return out;
  }
  const Dtype dtype = compute_dtype(table, x);
  Shape shape = first.shape();
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

void elementwise_vjp(const ElementwiseTable& table, const void* op, bool flat, Backward& pass, Node& node) {
  unsigned needs = pass.needs();
  // Where the rule returns the gradient as it came (a + b), the input shares it.
  for (int i = 0; i < table.arity; ++i) {
    const Node* input = node.edges()[static_cast<std::size_t>(i)].get();
    if (!(needs & table.passes & 1u << i) || input->flight.array || input->shape != node.shape) continue;
    needs &= ~(1u << i);
    pass.give(i, needs ? pass.gradient() : std::move(pass.gradient()));
  }
  if (needs == 0) return;
  if (flat && pass.gradient().array().packed())
    vjp_flat(table, op, needs, pass, node);
  else if (node.dtype == f32)
    vjp_blocks<float>(table, op, needs, pass, node);
  else
    vjp_blocks<double>(table, op, needs, pass, node);
}

Array scalar(std::string_view op, double number, Dtype dtype) {
  if (!is_floating(dtype) && number != std::trunc(number))
    throw DtypeError(fmt::format("{}: the number {} is not whole, and the tensor is {}; convert it with .to(gradtape::f32)", op, number, to_string(dtype)));
  Array out = Array::make(dtype, {});
  fill(out, number);
  return out;
}

}  // namespace gradtape::detail
