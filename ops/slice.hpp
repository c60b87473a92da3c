#pragma once

#include <gradtape/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

// Every function here takes any dtype and is a view.

/// Every `step`th index of one axis from `begin` up to `end`, which is left out, as begin:end:step in NumPy. A negative
/// step goes backwards: `Slice{.step = -1}` is the whole axis reversed. Negative bounds count from the end; what lies
/// outside is cut off.
struct Slice {
  std::optional<std::int64_t> begin = {};  ///< first index; unless told the first there is, or the last if step < 0
  std::optional<std::int64_t> end = {};    ///< past the last index; unless told all there are
  std::int64_t step = 1;                   ///< from each index to the next; not 0
};

/// Options of `slice`: an axis, and a Slice of it.
struct SliceOptions {
  int axis = 0;                            ///< negative counts from the end
  std::optional<std::int64_t> begin = {};  ///< first index; unless told the first there is, or the last if step < 0
  std::optional<std::int64_t> end = {};    ///< past the last index; unless told all there are
  std::int64_t step = 1;                   ///< from each index to the next; not 0
};

/// A range along one axis: x[…, begin:end:step, …]. Throws ShapeError for a bad axis, ValueError for a step of 0.
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

/// x backwards along the named axes; along all of them unless told which. Throws ShapeError for a bad or repeated axis.
Tensor flip(const Tensor& x, const Axes& axes = {});

/// Windows of `size` elements along an axis, one every `step`: (…, n, …) -> (…, (n - size) / step + 1, …, size), the
/// window's elements last, as torch.Tensor.unfold. They may overlap; the gradient adds up. Throws ShapeError for a bad
/// axis or if `size` is beyond n, ValueError for a negative size or a step below 1.
Tensor unfold(const Tensor& x, int axis, std::int64_t size, std::int64_t step);

}  // namespace gradtape::inline v0
