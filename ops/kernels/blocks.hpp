#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/parallel.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include <xsimd/xsimd.hpp>

/// How the elementwise driver walks its operands: kernels only ever see packed blocks, whatever the broadcasting
/// pattern. For one source file alone, and unnamed, so that a copy compiled for another instruction set keeps its own.
namespace gradtape::inline v0::detail {
namespace {

constexpr std::int64_t block_size = 512;        // elements; all buffers of a block stay in the first-level cache
constexpr std::int64_t lane_elements = 64 / 4;  // room behind a block for the widest lane of the smallest type
constexpr std::int64_t most_repeated = 1024;    // elements of a row that is kept at hand as often as a block reaches
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
  std::int64_t step(std::size_t operand) const { return strides[operand][static_cast<std::size_t>(rank) - 1]; }

  /// Where element `index` stands in an operand.
  std::int64_t offset(std::size_t operand, std::int64_t index) const {
    std::int64_t at = 0;
    for (std::size_t a = static_cast<std::size_t>(rank); a-- > 0; index /= dims[a])
      at += index % dims[a] * strides[operand][a];
    return at;
  }

  /// Over so many elements an operand repeats a row of consecutive ones; 0 where that is not worth preparing for.
  std::int64_t stretch(std::size_t operand) const {
    if (rank < 2 || row() > most_repeated || step(operand) != 1) return 0;
    const auto next = static_cast<std::size_t>(rank) - 2;
    const std::int64_t length = row() * dims[next];
    return strides[operand][next] == 0 && length >= 2 * block_size ? length : 0;
  }
};

/// Calls `f(offset, at, n)` for what elements [index, index + count) have of each row: n of them, the first of which is
/// element `index + at` of the space and stands at `offset` in the operand.
template <class F>
void for_each_run(const Space& space, std::size_t operand, std::int64_t index, std::int64_t count, F f) {
  const Strides& strides = space.strides[operand];
  const auto last = static_cast<std::size_t>(space.rank) - 1;
  const std::int64_t row = space.row();
  std::array<std::int64_t, max_rank> place{};  // of the row, along the axes before the last
  std::int64_t start = 0, in_row = index % row, done = 0;
  index /= row;
  for (std::size_t a = last; a-- > 0; index /= space.dims[a]) {
    place[a] = index % space.dims[a];
    start += place[a] * strides[a];
  }
  for (;;) {
    std::int64_t rows = 1, step = 0, offset = start + in_row * strides[last];
    if (last > 0) rows = space.dims[last - 1] - place[last - 1], step = strides[last - 1];
    for (; rows > 0; --rows) {  // along the axis before the last
      const std::int64_t n = std::min(count - done, row - in_row);
      f(offset, done, n);
      done += n;
      if (done == count) return;
      offset += step - in_row * strides[last];
      in_row = 0;
    }
    start -= place[last - 1] * strides[last - 1];
    place[last - 1] = 0;
    for (std::size_t a = last - 1; a-- > 0;) {
      start += strides[a];
      if (++place[a] < space.dims[a]) break;
      start -= strides[a] * space.dims[a];
      place[a] = 0;
    }
  }
}

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
    const bool converts = array.dtype() != dtype_of<T>;
    const Pattern pattern = pattern_of(space, operand);
    if (pattern == Pattern::constant && numel > 0) {
      std::fill_n(buffer_, std::min(numel, block_size) + lane_elements,
                  converts ? static_cast<T>(*array.data<bool>()) : *array.template data<T>());
      at_hand_ = buffer_, step_ = 0;
    } else if (pattern == Pattern::packed && !converts) {
      at_hand_ = array.template data<T>(), step_ = 1;
    } else if (!converts && (stretch_ = space.stretch(operand)) > 0) {
      begin_ = -stretch_;
      rows_ = Array::make(dtype_of<T>, {space.row() + block_size + lane_elements});
    }
  }

  bool is_open() const { return array_ != nullptr; }

  /// Elements [index, index + n), which follow those of the call before.
  const T* block(std::int64_t index, std::int64_t n) {
    return at_hand_ ? at_hand_ + index * step_ : block_of_rows(index, n);
  }

 private:
  [[gnu::noinline]] const T* block_of_rows(std::int64_t index, std::int64_t n) {
    if (array_->dtype() != dtype_of<T>) return gather(array_->data<bool>(), index, n);
    const T* data = array_->template data<T>();
    const std::int64_t row = space_->row();
    if (stretch_ > 0) {
      if (index - begin_ >= stretch_) repeat(data, index / stretch_ * stretch_);
      if (index - begin_ + n <= stretch_) return rows_.template data<T>() + (index - begin_) % row;
    }
    if (space_->step(operand_) == 1 && index % row + n <= row) return data + space_->offset(operand_, index);
    return gather(data, index, n);
  }

  /// Puts the row of the stretch from `begin` one behind the other as often as a block can reach.
  void repeat(const T* data, std::int64_t begin) {
    T* rows = rows_.template data<T>();
    begin_ = begin;
    std::copy_n(data + space_->offset(operand_, begin), space_->row(), rows);
    for (std::int64_t done = space_->row(), all = rows_.numel(); done < all; done *= 2)
      std::copy_n(rows, std::min(done, all - done), rows + done);
  }

  template <class From>
  const T* gather(const From* data, std::int64_t index, std::int64_t n) {
    const std::int64_t step = space_->step(operand_);
    const auto each_run = [&](auto write) {
      for_each_run(*space_, operand_, index, n, [&](std::int64_t offset, std::int64_t at, std::int64_t run) {
        write(buffer_ + at, data + offset, run);
      });
    };
    if (std::is_same_v<From, T> && step == 1)
      each_run([](T* to, const From* from, std::int64_t run) {
        write_run(to, run, [from]<class B>(std::type_identity<B>, std::int64_t i) {
          return B::load_unaligned(reinterpret_cast<const T*>(from) + i);
        });
      });
    else if (step == 0)
      each_run([](T* to, const From* from, std::int64_t run) {
        write_run(to, run,
                  [number = static_cast<T>(*from)]<class B>(std::type_identity<B>, std::int64_t) { return B(number); });
      });
    else
      each_run([step](T* to, const From* from, std::int64_t run) {
        for (std::int64_t i = 0; i < run; ++i) to[i] = static_cast<T>(from[i * step]);
      });
    std::fill_n(buffer_ + n, lane_elements, T{0});  // like the padding of an array
    return buffer_;
  }

  /// In registers: what they hold beyond a run the next one writes over.
  template <class F>
  static void write_run(T* to, std::int64_t n, F element) {
    using Short = xsimd::make_sized_batch_t<T, 16 / sizeof(T)>;
    using Long = xsimd::batch<T>;
    if (n <= static_cast<std::int64_t>(Short::size))
      element(std::type_identity<Short>{}, 0).store_unaligned(to);
    else
      for (std::int64_t i = 0; i < n; i += static_cast<std::int64_t>(Long::size))
        element(std::type_identity<Long>{}, i).store_unaligned(to + i);
  }

  const Array* array_ = nullptr;
  const Space* space_ = nullptr;
  std::size_t operand_ = 0;
  const T* at_hand_ = nullptr;  // where element `index` is `step_ * index` from here
  std::int64_t step_ = 0;
  std::int64_t stretch_ = 0;  // elements over which a row is repeated, or 0
  std::int64_t begin_ = 0;    // of the stretch whose row stands in `rows_`
  Array rows_;
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
  /// Adds into `target`, which is packed, has the operand's strides in `space` and holds numbers when a block
  /// of it is added to.
  void open(const Array& target, const Space& space, std::size_t operand, bool direct, std::int64_t numel) {
    target_ = &target, space_ = &space, operand_ = operand, direct_ = direct;
    pattern_ = pattern_of(space, operand);
    if (direct || pattern_ == Pattern::constant) return;
    repeats_ = numel > 0 && space.stretch(operand) == numel;
    if (repeats_)
      wide_ = Array::make(f64, {space.row() + block_size});
    else if (dtype_of<T> == f32 && numel >= many * target.numel())
      wide_ = Array::make(f64, target.shape());
    if (wide_) fill(wide_, 0);
  }
  bool is_open() const { return target_ != nullptr; }

  /// Where the kernel is to write a block.
  T* block(std::int64_t index) { return direct_ ? target_->template data<T>() + index : buffer_; }

  /// Folds what the kernel has written.
  void fold(const T* block, std::int64_t index, std::int64_t n) {
    T* out = target_->template data<T>();
    if (direct_) return;
    if (pattern_ == Pattern::constant) {
      total_ += sum_block(block, n);
      return;
    }
    if (repeats_)
      add_run(wide_.data<double>() + index % space_->row(), block, n);
    else if (wide_)
      add(wide_.data<double>(), block, index, n);
    else
      add(out, block, index, n);
  }

  void finish() {
    T* out = target_->template data<T>();
    if (!direct_ && pattern_ == Pattern::constant && target_->numel() > 0) *out += static_cast<T>(total_);
    if (!wide_) return;
    double* sums = wide_.data<double>();
    const std::int64_t size = target_->numel();
    for (std::int64_t i = size; i < wide_.numel(); ++i) sums[i % size] += sums[i];
    for (std::int64_t i = 0; i < size; ++i) out[i] = static_cast<T>(static_cast<double>(out[i]) + sums[i]);
  }

 private:
  static constexpr std::int64_t many = 1024;  // so many terms an element are worth adding up in double

  template <class Sum>
  static void add_run(Sum* out, const T* from, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += static_cast<Sum>(from[i]);
  }

  template <class Sum>
  void add(Sum* out, const T* block, std::int64_t index, std::int64_t n) {
    const std::int64_t step = space_->step(operand_);
    for_each_run(*space_, operand_, index, n, [&](std::int64_t offset, std::int64_t at, std::int64_t run) {
      const T* from = block + at;
      Sum* to = out + offset;
      if (step == 1)
        add_run(to, from, run);
      else if (step == 0)
        *to += static_cast<Sum>(sum_block(from, run));
      else
        for (std::int64_t i = 0; i < run; ++i) to[i * step] += static_cast<Sum>(from[i]);
    });
  }

  const Array* target_ = nullptr;
  const Space* space_ = nullptr;
  std::size_t operand_ = 0;
  Pattern pattern_ = Pattern::packed;
  bool direct_ = false;
  bool repeats_ =
      false;          // the target is a row: a block is added to as many of it as it reaches, one sum for each place
  double total_ = 0;  // a single sum over everything is kept in double,
  Array wide_;        // and so are many long ones
  alignas(64) T buffer_[block_size + lane_elements];
};

static_assert(elements_a_part % block_size == 0);  // so that parts end where blocks do

/// Calls `block(index, n)` over elements [begin, end), a part. Whole blocks are whole lanes, wherever rows end, so only
/// the last of all may be written past its end, where there is padding.
template <class F>
void for_each_block(std::int64_t begin, std::int64_t end, F block) {
  for (std::int64_t index = begin; index < end; index += block_size) block(index, std::min(block_size, end - index));
}

}  // namespace
}  // namespace gradtape::inline v0::detail
