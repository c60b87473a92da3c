#pragma once

#include <gradtape/core/dtype.hpp>
#include <gradtape/core/pool.hpp>
#include <gradtape/core/ref.hpp>
#include <gradtape/core/shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace gradtape::inline v0 {

/// Steps between neighbours along each axis, in elements; 0 on an axis that is broadcast.
using Strides = std::array<std::int64_t, max_rank>;

namespace detail {

/// What arrays that are alike share, copied as one.
struct ArrayKind {
  Dtype dtype;
  bool packed;              // row-major without gaps
  std::uint8_t size_class;  // of the block
  std::uint8_t element_size;
};

/// The header of an array; an owner's data follow it in the same pool block, a view points into its owner's.
struct ArrayBlock {
  Count count;
  ArrayKind kind;
  std::int64_t numel;
  std::byte* data;
  ArrayBlock* owner;  // nullptr for an owner
  Strides strides;    // here, and the shape behind it, no 32 bytes lie across two lines of the cache: a copy that does
  Shape shape;        // waits for what was just written

  // No aggregate: g++ 12 would clear it all before it is filled.
  ArrayBlock(const ArrayKind& of, std::int64_t elements, std::byte* first, ArrayBlock* owned_by, const Strides& steps,
             const Shape& dims)
      : kind(of), numel(elements), data(first), owner(owned_by), strides(steps), shape(dims) {}

  static constexpr std::size_t header_bytes = 192;  // a multiple of 64

  /// Where the data of an owner begin.
  static std::byte* data_behind(void* block) { return static_cast<std::byte*>(block) + header_bytes; }

  /// Zeros for what a lane that starts at the last element reads behind it. What stood there before would be computed
  /// with, and integers are subnormal numbers, on which an operation takes a hundred times as long.
  void clear_padding() const { std::memset(data + (numel - 1) * kind.element_size, 0, lane_bytes); }
  static constexpr std::size_t lane_bytes = 64;  // of the widest SIMD register

  static void destroy(ArrayBlock* block) noexcept;
};

}  // namespace detail

/// An n-dimensional array of run-time dtype: a counted handle on a header with shape, strides and 64-byte-aligned data.
/// A full SIMD lane may start at any element, the last one included, so kernels may load and store full lanes; behind
/// the last element of a new array are zeros. An Array knows nothing of gradients. Copying a handle shares the data.
class Array {
 public:
  Array() noexcept = default;
  [[gnu::always_inline]] Array(const Array&) noexcept = default;             ///< shares the data
  [[gnu::always_inline]] Array& operator=(const Array&) noexcept = default;  ///< shares the data
  Array(Array&&) noexcept = default;                                         ///< takes the handle over
  Array& operator=(Array&&) noexcept = default;                              ///< takes the handle over

  /// A packed array with uninitialised elements. Throws ShapeError if its size overflows, std::bad_alloc without
  /// memory.
  static Array make(Dtype dtype, const Shape& shape);
  /// The same, of the dtype and shape of `packed`, which is. What is going to be written at the first element, a lane
  /// of so many bytes, is not cleared before. Inline, for every small op pays for it.
  static Array like(const Array& packed, std::size_t written = 0) {
    const detail::ArrayBlock& of = *packed.block_;
    void* memory = of.owner || detail::thread_state.poison >= 0
                       ? nullptr
                       : detail::take_cached(of.kind.size_class, detail::MemoryKind::arrays);
    if (!memory) [[unlikely]]
      return make(of.kind.dtype, of.shape);
    std::byte* data = detail::ArrayBlock::data_behind(memory);
    auto* block = new (memory) detail::ArrayBlock(of.kind, of.numel, data, nullptr, of.strides, of.shape);
    if (of.numel != 1 || written < detail::ArrayBlock::lane_bytes) block->clear_padding();
    return Array(block);
  }
  /// Same data under another shape and strides; `offset` in elements from the first element of `base`.
  static Array view(const Array& base, const Shape& shape, const Strides& strides, std::int64_t offset = 0);

  explicit operator bool() const { return static_cast<bool>(block_); }  ///< whether it holds anything
  Dtype dtype() const { return block_->kind.dtype; }                    ///< element type
  const Shape& shape() const { return block_->shape; }                  ///< dimensions
  operator const Shape&() const { return block_->shape; }               ///< so that ops can infer shapes from arrays
  const Strides& strides() const { return block_->strides; }            ///< steps in elements
  std::int64_t numel() const { return block_->numel; }                  ///< number of elements
  int rank() const { return block_->shape.rank(); }                     ///< number of axes
  bool packed() const { return block_->kind.packed; }                   ///< row-major without gaps

  /// The first element; T must be the element type, which is not checked.
  template <class T = std::byte>
  T* data() const {
    return reinterpret_cast<T*>(block_->data);
  }

  /// Nobody else can see these elements: the only handle, on packed data of which there is no other view.
  bool exclusive() const {
    return block_ && block_->kind.packed && block_->count.unique() && (!block_->owner || block_->owner->count.unique());
  }

  void reset() noexcept { block_.reset(); }  ///< lets go of what it holds

  /// The address of the header, which no other array has while this one is held.
  const void* identity() const { return block_.get(); }
  /// Whether both are handles on one header, for tests of sharing.
  friend bool same(const Array& a, const Array& b) { return a.block_ == b.block_; }

  /// Switches atomic counting of this header and its owner's on or off (see gradtape::share).
  void set_shared(bool on) const;

 private:
  explicit Array(detail::ArrayBlock* block) : block_(detail::Ref<detail::ArrayBlock>::adopt(block)) {}
  detail::Ref<detail::ArrayBlock> block_;
};

/// Row-major strides of a packed array.
Strides packed_strides(const Shape& shape);

/// Strides that stretch `array` over `shape` (0 on stretched axes); `array`'s shape must broadcast to it.
Strides broadcast_strides(const Array& array, const Shape& shape);

/// `array` under a new shape of the same size: a view where strides allow, else a packed copy.
Array reshaped(const Array& array, const Shape& shape);

namespace detail {
Array packed_copy(const Array& array);

/// The axis along which elements are consecutive while along the last they are apart: packed copies of such arrays are
/// made tile by tile. -1 without one, or where that is not worth it.
int transposed_axis(const Array& array);
}  // namespace detail

/// `array` itself if packed, else a packed copy.
inline Array packed(const Array& array) { return array.packed() ? array : detail::packed_copy(array); }

/// Copies the elements of `from` into `to` (same shape and dtype; any strides).
void copy_elements(const Array& to, const Array& from);

/// Sets every element of a packed array. An i64 array takes whole numbers exactly up to 2^53.
void fill(const Array& array, double value);

}  // namespace gradtape::inline v0
