#pragma once

/// \file
/// Tensors element by element, through strides by hand: what the tests of views, joins and indices compare with.

#include <gradtape/gradtape.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cases {

using Index = std::vector<std::int64_t>;

/// 0, 1, 2, … in row-major order, f64.
inline gradtape::Tensor counting(const gradtape::Shape& shape) {
  return gradtape::reshape(gradtape::arange(shape.numel(), {.dtype = gradtape::f64}), shape);
}

/// The element of an f64 tensor at `index`.
inline double at(const gradtape::Tensor& x, const Index& index) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis) offset += index[axis] * x.array().strides()[axis];
  return x.array().data<double>()[offset];
}

/// Calls `f` with every index of `shape`, in row-major order.
template <class F>
void for_each_index(const gradtape::Shape& shape, F f) {
  Index index(static_cast<std::size_t>(shape.rank()));
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    std::int64_t rest = i;
    for (int axis = shape.rank() - 1; axis >= 0; rest /= shape[axis--])
      index[static_cast<std::size_t>(axis)] = rest % shape[axis];
    f(index);
  }
}

/// The f64 tensor whose element at index i is f(i).
template <class F>
gradtape::Tensor by_index(const gradtape::Shape& shape, F f) {
  std::vector<double> values;
  for_each_index(shape, [&](const Index& i) { values.push_back(f(i)); });
  return gradtape::tensor(std::span<const double>(values), shape);
}

/// Whether `view` starts among the elements that `base` reaches.
inline bool shares_data(const gradtape::Tensor& view, const gradtape::Tensor& base) {
  std::int64_t first = 0, last = 0;
  for (int axis = 0; axis < base.rank(); ++axis) {
    const std::int64_t reach = (base.shape()[axis] - 1) * base.array().strides()[static_cast<std::size_t>(axis)];
    (reach < 0 ? first : last) += reach;
  }
  const auto size = static_cast<std::int64_t>(gradtape::size_of(base.dtype()));
  const std::byte* from = base.array().data();
  return view.array().data() >= from + first * size && view.array().data() <= from + last * size;
}

}  // namespace cases
