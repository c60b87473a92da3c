#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/kernels/softmax.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/softmax.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// The gradient of softmax from its output, as an op of its own: the composed rule would take four passes.
struct SoftmaxVjp {
  static constexpr std::string_view name = "softmax_vjp";

  Shape infer(const Shape& g, const Shape&) const { return g; }
  void value(const Array& out, const Array& g, const Array& y) const { detail::softmax_vjp(out, packed(g), packed(y)); }
  auto vjp(Wrt<0>, Grad h, In<1> y) const { return record(*this, h, y); }  // y * (h - sum(h * y)): symmetric in g and h
  auto vjp(Wrt<1>, Grad h, In<0> g, In<1> y) const {
    const Tensor hy = sum(h * y, {.axes = -1, .keepdims = true}), gy = sum(g * y, {.axes = -1, .keepdims = true});
    return h * (g - gy) - g * hy;
  }
};

struct Softmax {
  static constexpr std::string_view name = "softmax";

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { detail::softmax(out, packed(x)); }
  auto vjp(Wrt<0>, Grad g, Out y) const { return tail(SoftmaxVjp{}, g, y); }
};

struct LogSoftmaxVjp {
  static constexpr std::string_view name = "log_softmax_vjp";

  Shape infer(const Shape& g, const Shape&) const { return g; }
  void value(const Array& out, const Array& g, const Array& y) const {
    detail::log_softmax_vjp(out, packed(g), packed(y));
  }
  auto vjp(Wrt<0>, Grad h, In<1> y) const { return h - sum(h * exp(y), {.axes = -1, .keepdims = true}); }
  auto vjp(Wrt<1>, Grad h, In<0> g, In<1> y) const { return -h * exp(y) * sum(g, {.axes = -1, .keepdims = true}); }
};

struct LogSoftmax {
  static constexpr std::string_view name = "log_softmax";

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { detail::log_softmax(out, packed(x)); }
  auto vjp(Wrt<0>, Grad g, Out y) const { return tail(LogSoftmaxVjp{}, g, y); }
};

/// Runs an op that works along the last axis along any other.
template <class Op>
Tensor along(const Op& op, const Tensor& x, const AxisOptions& options) {
  detail::check_floating(Op::name, {&x.array()});
  const int axis = normalize_axis(Op::name, options.axis, x.rank());
  if (axis == x.rank() - 1) return record(op, x);
  return transpose(record(op, transpose(x, {axis, -1})), {axis, -1});
}

}  // namespace

Tensor softmax(const Tensor& x, const AxisOptions& options) { return along(Softmax{}, x, options); }
Tensor log_softmax(const Tensor& x, const AxisOptions& options) { return along(LogSoftmax{}, x, options); }

}  // namespace gradtape::inline v0
