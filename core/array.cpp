#include <gradtape/core/array.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/parallel.hpp>
#include <gradtape/core/pool.hpp>
#include <gradtape/core/strided.hpp>
#include <gradtape/core/transpose.hpp>

#include <algorithm>
#include <cstring>
#include <new>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::ArrayBlock;
static_assert(ArrayBlock::header_bytes % 64 == 0);
static_assert(sizeof(ArrayBlock) + sizeof(double) <= ArrayBlock::header_bytes);  // room before the data of an empty one

// A lane that starts at the last element, or past an empty array, stays inside of the block.
std::size_t block_bytes(std::int64_t numel, Dtype dtype) {
  const std::size_t size = size_of(dtype), elements = numel == 0 ? 1 : static_cast<std::size_t>(numel);
  return ArrayBlock::header_bytes + (elements - 1) * size + ArrayBlock::lane_bytes;
}

constexpr std::int64_t most_bytes = std::int64_t{1} << 46;

[[gnu::cold, gnu::noinline]] std::int64_t checked_numel(const Shape& shape, Dtype dtype) {
  const std::optional<std::int64_t> n = product(shape);
  if (!n || *n > most_bytes / static_cast<std::int64_t>(size_of(dtype)))
    throw ShapeError(
        fmt::format("array: shape {} of {} is larger than any memory", to_string(shape), to_string(dtype)));
  return *n;
}

void set_packed_strides(Strides& strides, const Shape& shape) {
  if (shape.rank() == 2) {  // as most are, so without a loop
    strides[0] = shape.begin()[1], strides[1] = 1;
    return;
  }
  std::uint64_t step = 1;  // unsigned: dimensions behind a zero may overflow
  for (auto axis = static_cast<std::size_t>(shape.rank()); axis-- > 0;) {
    strides[axis] = static_cast<std::int64_t>(step);
    step *= static_cast<std::uint64_t>(shape.begin()[axis]);
  }
}

bool is_packed(const Shape& shape, const Strides& strides) {
  std::int64_t expected = 1;
  bool packed = true;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    if (shape[axis] == 0) return true;  // whatever the strides of the others
    if (shape[axis] == 1) continue;
    packed = packed && strides[static_cast<std::size_t>(axis)] == expected;
    expected *= shape[axis];
  }
  return packed;
}

}  // namespace

void detail::ArrayBlock::destroy(ArrayBlock* block) noexcept {
  if (block->owner && block->owner->count.drop())
    put(block->owner, block->owner->kind.size_class, MemoryKind::arrays);  // an owner has no owner
  put(block, block->kind.size_class, MemoryKind::arrays);
}

Array Array::make(Dtype dtype, const Shape& shape) {
  std::int64_t numel = 1;
  bool overflow = false;
  const std::int64_t* const dims = shape.begin();
  if (shape.rank() == 2)  // without a loop, as above
    overflow = __builtin_mul_overflow(dims[0], dims[1], &numel);
  else
    for (const std::int64_t dim : shape) overflow |= __builtin_mul_overflow(numel, dim, &numel);
  if (overflow || numel > most_bytes / 8) [[unlikely]]  // a constant, for a division takes as long as the rest
    numel = checked_numel(shape, dtype);
  const std::size_t bytes = block_bytes(numel, dtype), c = detail::size_class(bytes);
  if (c >= detail::size_classes) [[unlikely]]
    throw std::bad_alloc();
  void* memory = detail::take(c, bytes, detail::MemoryKind::arrays);
  std::byte* data = ArrayBlock::data_behind(memory);
  const detail::ArrayKind kind{dtype, true, static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(size_of(dtype))};
  auto* block = new (memory) ArrayBlock(kind, numel, data, nullptr, {}, shape);
  block->clear_padding();
  if (detail::thread_state.poison >= 0) [[unlikely]]
    std::memset(data, detail::thread_state.poison, static_cast<std::size_t>(numel) * size_of(dtype));
  set_packed_strides(block->strides, shape);  // in place: a copy of what was just written would wait for it
  return Array(block);
}

Array Array::view(const Array& base, const Shape& shape, const Strides& strides, std::int64_t offset) {
  ArrayBlock* block = base.block_.get();
  ArrayBlock* owner = block->owner ? block->owner : block;
  constexpr std::size_t c = detail::size_class(sizeof(ArrayBlock));
  void* memory = detail::take(c, sizeof(ArrayBlock), detail::MemoryKind::arrays);
  owner->count.add();
  const detail::ArrayKind kind{block->kind.dtype, is_packed(shape, strides), c, block->kind.element_size};
  return Array(new (memory)
                   ArrayBlock(kind, shape.numel(), block->data + offset * kind.element_size, owner, strides, shape));
}

void Array::set_shared(bool on) const {
  if (block_->owner) block_->owner->count.set_shared(on);
  block_->count.set_shared(on);
}

Strides packed_strides(const Shape& shape) {
  Strides strides{};
  set_packed_strides(strides, shape);
  return strides;
}

Strides broadcast_strides(const Array& array, const Shape& shape) {
  Strides strides{};
  const int shift = shape.rank() - array.rank();
  for (int axis = 0; axis < array.rank(); ++axis)
    strides[static_cast<std::size_t>(axis + shift)] =
        array.shape()[axis] == 1 && shape[axis + shift] != 1 ? 0 : array.strides()[static_cast<std::size_t>(axis)];
  return strides;
}

Array detail::packed_copy(const Array& array) {
  Array out = Array::make(array.dtype(), array.shape());
  copy_elements(out, array);
  return out;
}

Array reshaped(const Array& array, const Shape& shape) {
  if (array.packed()) return Array::view(array, shape, packed_strides(shape));
  struct Run {
    std::int64_t size, step;
  };
  std::array<Run, max_rank> runs{};  // evenly spaced runs of elements, outermost first
  std::size_t n = 0;
  for (int axis = 0; axis < array.rank(); ++axis) {
    const std::int64_t size = array.shape()[axis], step = array.strides()[static_cast<std::size_t>(axis)];
    if (size == 1) continue;
    if (n > 0 && runs[n - 1].step == step * size)
      runs[n - 1] = {runs[n - 1].size * size, step};
    else
      runs[n++] = {size, step};
  }
  Strides strides{};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    if (shape[axis] == 1) continue;
    if (n == 0 || runs[n - 1].size % shape[axis] != 0) return reshaped(packed(array), shape);  // reaches over two runs
    strides[static_cast<std::size_t>(axis)] = runs[n - 1].step;
    runs[n - 1] = {runs[n - 1].size / shape[axis], runs[n - 1].step * shape[axis]};
    if (runs[n - 1].size == 1) --n;
  }
  return Array::view(array, shape, strides);
}

namespace {

/// Copies matrices of which `to` holds rows and `from` columns; returns whether they are such.
template <class T>
bool copied_as_transposed(const Array& to, const Array& from) {
  if constexpr (sizeof(T) >= 4) {
    using Lanes = std::conditional_t<sizeof(T) == 4, detail::Words, detail::DoubleWords>;
    const int across = detail::transposed_axis(from);
    if (across < 0) return false;
    const auto axis = static_cast<std::size_t>(across), last = static_cast<std::size_t>(to.rank()) - 1;
    if (to.strides()[last] != 1) return false;
    Shape others = to.shape();
    others.set(across, 1);
    others.set(-1, 1);
    const std::int64_t rows = to.shape()[across], columns = to.shape()[-1];
    const std::int64_t step = to.strides()[axis], from_step = from.strides()[last];
    detail::for_each_row<2>(others, {to.strides(), from.strides()},
                            [=, out = to.data<T>(), in = from.data<T>()](std::int64_t, const auto& at) {
                              detail::copy_transposed<Lanes>(out + at[0], step, in + at[1], from_step, rows, columns);
                            });
    return true;
  }
  return false;
}

}  // namespace

int detail::transposed_axis(const Array& array) {
  const int last = array.rank() - 1;
  const auto step = [&](int axis) { return array.strides()[static_cast<std::size_t>(axis)]; };
  if (size_of(array.dtype()) < 4 || last < 1 || step(last) == 0 || step(last) == 1) return -1;
  for (int axis = 0; axis < last; ++axis)
    if (step(axis) == 1 && std::min(array.shape()[axis], array.shape()[last]) >= 4) return axis;
  return -1;
}

void copy_elements(const Array& to, const Array& from) {
  if (to.numel() == 0) return;
  if (to.packed() && from.packed()) {
    std::memcpy(to.data(), from.data(), static_cast<std::size_t>(to.numel()) * size_of(to.dtype()));
    return;
  }
  const auto copy = [](const Array& rows, const Array& from_rows) {
    with_type(rows.dtype(), [&]<class T>(std::type_identity<T>) {
      if (!copied_as_transposed<T>(rows, from_rows))
        detail::for_each_pair<T, T>(rows, from_rows, [](T& a, T b) { a = b; });
    });
  };
  if (to.rank() == 0) return copy(to, from);
  const std::int64_t count = to.shape()[0];
  detail::parallel_for(count, detail::rows_a_part(to.numel() / count), [&](std::int64_t begin, std::int64_t end) {
    if (end - begin == count) return copy(to, from);
    const auto rows = [&](const Array& x) {
      Shape shape = x.shape();
      shape.set(0, end - begin);
      return Array::view(x, shape, x.strides(), begin * x.strides()[0]);
    };
    copy(rows(to), rows(from));
  });
}

void fill(const Array& array, double value) {
  with_type(array.dtype(), [&]<class T>(std::type_identity<T>) {
    std::fill_n(array.data<T>(), array.numel(), number_cast<T>(value));
  });
}

}  // namespace gradtape::inline v0
