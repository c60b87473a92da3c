#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/sort.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduction.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/sort.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

Shape with_size(Shape shape, int axis, std::int64_t size) {
  shape.set(axis, size);
  return shape;
}

/// Where the first `length` elements in order stand.
struct Order {
  static constexpr std::string_view name = "order";
  int axis;
  std::int64_t length;
  bool descending, sorted;

  Spec infer(const Shape& x) const { return {i64, with_size(x, axis, length)}; }
  void value(const Array& out, const Array& x) const {
    detail::sorted_indices(out, packed(x), axis, descending, sorted);
  }
  NoGradient vjp(Wrt<0>) const { return {}; }
};

struct MedianIndex {
  static constexpr std::string_view name = "median_index";
  int axis;

  Spec infer(const Shape& x) const { return {i64, with_size(x, axis, 1)}; }
  void value(const Array& out, const Array& x) const { detail::median_index(out, packed(x), axis); }
  NoGradient vjp(Wrt<0>) const { return {}; }
};

}  // namespace

SortResult sort(const Tensor& x, const SortOptions& options) {
  const int axis = normalize_axis("sort", options.axis, x.rank());
  const Tensor indices = record(Order{axis, x.shape()[axis], options.descending, true}, x);
  return {detail::gather_along(x, indices, axis), indices};
}

Tensor argsort(const Tensor& x, const SortOptions& options) {
  const int axis = normalize_axis("argsort", options.axis, x.rank());
  return record(Order{axis, x.shape()[axis], options.descending, true}, x);
}

TopkResult topk(const Tensor& x, std::int64_t k, const TopkOptions& options) {
  const int axis = normalize_axis("topk", options.axis, x.rank());
  if (k < 0 || k > x.shape()[axis])
    throw ValueError(fmt::format("topk: k = {} of axis {} of shape {}; expected 0 to {}", k, axis, to_string(x.shape()),
                                 x.shape()[axis]));
  const Tensor indices = record(Order{axis, k, options.largest, options.sorted}, x);
  return {detail::gather_along(x, indices, axis), indices};
}

Tensor median(const Tensor& x, const MedianOptions& options) {
  const int axis = options.axis ? normalize_axis("median", *options.axis, x.rank()) : 0;
  const detail::Reduction op("median", x, {.axes = options.axis ? Axes(axis) : Axes(), .keepdims = options.keepdims});
  op.require_elements("median");
  const Tensor line = options.axis ? x : reshape(x, {x.numel()});
  return reshape(detail::gather_along(line, record(MedianIndex{axis}, line), axis), op.infer(line.shape()));
}

}  // namespace gradtape::inline v0
