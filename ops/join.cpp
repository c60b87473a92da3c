#include <gradtape/core/backward.hpp>
#include <gradtape/core/error.hpp>
#include <gradtape/core/node.hpp>
#include <gradtape/core/observe.hpp>
#include <gradtape/core/pool_vector.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradtape::inline v0 {
namespace {

struct Concatenate {
  static constexpr std::string_view name = "concatenate";
  int axis;
  void attributes(AttributeVisitor& v) const { v("axis", axis); }
};

/// A node of its own, because `record` takes a fixed number of inputs.
class ConcatenateNode final : public Node {
 public:
  ConcatenateNode(const Array& output, std::span<const Tensor> tensors, int axis)
      : Node(output.shape(), output.dtype(), detail::thread_state.index), axis_(axis), saved_(tensors.size() + 1) {
    for (const Tensor& x : tensors) {
      edges_.push_back(x.node());
      sizes_.push_back(x.shape()[axis]);
    }
    keep(edges_.data(), saved_.data(), static_cast<std::uint32_t>(edges_.size()));
  }

  std::string_view name() const override { return Concatenate::name; }

  void backward(Backward& pass) override {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < sizes_.size(); begin += sizes_[i++])
      if (pass.needs(static_cast<int>(i)))
        pass.give(static_cast<int>(i),
                  slice(pass.gradient(), {.axis = axis_, .begin = begin, .end = begin + sizes_[i]}));
  }

  void forward(Forward& pass) override {
    std::vector<Tensor> tangents;
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      const Tensor t = pass.tangent(static_cast<int>(i));
      Shape part = shape;
      part.set(axis_, sizes_[i]);
      tangents.push_back(t.defined() ? t : zeros(part, {.dtype = dtype}));
    }
    pass.give(concatenate(tangents, {.axis = axis_}));
  }

 private:
  int axis_;
  detail::PoolVector<std::int64_t> sizes_;
  detail::PoolVector<detail::Ref<Node>> edges_;
  detail::PoolVector<Array> saved_;  // nothing
};

void require_tensors(std::string_view op, std::span<const Tensor> tensors) {
  if (tensors.empty()) throw ValueError(fmt::format("{}: no tensors given; expected at least one", op));
  for (const Tensor& x : tensors) detail::check_same(op, tensors[0].dtype(), x.dtype());
}

/// Tensors that have been checked, along one of their axes.
Tensor joined(std::string_view op, std::span<const Tensor> tensors, int axis) {
  Shape shape = tensors[0].shape();
  std::int64_t size = 0;
  for (const Tensor& x : tensors)
    if (__builtin_add_overflow(size, x.shape()[axis], &size))
      throw ShapeError(fmt::format("{}: the axis has more elements than can be counted", op));
  shape.set(axis, size);
  Array out = Array::make(tensors[0].dtype(), shape);
  std::int64_t begin = 0;
  for (const Tensor& x : tensors) {
    copy_elements(detail::sliced(out, axis, begin, x.shape()[axis]), x.array());
    begin += x.shape()[axis];
  }
  if (detail::thread_state.watched) [[unlikely]] {
    std::vector<const Array*> inputs;
    for (const Tensor& x : tensors) inputs.push_back(&x.array());
    detail::watch(Concatenate{axis}, out, inputs);
  }
  const bool needed = std::ranges::any_of(tensors, [](const Tensor& x) { return x.requires_grad(); });
  if (!needed || !detail::thread_state.grad_enabled) return Tensor(std::move(out));
  auto node = detail::Ref<Node>::adopt(new ConcatenateNode(out, tensors, axis));
  return Tensor(std::move(out), std::move(node));
}

/// x, seen as `outer` blocks, with every block n times next to itself, in row-major order under `shape`.
Tensor repeat_blocks(const Tensor& x, std::int64_t outer, std::int64_t n, const Shape& shape) {
  const std::int64_t inner = outer == 0 ? 0 : x.numel() / outer;
  return reshape(broadcast_to(reshape(x, {outer, 1, inner}), {outer, n, inner}), shape);
}

}  // namespace

Tensor concatenate(const std::vector<Tensor>& tensors, const JoinOptions& options) {
  return detail::concatenated(tensors, options.axis);
}

Tensor detail::concatenated(std::span<const Tensor> tensors, int axis) {
  require_tensors("concatenate", tensors);
  const Shape& first = tensors[0].shape();
  axis = normalize_axis("concatenate", axis, first.rank());
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    Shape like_first = tensors[i].shape();
    if (like_first.rank() == first.rank()) like_first.set(axis, first[axis]);
    if (like_first != first)
      throw ShapeError(
          fmt::format("concatenate: tensor 0 is {} and tensor {} is {}; they may differ along axis {} only",
                      to_string(first), i, to_string(tensors[i].shape()), axis));
  }
  return joined("concatenate", tensors, axis);
}

Tensor stack(const std::vector<Tensor>& tensors, const JoinOptions& options) {
  require_tensors("stack", tensors);
  const Shape& first = tensors[0].shape();
  const int axis = normalize_axis("stack", options.axis, first.rank() + 1);
  std::vector<Tensor> layers;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].shape() != first)
      throw ShapeError(fmt::format("stack: tensor 0 is {} and tensor {} is {}; the shapes must be equal",
                                   to_string(first), i, to_string(tensors[i].shape())));
    layers.push_back(reshape(tensors[i], detail::replace_axes("stack", first, axis, axis, {1})));
  }
  return joined("stack", layers, axis);
}

std::vector<Tensor> split(const Tensor& x, const Pieces& pieces, const JoinOptions& options) {
  const int axis = normalize_axis("split", options.axis, x.rank());
  const std::int64_t n = x.shape()[axis];
  if (pieces.each().value_or(1) < 1)
    throw ValueError(fmt::format("split: pieces of {}; expected at least 1", *pieces.each()));
  std::vector<Tensor> out;
  std::int64_t begin = 0;
  const auto cut = [&](std::int64_t size) {
    out.push_back(slice(x, {.axis = axis, .begin = begin, .end = begin + size}));
    begin += size;
  };
  if (pieces.each()) {
    do cut(std::min(*pieces.each(), n - begin));
    while (begin < n);
    return out;
  }
  bool fits = true;
  for (const std::int64_t size : pieces.sizes()) {
    if (size < 0) throw ValueError(fmt::format("split: a piece of {}; expected at least 0", size));
    if (fits = fits && size <= n - begin; fits) cut(size);
  }
  if (!fits || begin != n)
    throw ShapeError(fmt::format("split: pieces [{}] do not add up to axis {} of shape {}",
                                 fmt::join(pieces.sizes(), ", "), options.axis, to_string(x.shape())));
  return out;
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t n, const JoinOptions& options) {
  const std::int64_t size = x.shape()[normalize_axis("chunk", options.axis, x.rank())];
  if (n < 1) throw ValueError(fmt::format("chunk: {} pieces; expected at least 1", n));
  return split(x, std::max<std::int64_t>(size / n + (size % n != 0), 1), options);
}

Tensor repeat(const Tensor& x, std::int64_t n, const RepeatOptions& options) {
  if (n < 0) throw ValueError(fmt::format("repeat: {} times; expected at least 0", n));
  if (!options.axis) return repeat(flatten(x), n, {.axis = 0});
  Shape shape = x.shape();
  const int axis = normalize_axis("repeat", *options.axis, x.rank());
  shape.set(axis, detail::count("repeat", std::array{x.shape()[axis], n}));
  detail::count("repeat", shape);
  return repeat_blocks(x, detail::count("repeat", std::span(x.shape().begin(), static_cast<std::size_t>(axis) + 1)), n,
                       shape);
}

Tensor tile(const Tensor& x, const IntegerList& counts) {
  const std::span<const std::int64_t> n = counts.values();
  for (const std::int64_t times : n)
    if (times < 0)
      throw ValueError(fmt::format("tile: {} times in {{{}}}; expected at least 0", times, fmt::join(n, ", ")));
  Shape shape;
  for (int axis = static_cast<int>(n.size()); axis > x.rank(); --axis) shape.push_back(1);
  for (const std::int64_t dim : x.shape()) shape.push_back(dim);
  Tensor y = shape.rank() == x.rank() ? x : reshape(x, shape);
  const int shift = shape.rank() - static_cast<int>(n.size());
  for (int axis = shape.rank() - 1; axis >= shift; --axis) {
    const std::int64_t times = n[static_cast<std::size_t>(axis - shift)];
    if (times == 1) continue;
    shape.set(axis, detail::count("tile", std::array{shape[axis], times}));
    detail::count("tile", shape);
    y = repeat_blocks(y, detail::count("tile", std::span(shape.begin(), static_cast<std::size_t>(axis))), times, shape);
  }
  return y;
}

Tensor roll(const Tensor& x, const IntegerList& shifts, const RollOptions& options) {
  const std::span<const std::int64_t> by = shifts.values(), axes = options.axes.values();
  if (axes.empty() && by.size() == 1) return reshape(roll(flatten(x), shifts, {.axes = 0}), x.shape());
  if (by.size() != axes.size())
    throw ShapeError(fmt::format("roll: {} shifts for {} axes; they must be as many", by.size(), axes.size()));
  Tensor y = x;
  for (std::size_t i = 0; i < by.size(); ++i) {
    const int axis = normalize_axis("roll", axes[i], x.rank());
    const std::int64_t n = x.shape()[axis], back = n == 0 ? 0 : (by[i] % n + n) % n;
    if (back != 0)
      y = concatenate({slice(y, {.axis = axis, .begin = n - back}), slice(y, {.axis = axis, .end = n - back})},
                      {.axis = axis});
  }
  return y;
}

}  // namespace gradtape::inline v0
