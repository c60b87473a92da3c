#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/kernels/loss.hpp>
#include <gradtape/ops/kernels/softmax.hpp>
#include <gradtape/ops/loss.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>

#include <fmt/format.h>

namespace gradtape {
namespace {

/// d(mse)/d(output), for an upstream gradient of one element: 2/n · g · (output - target), in one pass.
struct MseVjp {
  static constexpr std::string_view name = "mse_vjp";
  double scale;
  auto value(auto g, auto output, auto target) const { return scale * g * (output - target); }
  auto vjp(auto h, auto g, auto output, auto target) const {
    return grads(scale * h * (output - target), scale * g * h, -scale * g * h);
  }
};

struct Mse {
  static constexpr std::string_view name = "mse_loss";
  MseVjp gradient;

  Shape infer(const Shape&, const Shape&) const { return {}; }
  void value(const Array& out, const Array& output, const Array& target) const { detail::mean_square_difference(out, packed(output), packed(target)); }
  auto vjp(Wrt<0>, Grad g, In<0> output, In<1> target) const { return elementwise(gradient, g, output, target); }
  auto vjp(Wrt<1>, Grad g, In<0> output, In<1> target) const { return elementwise(gradient, g, target, output); }
};

/// d(cross_entropy)/d(logits): g · (softmax(x) - one_hot(labels)) / n.
struct CrossEntropyVjp {
  static constexpr std::string_view name = "cross_entropy_vjp";

  Shape infer(const Shape&, const Shape& x, const Shape&) const { return x; }
  void value(const Array& out, const Array& g, const Array& x, const Array& labels) const {
    detail::cross_entropy_vjp(out, g, packed(x), packed(labels));
  }
  auto vjp(Wrt<0>, Grad h, In<1> x, In<2> labels) const {
    const double n = static_cast<double>(labels.numel());
    return sum(h * (softmax(x) - one_hot(labels, x.shape()[1]).to(x.dtype()))) / n;
  }
  auto vjp(Wrt<1>, Grad h, In<0> g, In<1> x, In<2> labels) const {
    const double n = static_cast<double>(labels.numel());
    const Tensor y = softmax(x);
    return g * y * (h - sum(h * y, {.axes = -1, .keepdims = true})) / n;
  }
  NoGradient vjp(Wrt<2>) const { return {}; }
};

struct CrossEntropy {
  static constexpr std::string_view name = "cross_entropy";

  Shape infer(const Shape&, const Shape&) const { return {}; }
  void value(const Array& out, const Array& x, const Array& labels) const { detail::cross_entropy(out, packed(x), packed(labels)); }
  auto vjp(Wrt<0>, Grad g, In<0> x, In<1> labels) const { return tail(CrossEntropyVjp{}, g, x, labels); }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

}  // namespace

Tensor mse_loss(const Tensor& output, const Tensor& target) {
  if (output.shape() != target.shape())
    throw ShapeError(fmt::format("mse_loss: output {} and target {} differ in shape; reshape one of them", to_string(output.shape()), to_string(target.shape())));
  detail::check_floating("mse_loss", {&output.array(), &target.array()});
  if (output.numel() == 0) throw ValueError(fmt::format("mse_loss: shape {} has no elements, and the mean of nothing is undefined", to_string(output.shape())));
  return record(Mse{{2.0 / static_cast<double>(output.numel())}}, output, target);
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2 || labels.rank() != 1 || logits.shape()[0] != labels.shape()[0])
    throw ShapeError(fmt::format("cross_entropy: logits {} and labels {} do not fit; expected logits [n, classes] and labels [n]",
                                 to_string(logits.shape()), to_string(labels.shape())));
  if (!is_floating(logits.dtype()) || labels.dtype() != i64)
    throw DtypeError(fmt::format("cross_entropy: logits are {} and labels {}; expected f32 or f64, and i64", to_string(logits.dtype()), to_string(labels.dtype())));
  if (labels.numel() == 0) throw ValueError("cross_entropy: no rows, and the mean of nothing is undefined");
  detail::require_classes("cross_entropy", labels.array(), logits.shape()[1]);
  return record(CrossEntropy{}, logits, labels);
}

}  // namespace gradtape
