#pragma once

#include <gradtape/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace gradtape::inline v0 {

// Joining and splitting. Every function here takes any dtype; the parts are views, what is joined is a copy.

/// Along which axis tensors are joined or split.
struct JoinOptions {
  int axis = 0;  ///< negative counts from the end
};

/// Tensors one after the other along an axis. Throws ValueError without tensors, ShapeError for scalars, a bad axis, or
/// shapes that differ along another axis, DtypeError for mixed dtypes.
Tensor concatenate(const std::vector<Tensor>& tensors, const JoinOptions& options = {});

namespace detail {
/// The same, of any range.
Tensor concatenated(std::span<const Tensor> tensors, int axis);
}  // namespace detail

/// Tensors of one shape along a new axis, `axis` of the result. Throws ValueError without tensors, ShapeError if shapes
/// differ or for a bad axis, DtypeError for mixed dtypes.
Tensor stack(const std::vector<Tensor>& tensors, const JoinOptions& options = {});

/// How `split` cuts an axis: into pieces of one size, of which the last may be smaller, or into pieces of these sizes.
class Pieces {
 public:
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Pieces(T each) : each_(static_cast<std::int64_t>(each)) {}  ///< all of one size
  /// One after the other.
  Pieces(std::initializer_list<Integer> sizes) {
    for (const Integer size : sizes) sizes_.push_back(size.value);
  }
  explicit Pieces(std::vector<std::int64_t> sizes) : sizes_(std::move(sizes)) {}  ///< the same

  const std::optional<std::int64_t>& each() const { return each_; }  ///< the size of all, if it is one
  const std::vector<std::int64_t>& sizes() const { return sizes_; }  ///< the sizes otherwise

 private:
  std::optional<std::int64_t> each_;
  std::vector<std::int64_t> sizes_;
};

/// x cut along an axis: `split(x, 3)`, `split(x, {2, 5, 1})`. Throws ShapeError for a bad axis or if the sizes do not
/// add up, ValueError for a negative size, or 0 for all.
std::vector<Tensor> split(const Tensor& x, const Pieces& pieces, const JoinOptions& options = {});

/// x cut along an axis into at most n pieces of one size, n of them if that divides it; the last may be smaller. Throws
/// ShapeError for a bad axis, ValueError unless n > 0.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t n, const JoinOptions& options = {});

/// Options of `repeat`.
struct RepeatOptions {
  std::optional<int> axis = {};  ///< negative counts from the end; x is flattened first unless told
};

/// Each element n times, next to each other, along an axis: [a, b] -> [a, a, b, b], as numpy.repeat and
/// torch.repeat_interleave. Throws ShapeError for a bad axis, ValueError if n < 0.
Tensor repeat(const Tensor& x, std::int64_t n, const RepeatOptions& options = {});

/// x as a whole, so many times along each axis: [a, b] -> [a, b, a, b], as numpy.tile and torch.Tensor.repeat. Counts
/// stand for the last axes; more of them than axes add axes in front. Throws ValueError for a negative count,
/// ShapeError beyond `max_rank`.
Tensor tile(const Tensor& x, const IntegerList& counts);

/// Options of `roll`.
struct RollOptions {
  IntegerList axes = {};  ///< one for each shift; negative counts from the end. x is rolled as a flat one unless told
};

/// Elements moved `shifts` places along axes, those pushed out at the end coming back at the front. Throws ShapeError
/// for a bad axis, or unless there is one axis for each shift.
Tensor roll(const Tensor& x, const IntegerList& shifts, const RollOptions& options = {});

}  // namespace gradtape::inline v0
