#pragma once

/// \file
/// The bridge to xtensor, reached as `<gradtape/xtensor.hpp>`: any xtensor expression becomes a Tensor, any Tensor an
/// xtensor view without a copy. Include it before code that evaluates xtensor expressions: it repairs xtensor 0.24
/// under C++20.

#include <gradtape/core/error.hpp>
#include <gradtape/core/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <xtensor/xtensor_config.hpp>
#include <xtensor/xtensor_forward.hpp>

#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR <= 24 && __cplusplus > 201703L
// xtensor 0.24 takes its own run-time shape for a compile-time one in C++20, because the guard of this specialisation
// tests for C++17 exactly: eval(a + b) would silently be 4-d. Must stand before anything of xtensor is instantiated.
#include <xtensor/xexpression_traits.hpp>
namespace xt::detail {
template <>
struct xtype_for_shape<xt::svector<std::size_t, 4, std::allocator<std::size_t>, true>> {
  template <class T, layout_type L>
  using type = xarray<T, L>;
};
}  // namespace xt::detail
#endif

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xnoalias.hpp>

namespace gradtape::inline v0 {
namespace detail {

/// An array's elements as an xtensor view, strides included; T must be its element type, const for reading.
template <class T>
auto xt_view(const Array& array) {
  const auto rank = static_cast<std::size_t>(array.rank());
  std::vector<std::size_t> shape(array.shape().begin(), array.shape().end());
  std::vector<std::ptrdiff_t> strides(array.strides().begin(),
                                      array.strides().begin() + static_cast<std::ptrdiff_t>(rank));
  for (std::size_t i = 0; i < rank; ++i)
    if (shape[i] == 1) strides[i] = 0;  // xtensor's convention
  const auto numel =
      static_cast<std::size_t>(array.numel());  // what xtensor expects even where the strides reach further
  return xt::adapt(array.data<T>(), numel, xt::no_ownership(), std::move(shape), std::move(strides));
}

}  // namespace detail

/// A tensor's elements as a read-only xtensor view, without a copy; valid while the tensor lives. Throws DtypeError if
/// T is not the tensor's element type, ShapeError if it is a strided view.
template <Element T>
auto as_xt(const Tensor& tensor) {
  if (tensor.dtype() != dtype_of<T>) {
    const std::string wanted(to_string(dtype_of<T>));
    throw DtypeError("as_xt: the tensor is " + std::string(to_string(tensor.dtype())) + ", not " + wanted +
                     "; convert it with .to(gradtape::" + wanted + ") first");
  }
  if (!tensor.array().packed())
    throw ShapeError("as_xt: the tensor is a strided view of shape " + to_string(tensor.shape()) +
                     "; make it contiguous with gradtape::contiguous first");
  return detail::xt_view<const T>(tensor.array());
}
template <Element T>
auto as_xt(Tensor&& tensor) = delete;  // would dangle: keep the tensor in a variable first

/// The same for an array, strides included, and writable: how a kernel reads its inputs and fills its output, with
/// `xt::noalias(y) = …`. Throws DtypeError if T is not the array's element type.
template <Element T>
auto as_xt(const Array& array) {
  if (array.dtype() != dtype_of<T>)
    throw DtypeError("as_xt: the array is " + std::string(to_string(array.dtype())) + ", not " +
                     std::string(to_string(dtype_of<T>)));
  return detail::xt_view<T>(array);
}
template <Element T>
auto as_xt(Array&& array) = delete;  // would dangle: keep the array in a variable first

/// A Tensor with the values of an xtensor expression. float, double, 64-bit integers and bool keep their dtype; other
/// integers become i64.
template <class E>
  requires std::is_base_of_v<xt::xexpression<E>, E>
Tensor tensor(const E& expression) {
  using V = std::remove_cvref_t<typename E::value_type>;
  using T = std::conditional_t<std::is_same_v<V, bool> || std::is_floating_point_v<V>, V, std::int64_t>;
  static_assert(Element<T>, "only expressions of float, double, integers and bool become tensors");
  Shape shape;
  for (const auto dim : expression.shape()) shape.push_back(static_cast<std::int64_t>(dim));
  const Array out = Array::make(dtype_of<T>, shape);
  auto view = detail::xt_view<T>(out);
  xt::noalias(view) = xt::cast<T>(expression);
  return Tensor(out);
}

}  // namespace gradtape::inline v0
