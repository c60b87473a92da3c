#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/parallel.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <xsimd/xsimd.hpp>

/// How the elementwise driver walks its operands: kernels only ever see packed blocks, whatever the broadcasting
/// pattern. For one source file alone, and unnamed, so that a copy compiled for another instruction set keeps its own.
namespace gradtape::inline v0::detail {
namespace {

constexpr std::int64_t block_size = 512;        // elements; all buffers of a block stay in the first-level cache
constexpr std::int64_t lane_elements = 64 / 4;  // room behind a block for the widest lane of the smallest type
constexpr std::int64_t long_row = 64;           // from here on a row is worth a kernel call of its own
constexpr std::size_t max_operands = 10;

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
  Cursor(const Space& space, std::size_t operand, std::int64_t index)
      : space_(space), strides_(space.strides[operand]) {
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
      std::fill_n(buffer_, std::min(numel, block_size) + lane_elements,
                  converts_ ? static_cast<T>(*array.data<bool>()) : *array.template data<T>());
  }

  bool is_open() const { return array_ != nullptr; }
  bool strided() const { return pattern_ == Pattern::strided; }

  const T* block(std::int64_t index, std::int64_t n) {
    if (pattern_ == Pattern::constant) return buffer_;
    if (converts_) return gather(array_->data<bool>(), index, n);
    const T* data = array_->template data<T>();
    if (pattern_ == Pattern::packed) return data + index;
    const std::int64_t row = space_->row(),
                       step = space_->strides[operand_][static_cast<std::size_t>(space_->rank) - 1];
    if (index % row + n <= row && step == 1) return data + Cursor(*space_, operand_, index).offset();
    return gather(data, index, n);
  }

 private:
  template <class From>
  const T* gather(const From* data, std::int64_t index, std::int64_t n) {
    const std::int64_t row = space_->row(),
                       step = space_->strides[operand_][static_cast<std::size_t>(space_->rank) - 1];
    Cursor cursor(*space_, operand_, index);
    if (index % row + n <= row) {
      const From* at = data + cursor.offset();
      for (std::int64_t i = 0; i < n; ++i) buffer_[i] = static_cast<T>(at[i * step]);
    } else {
      for (std::int64_t i = 0; i < n; ++i, cursor.next()) buffer_[i] = static_cast<T>(data[cursor.offset()]);
    }
    std::fill_n(buffer_ + n, lane_elements, T{0});  // like the padding of an array
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

/// How far past its end a block may be written.
enum class End {
  open,    // on: what stands there is padding, or the end is a lane's
  redone,  // what stands there is written again after it
  closed,  // not at all: another part, which may be done already, has written there
};

/// Takes the gradient of one input block by block.
template <class T>
class Writer {
 public:
  Writer() {}  // and not `= default`, which would clear the buffer
  /// Adds into `target`, which is packed, has the operand's strides in `space` and holds numbers when a block
  /// of it is added to.
  void open(const Array& target, const Space& space, std::size_t operand, bool direct, bool taken, std::int64_t numel) {
    target_ = &target, space_ = &space, operand_ = operand, direct_ = direct, taken_ = taken;
    pattern_ = pattern_of(space, operand);
    if (dtype_of<T> == f64 || direct || pattern_ == Pattern::constant || numel < many * target.numel()) return;
    wide_ = Array::make(f64, target.shape());
    fill(wide_, 0);
  }
  bool is_open() const { return target_ != nullptr; }

  /// Where the kernel is to write a block. In memory taken over from an operand, what is redone is still to be read.
  T* block(std::int64_t index, End end) {
    return direct_ && (end == End::open || (end == End::redone && !taken_)) ? target_->template data<T>() + index
                                                                            : buffer_;
  }

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
    if (wide_)
      add(wide_.data<double>(), block, index, n);
    else
      add(out, block, index, n);
  }

  void finish() {
    T* out = target_->template data<T>();
    if (!direct_ && pattern_ == Pattern::constant && target_->numel() > 0) *out += static_cast<T>(total_);
    if (wide_)
      for (std::int64_t i = 0; i < wide_.numel(); ++i)
        out[i] = static_cast<T>(static_cast<double>(out[i]) + wide_.data<double>()[i]);
  }

 private:
  static constexpr std::int64_t many = 1024;  // so many terms an element are worth adding up in double

  template <class Sum>
  void add(Sum* out, const T* block, std::int64_t index, std::int64_t n) {
    const std::int64_t row = space_->row(),
                       step = space_->strides[operand_][static_cast<std::size_t>(space_->rank) - 1];
    Cursor cursor(*space_, operand_, index);
    if (pattern_ == Pattern::packed || (index % row + n <= row && step == 1)) {
      Sum* to = out + cursor.offset();
      for (std::int64_t i = 0; i < n; ++i) to[i] += static_cast<Sum>(block[i]);
    } else if (index % row + n <= row && step == 0) {
      out[cursor.offset()] += static_cast<Sum>(sum_block(block, n));
    } else {
      for (std::int64_t i = 0; i < n; ++i, cursor.next()) out[cursor.offset()] += static_cast<Sum>(block[i]);
    }
  }

  const Array* target_ = nullptr;
  const Space* space_ = nullptr;
  std::size_t operand_ = 0;
  Pattern pattern_ = Pattern::packed;
  bool direct_ = false, taken_ = false;
  double total_ = 0;  // a single sum over everything is kept in double,
  Array wide_;        // and so are many long ones
  alignas(64) T buffer_[block_size + lane_elements];
};

template <class T>
constexpr std::int64_t lane = static_cast<std::int64_t>(64 / sizeof(T));

static_assert(elements_a_part % block_size == 0);  // so that parts end where blocks do

/// Calls `block(index, n, end)` over elements [begin, end) of `numel`.
template <class T, class F>
void for_each_block(std::int64_t begin, std::int64_t end, std::int64_t numel, const Space& space, bool by_row,
                    F block) {
  const std::int64_t row = space.row();
  by_row = by_row && row >= long_row;
  for (std::int64_t index = begin; index < end;) {
    std::int64_t n = std::min(block_size, end - index);
    if (by_row) n = std::min(n, row - index % row);
    const bool whole = n % lane<T> == 0 || index + n == numel;
    const bool reaches_on = index + divide_up(n, lane<T>) * lane<T> > end && end != numel;  // into the next part
    block(index, n, whole ? End::open : reaches_on ? End::closed : End::redone);
    index += n;
  }
}

}  // namespace
}  // namespace gradtape::inline v0::detail
