#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/classification.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/convert.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/index.hpp>
#include <gradtape/ops/kernels/loss.hpp>
#include <gradtape/ops/kernels/softmax.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/softmax.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

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

/// The common case in one op: the mean over matrices of logits, all classes alike.
struct CrossEntropy {
  static constexpr std::string_view name = "cross_entropy";

  Shape infer(const Shape&, const Shape&) const { return {}; }
  void value(const Array& out, const Array& x, const Array& labels) const {
    detail::cross_entropy(out, packed(x), packed(labels));
  }
  auto vjp(Wrt<0>, Grad g, In<0> x, In<1> labels) const { return tail(CrossEntropyVjp{}, g, x, labels); }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

Shape without_classes(const Shape& x) {
  Shape shape;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (axis != 1) shape.push_back(x[axis]);
  return shape;
}

/// A vector over the classes, shaped so that it broadcasts to x (n, classes, …).
Tensor along_classes(const Tensor& vector, const Tensor& x) {
  NewShape shape = {-1};
  for (int axis = 2; axis < x.rank(); ++axis) shape.push_back(1);
  return reshape(vector, shape);
}

void check_weight(std::string_view op, const Tensor& weight, const Tensor& x) {
  if (!weight.defined()) return;
  if (weight.rank() != 1 || weight.shape()[0] != x.shape()[1])
    throw ShapeError(fmt::format("{}: weight {} does not fit {} classes; expected one weight for each", op,
                                 to_string(weight.shape()), x.shape()[1]));
  detail::check_dtypes(op, {&x.array(), &weight.array()});
}

/// Checks labels (n, …) against x (n, classes, …); true if one is to be ignored.
bool check_labels(std::string_view op, const char* of, const Tensor& x, const Tensor& labels, std::int64_t ignored) {
  if (x.rank() < 2 || without_classes(x.shape()) != labels.shape())
    throw ShapeError(fmt::format("{}: {} {} and labels {} do not fit; expected {} [n, classes] and labels [n]", op, of,
                                 to_string(x.shape()), to_string(labels.shape()), of));
  if (!is_floating(x.dtype()) || labels.dtype() != i64)
    throw DtypeError(fmt::format("{}: {} are {} and labels {}; expected f32 or f64, and i64", op, of,
                                 to_string(x.dtype()), to_string(labels.dtype())));
  return detail::require_classes(op, labels.array(), x.shape()[1], ignored);
}

void check_rows(std::string_view op, const Tensor& x, LossReduction reduction) {
  if (reduction == LossReduction::mean && without_classes(x.shape()).numel() == 0)
    throw ValueError(fmt::format("{}: no rows, and the mean of nothing is undefined", op));
}

/// -Σ over the classes of target · log p, for labels: the target is 1 at the label, less what smoothing spreads over
/// all classes.
Tensor of_labels(const Tensor& log_p, const Tensor& labels, const CrossEntropyOptions& options) {
  const Tensor kept = labels != options.ignore_index, safe = where(kept, labels, 0);
  const Tensor picked = squeeze(detail::gather_along(log_p, unsqueeze(safe, 1), 1), 1);
  const Tensor weight = options.weight.defined() ? take(options.weight, safe) : ones_like(picked);
  Tensor each = where(kept, -picked * weight, 0);
  if (options.label_smoothing > 0) {
    const Tensor spread = options.weight.defined() ? log_p * along_classes(options.weight, log_p) : log_p;
    const Tensor even = where(kept, -sum(spread, {.axes = 1}), 0) / static_cast<double>(log_p.shape()[1]);
    each = (1 - options.label_smoothing) * each + options.label_smoothing * even;
  }
  if (options.reduction != LossReduction::mean) return detail::reduced(each, options.reduction);
  return sum(each) / sum(where(kept, weight, 0));
}

Tensor of_probabilities(const Tensor& logits, const Tensor& p, const CrossEntropyOptions& options) {
  if (p.shape() != logits.shape() || logits.rank() < 2)
    throw ShapeError(
        fmt::format("cross_entropy: logits {} and target probabilities {} do not fit; expected both [n, classes], or "
                    "labels as i64, where these are {}",
                    to_string(logits.shape()), to_string(p.shape()), to_string(p.dtype())));
  const double smoothing = options.label_smoothing;
  Tensor target = smoothing > 0 ? (1 - smoothing) * p + smoothing / static_cast<double>(p.shape()[1]) : p;
  if (options.weight.defined()) target = target * along_classes(options.weight, logits);
  return detail::reduced(-sum(target * log_softmax(logits, {.axis = 1}), {.axes = 1}), options.reduction);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    throw ValueError(fmt::format("cross_entropy: label_smoothing is {}; expected 0 to 1", options.label_smoothing));
  const bool probabilities = is_floating(target.dtype());
  const bool ignores = !probabilities && check_labels("cross_entropy", "logits", logits, target, options.ignore_index);
  if (probabilities && logits.rank() < 2) return of_probabilities(logits, target, options);  // which says what is wrong
  check_rows("cross_entropy", logits, options.reduction);
  check_weight("cross_entropy", options.weight, logits);
  if (probabilities) return of_probabilities(logits, target, options);
  if (logits.rank() == 2 && !ignores && !options.weight.defined() && options.reduction == LossReduction::mean &&
      options.label_smoothing == 0)
    return record(CrossEntropy{}, logits, target);
  return of_labels(log_softmax(logits, {.axis = 1}), target, options);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& labels, const NllOptions& options) {
  check_labels("nll_loss", "log-probabilities", log_probabilities, labels, options.ignore_index);
  check_rows("nll_loss", log_probabilities, options.reduction);
  check_weight("nll_loss", options.weight, log_probabilities);
  return of_labels(log_probabilities, labels,
                   {.weight = options.weight, .ignore_index = options.ignore_index, .reduction = options.reduction});
}

}  // namespace gradtape::inline v0
