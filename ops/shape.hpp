#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <limits>
#include <optional>

namespace gradtape {

/// Which two axes `transpose` swaps.
struct TransposeOptions {
  int axis0 = -2;  ///< one axis; negative counts from the end
  int axis1 = -1;  ///< the other
};

/// x with two axes swapped, a view; the last two unless told otherwise. Throws ShapeError below rank 2 or for a bad axis.
Tensor transpose(const Tensor& x, const TransposeOptions& options = {});

/// What `reshape` takes: dimensions, of which one may be -1.
class NewShape : public IntegerList {
 public:
  using IntegerList::IntegerList;  ///< from a list
  /// A full shape.
  NewShape(const Shape& shape) {
    for (const std::int64_t dim : shape) push_back(dim);
  }
};

/// x under another shape of the same number of elements; one dimension may be -1 and is inferred. A view where strides
/// allow. Throws ShapeError if the sizes differ.
Tensor reshape(const Tensor& x, const NewShape& shape);

/// x stretched to `shape` under broadcasting rules, a view. Throws ShapeError if it does not fit.
Tensor broadcast_to(const Tensor& x, const Shape& shape);

/// x itself if its elements are packed in row-major order, else a packed copy.
Tensor contiguous(const Tensor& x);

/// The half-open range [begin, end) of one axis. Negative numbers count from the end; what lies outside is cut off.
struct Slice {
  std::int64_t begin = 0;                                       ///< first index
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< past the last
};

/// Options of `slice`.
struct SliceOptions {
  int axis = 0;                                                 ///< negative counts from the end
  std::int64_t begin = 0;                                       ///< first index
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< past the last
};

/// A range along one axis, a view: x[…, begin:end, …]. Throws ShapeError for a bad axis.
Tensor slice(const Tensor& x, const SliceOptions& options = {});

/// One entry of `x[{…}]`: a Slice, or an integer, which drops its axis.
class Index {
 public:
  Index(const Slice& slice) : slice_(slice) {}  ///< a range
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Index(T at) : at_(static_cast<std::int64_t>(at)) {}  ///< one index, negative from the end

  const std::optional<std::int64_t>& at() const { return at_; }  ///< the index, if it is one
  const Slice& slice() const { return slice_; }                  ///< the range otherwise

 private:
  std::optional<std::int64_t> at_;
  Slice slice_;
};

}  // namespace gradtape
