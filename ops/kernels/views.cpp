#include <gradtape/core/xtensor.hpp>
#include <gradtape/ops/kernels/views.hpp>

#include <utility>

namespace gradtape::detail {

Array transposed(const Array& x, int axis0, int axis1) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape.set(axis0, x.shape()[axis1]);
  shape.set(axis1, x.shape()[axis0]);
  std::swap(strides[static_cast<std::size_t>(axis0)], strides[static_cast<std::size_t>(axis1)]);
  return Array::view(x, shape, strides);
}

void add_elements(const Array& to, const Array& from) {
  with_floating("add_elements", to.dtype(), [&]<class T>(std::type_identity<T>) { xt::noalias(xt_view<T>(to)) += xt_view<const T>(from); });
}

}  // namespace gradtape::detail
