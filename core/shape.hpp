#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradtape::inline v0 {

/// The highest rank (number of axes) of a tensor.
inline constexpr int max_rank = 8;

/// One whole number in a braced list: any integer type but bool.
struct Integer {
  std::int64_t value = 0;  ///< the number
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  constexpr Integer(T n) : value(static_cast<std::int64_t>(n)) {}  ///< implicit
};

/// The dimensions of an n-dimensional array: `{64, 784}`; `{}` is a scalar. Throws ShapeError on a negative dimension
/// or more than `max_rank` axes.
class Shape {
 public:
  constexpr Shape() = default;
  /// From `{64, 784}`.
  Shape(std::initializer_list<Integer> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const Integer> dims);       ///< the same from a span
  explicit Shape(std::span<const std::int64_t> dims);  ///< the same from plain integers
  /// From a vector.
  explicit Shape(const std::vector<std::int64_t>& dims) : Shape(std::span<const std::int64_t>(dims)) {}

  int rank() const { return rank_; }  ///< number of axes
  /// Number of elements, the product of the dimensions; 1 for a scalar.
  std::int64_t numel() const {
    std::uint64_t n = 1;  // unsigned: dimensions before a zero may overflow
    for (int i = 0; i < rank_; ++i) n *= static_cast<std::uint64_t>(dims_[static_cast<std::size_t>(i)]);
    return static_cast<std::int64_t>(n);
  }

  /// The size of one axis, 0 <= axis < rank; negative axes count from the end.
  std::int64_t operator[](int axis) const { return dims_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)]; }

  const std::int64_t* begin() const { return dims_.data(); }        ///< first dimension
  const std::int64_t* end() const { return dims_.data() + rank_; }  ///< past the last

  /// Adds an axis at the end. Throws ShapeError where there are `max_rank`.
  void push_back(std::int64_t dim) {
    if (rank_ == max_rank) [[unlikely]]
      throw_full();
    dims_[static_cast<std::size_t>(rank_++)] = dim;
  }
  /// Replaces the size of one axis.
  void set(int axis, std::int64_t dim) { dims_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)] = dim; }

  /// Same rank and dimensions.
  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(a.rank_); ++i)
      if (a.dims_[i] != b.dims_[i]) return false;
    return true;
  }

 private:
  [[noreturn]] void throw_full() const;

  std::int32_t rank_ = 0;
  std::array<std::int64_t, max_rank> dims_{};
};

/// "[64, 784]"; a scalar is "[]".
std::string to_string(const Shape& shape);

/// The product of dimensions, empty where std::int64_t cannot hold it. A zero makes it 0, whatever the others.
std::optional<std::int64_t> product(std::span<const std::int64_t> dims);

/// The index "[2, 0]" of an element of `shape`, from its place in row-major order.
std::string index_string(const Shape& shape, std::int64_t at);

/// A list of whole numbers, at most `max_rank`, negative ones included; kept in place, so that passing one costs no
/// heap call.
class IntegerList {
 public:
  IntegerList() = default;  ///< no entries
  /// Throws ShapeError beyond `max_rank` entries.
  IntegerList(std::initializer_list<Integer> values) {
    for (const Integer n : values) push_back(n.value);
  }
  /// A single number.
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  IntegerList(T n) : IntegerList{Integer(n)} {}
  /// Throws ShapeError beyond `max_rank` entries.
  void push_back(std::int64_t n);
  bool empty() const { return size_ == 0; }                                         ///< without entries
  std::span<const std::int64_t> values() const { return {values_.data(), size_}; }  ///< the entries

 private:
  std::array<std::int64_t, max_rank> values_{};
  std::size_t size_ = 0;
};

/// A set of axes: `{0, -1}` or `0`; empty means every axis. Negative axes count from the end.
class Axes : public IntegerList {
 public:
  using IntegerList::IntegerList;  ///< from a list, or one axis
};

/// Options of functions that work along one axis.
struct AxisOptions {
  int axis = -1;  ///< negative counts from the end
};

/// Axis `axis` of `rank` as a number in [0, rank). Throws ShapeError that names `op`.
int normalize_axis(std::string_view op, std::int64_t axis, int rank);

/// The axes as a bit mask. Throws ShapeError on one out of range or named twice; an empty set is every axis.
unsigned axis_mask(std::string_view op, const IntegerList& axes, int rank);

/// The common shape of two operands under NumPy's broadcasting: aligned at the last axis, a dimension of 1 stretches.
/// Throws ShapeError that names `op` and both shapes.
Shape broadcast(std::string_view op, const Shape& a, const Shape& b);

}  // namespace gradtape::inline v0
