#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

// Picking and adding by index. Indices are i64 (DtypeError otherwise) and must lie in [0, n) of the axis they index:
// IndexError names the op, the index, its place and n. A negative one is an error too, and does not count from the end:
// in data it is more often a mark or a mistake. What is picked may be of any dtype, what is added f32, f64 or i64.
// Gradients add up where an element is picked twice.

/// Options of `take`.
struct TakeOptions {
  int axis = 0;  ///< negative counts from the end
};

/// The elements of x along an axis at `indices`, whose axes take the place of that axis: x (…, n, …), indices i64 (i…)
/// -> (…, i…, …). Rows by number unless told which axis. Throws ShapeError for a scalar x or a bad axis, IndexError for
/// an index outside [0, n).
Tensor take(const Tensor& x, const Tensor& indices, const TakeOptions& options = {});

/// An element of x for each index, as torch.gather: for axis 1, out[i, j, k] = x[i, index[i, j, k], k]. index is i64
/// and of the rank of x, no larger than x along the other axes. Throws ShapeError otherwise, IndexError for an index
/// outside of the axis.
Tensor gather(const Tensor& x, int axis, const Tensor& index);

/// Options of `take_along_axis`.
struct TakeAlongAxisOptions {
  int axis = -1;  ///< negative counts from the end
};

/// `gather` where x and index broadcast against each other along the other axes, as numpy.take_along_axis: with argmax,
/// argmin or argsort of x it gives what they found. Throws ShapeError unless x and index have one rank and broadcast,
/// IndexError for an index outside of the axis.
Tensor take_along_axis(const Tensor& x, const Tensor& index, const TakeAlongAxisOptions& options = {});

/// x with an element of `source` added for each index, as torch.scatter_add: for axis 1, source[i, j, k] is added to
/// x[i, index[i, j, k], k]. All are of one rank; index, i64, is no larger than source, nor than x along the other axes.
/// Throws ShapeError otherwise, IndexError for an index outside of the axis.
Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& source);

/// x with slice i of `source` along an axis added to slice indices[i] of x: x (…, n, …), indices i64 (m), source (…, m,
/// …). Throws ShapeError unless they fit, IndexError for an index outside [0, n).
Tensor index_add(const Tensor& x, int axis, const Tensor& indices, const Tensor& source);

/// x where `mask` is false and `value` where it is true; mask is boolean and broadcasts to x, `value` a number or a
/// tensor that does. f32, f64 or i64. Throws ShapeError unless they broadcast to x, DtypeError unless the mask is
/// boolean.
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Operand& value);

/// Options of `embedding`.
struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< ids equal to it give no gradient; negative counts from the end
};

/// Rows of a table: weight (n, …), ids i64 (i…) -> (i…, …). Throws ShapeError for a scalar weight, IndexError for an id
/// or a padding_idx outside of the table.
Tensor embedding(const Tensor& weight, const Tensor& ids, const EmbeddingOptions& options = {});

namespace detail {
/// `gather` of indices that are known to be right.
Tensor gather_along(const Tensor& x, const Tensor& index, int axis);
/// `scatter_add` to zeros of `shape` likewise; index has the shape of source.
Tensor scatter_along(const Tensor& source, const Tensor& index, int axis, const Shape& shape);
/// The elements of `indices` along one axis, the same everywhere along the others of `shape`; a view.
Tensor along_axis(const Tensor& indices, int axis, const Shape& shape);
/// Throws DtypeError unless `index` is i64, IndexError that names `op` unless all of it lies in [0, n).
void check_indices(std::string_view op, const Tensor& index, std::int64_t n);
}  // namespace detail

}  // namespace gradtape::inline v0
