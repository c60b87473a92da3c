#pragma once

#include <gradtape/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <vector>

namespace gradtape::inline v0 {

Tensor zeros(const Shape& shape, const TensorOptions& options = {});               ///< all 0
Tensor ones(const Shape& shape, const TensorOptions& options = {});                ///< all 1
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});  ///< all `value`
Tensor zeros_like(const Tensor& x);                                                ///< 0, shape and dtype of x
Tensor ones_like(const Tensor& x);                                                 ///< 1, shape and dtype of x
Tensor full_like(const Tensor& x, double value);                                   ///< `value`, shape and dtype of x

/// Options of `arange`.
struct ArangeOptions {
  double start = 0;                 ///< first number
  double step = 1;                  ///< from each to the next; not 0
  std::optional<Dtype> dtype = {};  ///< of the result; default_dtype() unless told
};

/// start, start + step, … below `end` (above, for a negative step): ceil((end - start) / step) numbers. Throws
/// ValueError for a step of 0.
Tensor arange(double end, const ArangeOptions& options = {});
/// The same up to a whole number.
template <std::integral T>
Tensor arange(T end, const ArangeOptions& options = {}) {
  return arange(static_cast<double>(end), options);
}

/// n numbers from `start` to `end`, both included, in equal steps; f32 or f64. Throws ValueError if n < 0.
Tensor linspace(double start, double end, std::int64_t n, const TensorOptions& options = {});

/// Which output axis belongs to which input of `meshgrid`.
enum class MeshIndexing {
  ij,  ///< axis i to input i, as the rows and columns of a matrix
  xy,  ///< the first two swapped: the first input runs along the columns, as in a picture
};

/// Options of `meshgrid`.
struct MeshgridOptions {
  MeshIndexing indexing = MeshIndexing::ij;  ///< as in PyTorch; NumPy has xy
};

/// The coordinates of a grid: vectors (n₀), (n₁), … -> for each a view (n₀, n₁, …) that varies along its own axis only.
/// Any dtype. Throws ShapeError unless all are vectors, and for more of them than `max_rank`.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, const MeshgridOptions& options = {});

}  // namespace gradtape::inline v0
