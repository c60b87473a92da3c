#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0 {

// Every function here takes any dtype, and is a view unless it says otherwise.

/// Which two axes `transpose` swaps.
struct TransposeOptions {
  int axis0 = -2;  ///< one axis; negative counts from the end
  int axis1 = -1;  ///< the other
};

/// x with two axes swapped; the last two unless told otherwise. Throws ShapeError below rank 2 or for a bad axis.
Tensor transpose(const Tensor& x, const TransposeOptions& options = {});

/// x with two axes swapped: `transpose` where both axes are given, of any rank from 1. Throws ShapeError for a bad
/// axis.
Tensor swapaxes(const Tensor& x, int axis0, int axis1);

/// x with its axes in another order: axis i of the result is axis `axes[i]` of x. Throws ShapeError unless `axes` names
/// each axis once.
Tensor permute(const Tensor& x, const IntegerList& axes);

/// x with the axes `source` moved to the places `destination`; the others keep their order. Throws ShapeError for a bad
/// or repeated axis, or unless both lists are of one length.
Tensor moveaxis(const Tensor& x, const IntegerList& source, const IntegerList& destination);

/// What `reshape` takes: dimensions, of which one may be -1.
class NewShape : public IntegerList {
 public:
  using IntegerList::IntegerList;  ///< from a list, or one dimension
  /// A full shape.
  NewShape(const Shape& shape) {
    for (const std::int64_t dim : shape) push_back(dim);
  }
};

/// x under another shape of the same number of elements; one dimension may be -1 and is inferred. A view where strides
/// allow, else a copy. Throws ShapeError if the sizes differ.
Tensor reshape(const Tensor& x, const NewShape& shape);

/// Options of `flatten`; negative axes count from the end.
struct FlattenOptions {
  int start_axis = 0;  ///< the first axis to join
  int end_axis = -1;   ///< the last
};

/// The axes from `start_axis` to `end_axis` joined into one; a scalar becomes a vector of one. A view where strides
/// allow, else a copy. Throws ShapeError for a bad axis, or if the first comes after the last.
Tensor flatten(const Tensor& x, const FlattenOptions& options = {});

/// x without those of the named axes that have size 1; without any axis of size 1 unless told which. Throws ShapeError
/// for a bad or repeated axis.
Tensor squeeze(const Tensor& x, const Axes& axes = {});

/// x with a further axis of size 1, at `axis` of the result. Throws ShapeError for a bad axis, or if there are
/// `max_rank` already.
Tensor unsqueeze(const Tensor& x, int axis);

/// x stretched to `shape` under broadcasting rules. Throws ShapeError if it does not fit.
Tensor broadcast_to(const Tensor& x, const Shape& shape);

/// x itself if its elements are packed in row-major order, else a packed copy.
Tensor contiguous(const Tensor& x);

}  // namespace gradtape::inline v0
