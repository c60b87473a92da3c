#include <gradtape/core/strided.hpp>
#include <gradtape/ops/kernels/views.hpp>

#include <utility>

namespace gradtape::inline v0::detail {

Array transposed(const Array& x, int axis0, int axis1) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape.set(axis0, x.shape()[axis1]);
  shape.set(axis1, x.shape()[axis0]);
  std::swap(strides[static_cast<std::size_t>(axis0)], strides[static_cast<std::size_t>(axis1)]);
  return Array::view(x, shape, strides);
}

Array sliced(const Array& x, int axis, std::int64_t begin, std::int64_t size) {
  Shape shape = x.shape();
  shape.set(axis, size);
  return Array::view(x, shape, x.strides(),
                     shape.numel() == 0 ? 0 : begin * x.strides()[static_cast<std::size_t>(axis)]);
}

void add_elements(const Array& to, const Array& from) {
  with_type(to.dtype(), [&]<class T>(std::type_identity<T>) {
    for_each_pair<T, T>(to, from, [](T& sum, T element) { add_to(sum, element); });
  });
}

}  // namespace gradtape::inline v0::detail
