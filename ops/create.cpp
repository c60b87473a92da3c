#include <gradtape/core/error.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/shape.hpp>

#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0 {

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  const Array out = Array::make(options.dtype.value_or(default_dtype()), shape);
  fill(out, value);
  return Tensor(out);
}
Tensor zeros(const Shape& shape, const TensorOptions& options) { return full(shape, 0, options); }
Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1, options); }
Tensor full_like(const Tensor& x, double value) { return full(x.shape(), value, {.dtype = x.dtype()}); }
Tensor zeros_like(const Tensor& x) { return full_like(x, 0); }
Tensor ones_like(const Tensor& x) { return full_like(x, 1); }

Tensor arange(double end, const ArangeOptions& options) {
  const double length = std::ceil((end - options.start) / options.step);
  if (options.step == 0 || !(std::abs(length) < 0x1p53))
    throw ValueError(fmt::format("arange: from {} to {} by {} never ends", options.start, end, options.step));
  const Array out =
      Array::make(options.dtype.value_or(default_dtype()), {length > 0 ? static_cast<std::int64_t>(length) : 0});
  with_type(out.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < out.numel(); ++i)
      out.data<T>()[i] = number_cast<T>(options.start + static_cast<double>(i) * options.step);
  });
  return Tensor(out);
}

Tensor linspace(double start, double end, std::int64_t n, const TensorOptions& options) {
  if (n < 0) throw ValueError(fmt::format("linspace: {} numbers; expected at least 0", n));
  const Array out = Array::make(options.dtype.value_or(default_dtype()), {n});
  const double step = n > 1 ? (end - start) / static_cast<double>(n - 1) : 0;
  with_floating("linspace", out.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < n; ++i)  // each half from its own end, so that both are exact
      out.data<T>()[i] = static_cast<T>(i < (n + 1) / 2 ? start + static_cast<double>(i) * step
                                                        : end - static_cast<double>(n - 1 - i) * step);
  });
  return Tensor(out);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, const MeshgridOptions& options) {
  if (axes.size() > static_cast<std::size_t>(max_rank))
    throw ShapeError(fmt::format("meshgrid: {} axes; at most {} are supported", axes.size(), max_rank));
  const auto place = [&](std::size_t i) {
    return static_cast<int>(options.indexing == MeshIndexing::xy && i < 2 && axes.size() > 1 ? 1 - i : i);
  };
  Shape ones, grid;
  for (std::size_t i = 0; i < axes.size(); ++i) ones.push_back(1);
  grid = ones;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].rank() != 1)
      throw ShapeError(fmt::format("meshgrid: axis {} has shape {}; expected a vector", i, to_string(axes[i].shape())));
    grid.set(place(i), axes[i].numel());
  }
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Shape line = ones;
    line.set(place(i), axes[i].numel());
    out.push_back(broadcast_to(reshape(axes[i], line), grid));
  }
  return out;
}

}  // namespace gradtape::inline v0
