#include <gradtape/ops/kernels/rows.hpp>

namespace gradtape::inline v0::detail {

Array rows_of(const Array& x, unsigned mask) {
  Shape shape, kept;
  Strides strides{};
  std::size_t n = 0;
  for (const bool last : {false, true})
    for (int axis = 0; axis < x.rank(); ++axis) {
      if ((mask >> axis & 1) != last) continue;
      shape.push_back(x.shape()[axis]);
      strides[n++] = x.strides()[static_cast<std::size_t>(axis)];
      if (!last) kept.push_back(x.shape()[axis]);
    }
  const std::int64_t rows = kept.numel();
  return reshaped(packed(Array::view(x, shape, strides)), {rows, rows == 0 ? 0 : x.numel() / rows});
}

}  // namespace gradtape::inline v0::detail
