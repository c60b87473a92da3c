#pragma once

/// \file
/// What the tests of reductions share: every set of axes, and references by plain loops.

#include <ops/rows.hpp>
#include <ops/tensors.hpp>

namespace cases {

inline gt::Axes axes_of(unsigned mask) {
  gt::Axes axes;
  for (int axis = 0; axis < gt::max_rank; ++axis)
    if (mask >> axis & 1) axes.push_back(axis);
  return axes;
}

inline gt::ReduceOptions over(unsigned mask, bool keepdims) { return {.axes = axes_of(mask), .keepdims = keepdims}; }

/// The reduced axes have size 1.
inline gt::Shape kept(const gt::Shape& shape, unsigned mask) {
  gt::Shape out = shape;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (mask >> axis & 1) out.set(axis, 1);
  return out;
}

inline gt::Shape dropped(const gt::Shape& shape, unsigned mask) {
  gt::Shape out;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (!(mask >> axis & 1)) out.push_back(shape[axis]);
  return out;
}

/// The elements, in double, that a reduction over `mask` folds into each element of its result, in row-major order.
inline std::vector<std::vector<double>> groups(const gt::Tensor& x, unsigned mask) {
  const gt::Shape& shape = x.shape();
  const gt::Shape to = kept(shape, mask);
  std::vector<std::vector<double>> out(static_cast<std::size_t>(to.numel()));
  const std::vector<double> in = doubles(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) out[source(i, shape, to)].push_back(in[static_cast<std::size_t>(i)]);
  return out;
}

/// `f` of each of these groups, with the reduced axes kept, in the dtype of x.
template <class F>
gt::Tensor reduced(const gt::Tensor& x, unsigned mask, F f) {
  std::vector<double> out;
  for (const std::vector<double>& group : groups(x, mask)) out.push_back(f(group));
  return gt::tensor(std::span<const double>(out), kept(x.shape(), mask)).to(x.dtype());
}

/// The same for a fold of two numbers into one.
template <class F>
gt::Tensor folded(const gt::Tensor& x, unsigned mask, double start, F combine) {
  return reduced(x, mask, [=](const std::vector<double>& group) {
    double total = start;
    for (const double v : group) total = combine(total, v);
    return total;
  });
}

/// Layouts of a 4-d tensor: packed, and views of every kind.
inline std::vector<gt::Tensor> layouts(gt::Dtype dtype) {
  using gt::Slice;
  return {random({3, 4, 5, 7}, dtype),
          gt::transpose(random({3, 7, 5, 4}, dtype), {1, 3}),
          random({5, 6, 7, 9}, dtype)[{Slice{1, 4}, Slice{2}, Slice{0, 5}, Slice{1, -1}}],
          gt::broadcast_to(random({4, 1, 7}, dtype), {3, 4, 5, 7}),
          random({2, 1, 600, 3}, dtype),
          random({70, 1, 2, 520}, dtype)};
}

/// Numbers of which about one in three is 0.
inline gt::Tensor some_zero(const gt::Shape& shape) {
  const gt::Tensor x = between(-1.5, 1.5)(shape);
  return gt::where(gt::abs(x) < 0.5, 0, x);
}

/// Calls of f(x, axis) along every axis of several shapes; of an axis without elements only if it has a meaning there.
template <class F>
std::vector<Call> along_axes(F f, const Sampler& sample, bool of_nothing = true) {
  std::vector<Call> out;
  for (const gt::Shape& shape : {gt::Shape{1}, {37}, {3, 4}, {2, 3, 5}, {2, 1, 3}, {0}, {3, 0}, {0, 3}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (!of_nothing && shape[axis] == 0) continue;
      for (Call& call : at({shape}, sample, [=](const gt::Tensor& x) { return f(x, axis); })) {
        call.what += " along axis " + std::to_string(axis);
        out.push_back(std::move(call));
      }
    }
  return out;
}

/// What is wrong with an axis, in calls of f(x, axis).
template <class F>
std::vector<Misuse> misuse_of_axis(const std::string& name, F f) {
  return {{name + ": axis 2 is out of range for rank 2; use -2 to 1",
           [=] {
             f(gt::zeros({2, 3}), 2);
           }},
          {name + ": axis -1 of a scalar; a scalar has no axes", [=] { f(gt::zeros({}), -1); }}};
}

/// Calls of a reduction over every set of axes of several shapes; over no elements only if it has a meaning there.
template <class Op>
std::vector<Call> over_axes(Op op, const Sampler& sample, bool of_nothing = true) {
  std::vector<Call> out;
  for (const gt::Shape& shape : {gt::Shape{}, {1}, {37}, {3, 4}, {2, 3, 5}, {2, 1, 3, 2}, {0}, {3, 0}, {0, 3}})
    for (unsigned mask = shape.rank() == 0 ? 0 : 1; mask < 1u << shape.rank(); ++mask) {
      if (!of_nothing && shape.numel() == 0 && kept(shape, mask).numel() != 0) continue;
      const gt::ReduceOptions options = over(mask, mask % 2 == 1);
      for (Call& call : at({shape}, sample, [=](const gt::Tensor& x) { return op(x, options); })) {
        call.what += " over axes " + std::to_string(mask);
        out.push_back(std::move(call));
      }
    }
  return out;
}

}  // namespace cases
