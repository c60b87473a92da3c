#pragma once

#include <gradtape/core/array.hpp>
#include <gradtape/core/parallel.hpp>
#include <gradtape/core/strided.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <xsimd/xsimd.hpp>

/// How the elementwise driver walks its operands: kernels only ever see packed blocks, whatever the broadcasting
/// pattern. Unnamed, so that every copy of a source file, for another instruction set, keeps its own.
namespace gradtape::inline v0::detail {
namespace {

constexpr std::int64_t block_size = 512;        // elements; all buffers of a block stay in the first-level cache
constexpr std::int64_t lane_elements = 64 / 4;  // room behind a block for the widest lane of the smallest type
constexpr std::int64_t most_repeated = 1024;    // elements of a row that is kept at hand as often as a block reaches
constexpr std::size_t max_operands = 10;

/// The common iteration space of some operands: axes that can be walked as one are merged.
struct Space {
  Shape shape;
  std::array<Strides, max_operands> strides{};

  /// `given[k]`, over `all`, for each of `n` operands.
  Space(const Shape& all, const std::array<Strides, max_operands>& given, std::size_t n) {
    for (std::size_t a = 0; a < static_cast<std::size_t>(all.rank()); ++a) {
      const std::int64_t dim = all.begin()[a];
      if (dim == 1) continue;
      const auto last = static_cast<std::size_t>(shape.rank()) - 1;
      bool merge = shape.rank() > 0;
      for (std::size_t k = 0; merge && k < n; ++k) merge = strides[k][last] == given[k][a] * dim;
      if (merge)
        shape.set(-1, shape[-1] * dim);
      else
        shape.push_back(dim);
      for (std::size_t k = 0; k < n; ++k) strides[k][merge ? last : last + 1] = given[k][a];
    }
    if (shape.rank() == 0) shape.push_back(1);
  }

  std::int64_t row() const { return shape[-1]; }
  std::int64_t step(std::size_t operand) const { return strides[operand][static_cast<std::size_t>(shape.rank()) - 1]; }

  /// Where element `index` stands in an operand.
  std::int64_t offset(std::size_t operand, std::int64_t index) const {
    std::int64_t at = 0;
    for (int axis = shape.rank() - 1; axis >= 0; index /= shape[axis--])
      at += index % shape[axis] * strides[operand][static_cast<std::size_t>(axis)];
    return at;
  }

  /// Over so many elements an operand repeats a row of consecutive ones; 0 where that is not worth preparing for.
  std::int64_t stretch(std::size_t operand) const {
    if (shape.rank() < 2 || row() > most_repeated || step(operand) != 1) return 0;
    const std::int64_t length = row() * shape[-2];
    const bool repeats = strides[operand][static_cast<std::size_t>(shape.rank()) - 2] == 0;
    return repeats && length >= 2 * block_size ? length : 0;
  }
};

/// Calls `f(offset, at, n)` for what elements [index, index + count) have of each row: n of them, the first of which is
/// element `index + at` of the space and stands at `offset` in the operand.
template <class F>
void for_each_run(const Space& space, std::size_t operand, std::int64_t index, std::int64_t count, F f) {
  std::int64_t done = 0;
  for_each_row<1>(space.shape, {space.strides[operand]}, index, count, [&](std::int64_t n, const auto& offset) {
    f(offset[0], done, n);
    done += n;
  });
}

/// A packed copy of a transpose, which is made tile by tile, or else its elements would be read one by one from far
/// apart.
Array gathered(const Array& x) {
  constexpr std::int64_t worth_a_copy = 1 << 12;
  if (x.numel() < worth_a_copy || transposed_axis(x) < 0) return x;
  bool stretched = false;
  for (int axis = 0; axis < x.rank(); ++axis)
    stretched |= x.shape()[axis] > 1 && x.strides()[static_cast<std::size_t>(axis)] == 0;
  return stretched ? x : packed_copy(x);
}

/// Makes ready to be read in blocks what there is of `x`, and gives its strides over `shape`.
void prepare(std::span<Array> x, const Shape& shape, std::array<Strides, max_operands>& strides) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i]) strides[i] = broadcast_strides(x[i] = gathered(x[i]), shape);
}

enum class Pattern { packed, constant, strided };

Pattern pattern_of(const Space& space, std::size_t operand) {
  const Strides& s = space.strides[operand];
  bool constant = true, packed = true;
  std::int64_t expected = 1;
  for (int axis = space.shape.rank() - 1; axis >= 0; expected *= space.shape[axis--]) {
    if (space.shape[axis] == 1) continue;
    const std::int64_t stride = s[static_cast<std::size_t>(axis)];
    constant &= stride == 0;
    packed &= stride == expected;
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

static_assert(elements_a_part % block_size == 0);  // so that parts end where blocks do

/// Calls `block(index, n)` over elements [begin, end), a part. Whole blocks are whole lanes, wherever rows end, so only
/// the last of all may be written past its end, where there is padding.
template <class F>
void for_each_block(std::int64_t begin, std::int64_t end, F block) {
  for (std::int64_t index = begin; index < end; index += block_size) block(index, std::min(block_size, end - index));
}

}  // namespace
}  // namespace gradtape::inline v0::detail
