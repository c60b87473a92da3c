#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/attention.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/dropout.hpp>
#include <gradtape/ops/kernels/attention.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/softmax.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace gradtape {
namespace {

constexpr std::string_view op_name = "scaled_dot_product_attention";

/// Which keys a query looks at, and the scale of the scores.
struct Scores {
  Tensor mask;
  bool causal;
  double scale;
};

Tensor sum_over_keys(const Tensor& x) { return sum(x, {.axes = -1, .keepdims = true}); }

/// The weights (…,t,s) in other ops: what the kernel computes and the higher orders are made of.
Tensor weights_of(const Tensor& q, const Tensor& k, const Scores& s) {
  constexpr double hidden = -std::numeric_limits<double>::infinity();
  Tensor scores = matmul(q, transpose(k)) * s.scale;  // (…,t,c)·(…,c,s) -> (…,t,s)
  if (s.mask.defined()) scores = s.mask.dtype() == boolean ? where(s.mask, scores, hidden) : scores + s.mask;
  if (s.causal) scores = where(tri(q.shape()[-2], {.columns = k.shape()[-2], .dtype = boolean}), scores, hidden);
  const Tensor none = all(scores == hidden, {.axes = -1, .keepdims = true});
  return where(none, 0, softmax(where(none, 0, scores)));
}

/// Derivative of a softmax with the weights p along x; the Jacobian is symmetric.
Tensor softmax_derivative(const Tensor& p, const Tensor& x) { return p * (x - sum_over_keys(x * p)); }

/// One node for all three inputs, because their gradients share most of the work.
class AttentionNode final : public Node {
 public:
  AttentionNode(const Array& out, const std::array<const Tensor*, 3>& x, const Scores& scores, Array rows)
      : Node(out.shape(), out.dtype(), detail::thread_state.index),
        causal_(scores.causal),
        scale_(scores.scale),
        rows_(std::move(rows)) {
    for (std::size_t i = 0; i < 3; ++i) edges_[i] = x[i]->node(), saved_[i] = x[i]->array();
    if (scores.mask.defined()) saved_[3] = scores.mask.array();
    keep(edges_.data(), saved_.data(), 4);
  }

  /// The kernel's inputs, stretched over the axes of the output.
  static detail::AttentionInputs inputs(const Shape& out, std::span<const Array> x, bool causal, double scale) {
    const auto fit = [&](const Array& a) { return a ? stretched(out, a, a.shape()) : a; };
    const Array mask = x[3] ? stretched(out, x[3], {x[0].shape()[-2], x[1].shape()[-2]}) : x[3];
    return {fit(x[0]), fit(x[1]), fit(x[2]), mask, causal, scale};
  }

  std::string_view name() const override { return op_name; }

  void backward(Backward& pass) override {
    if (pass.recording()) return record(pass);
    std::array<Array, 3> to, fit;
    for (int i = 0; i < 3; ++i) {
      if (!pass.needs(i)) continue;
      const auto at = static_cast<std::size_t>(i);
      to[at] = Array::make(dtype, saved_[at].shape());
      fill(to[at], 0);
      fit[at] = stretched(shape, to[at], to[at].shape());
    }
    detail::attention_vjp(fit[0], fit[1], fit[2], pass.gradient().array(), rows_,
                          inputs(shape, saved_, causal_, scale_));
    for (int i = 0; i < 3; ++i)
      if (pass.needs(i)) pass.give(i, Tensor(to[static_cast<std::size_t>(i)]));
  }

  void forward(Forward& pass) override {
    const auto [q, k, v] = values(pass.recording());
    const Tensor tq = pass.tangent(0), tk = pass.tangent(1), tv = pass.tangent(2), p = weights_of(q, k, scores());
    const auto give = [&](const Tensor& t) { pass.give(broadcast_to(t, shape)); };
    const auto along = [&](const Tensor& t) { give(matmul(softmax_derivative(p, t * scale_), v)); };
    if (tq.defined()) along(matmul(tq, transpose(k)));
    if (tk.defined()) along(matmul(q, transpose(tk)));
    if (tv.defined()) give(matmul(p, tv));
  }

 private:
  static Array stretched(const Shape& out, const Array& x, const Shape& matrix) {
    const Shape shape = detail::with_batch(detail::without_last(out, 2), matrix[-2], matrix[-1]);
    return Array::view(x, shape, broadcast_strides(x, shape));
  }

  /// The gradients by recorded ops.
  void record(Backward& pass) {
    const auto [q, k, v] = values(true);
    const Tensor& g = pass.gradient();
    const Tensor p = weights_of(q, k, scores());
    const auto give = [&](int i, const Tensor& gradient) {
      pass.give(i, detail::sum_to(gradient, saved_[static_cast<std::size_t>(i)].shape()));
    };
    if (pass.needs(0) || pass.needs(1)) {
      const Tensor ds = softmax_derivative(p, matmul(g, transpose(v))) * scale_;  // (…,t,d)·(…,d,s) -> (…,t,s)
      if (pass.needs(0)) give(0, matmul(ds, k));                                  // (…,t,s)·(…,s,c) -> (…,t,c)
      if (pass.needs(1)) give(1, matmul(transpose(ds), q));                       // (…,s,t)·(…,t,c) -> (…,s,c)
    }
    if (pass.needs(2)) give(2, matmul(transpose(p), g));  // (…,s,t)·(…,t,d) -> (…,s,d)
  }

  Scores scores() const { return {saved_[3] ? Tensor(saved_[3]) : Tensor(), causal_, scale_}; }
  std::array<Tensor, 3> values(bool recording) const {
    std::array<Tensor, 3> out;
    for (std::size_t i = 0; i < 3; ++i) out[i] = recording ? Tensor(saved_[i], edges_[i]) : Tensor(saved_[i]);
    return out;
  }

  bool causal_;
  double scale_;
  Array rows_;
  std::array<detail::Ref<Node>, 4> edges_;
  std::array<Array, 5> saved_;
};

Shape output_shape(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const auto fail = [&](const char* what) {
    throw ShapeError(fmt::format("{}: {}: q {}, k {}, v {}; expected q (…, t, c), k (…, s, c), v (…, s, d)", op_name,
                                 what, to_string(q.shape()), to_string(k.shape()), to_string(v.shape())));
  };
  detail::check_floating(op_name, {&q.array(), &k.array(), &v.array()});
  detail::check_dtypes(op_name, {&q.array(), &k.array(), &v.array()});
  if (q.rank() < 2 || k.rank() < 2 || v.rank() < 2) fail("a matrix is missing");
  if (q.shape()[-1] != k.shape()[-1]) fail("q and k differ in width");
  if (k.shape()[-2] != v.shape()[-2]) fail("k and v differ in length");
  if (const double p = options.dropout_p; !(p >= 0 && p <= 1))
    throw ValueError(fmt::format("{}: dropout_p is {}; expected 0 to 1", op_name, p));
  Shape batch = detail::without_last(q.shape(), 2);
  for (const Tensor* x : {&k, &v}) batch = broadcast(op_name, batch, detail::without_last(x->shape(), 2));
  if (const Tensor& mask = options.mask; mask.defined()) {
    if (mask.dtype() != boolean && mask.dtype() != q.dtype())
      throw DtypeError(fmt::format("{}: the mask is {}; expected boolean or {}, the dtype of q", op_name,
                                   to_string(mask.dtype()), to_string(q.dtype())));
    const Shape scores = detail::with_batch(batch, q.shape()[-2], k.shape()[-2]);
    if (mask.rank() > scores.rank() || broadcast(op_name, mask.shape(), scores) != scores)
      throw ShapeError(fmt::format("{}: the mask {} does not broadcast to the scores {}", op_name,
                                   to_string(mask.shape()), to_string(scores)));
  }
  return detail::with_batch(batch, q.shape()[-2], v.shape()[-1]);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const Shape shape = output_shape(q, k, v, options);
  const double width = static_cast<double>(std::max(q.shape()[-1], std::int64_t{1})), p = options.dropout_p;
  const Scores scores{options.mask, options.causal, options.scale.value_or(1 / std::sqrt(width))};
  if (p > 0 || (options.mask.defined() && options.mask.requires_grad())) {
    const Tensor weights = dropout(weights_of(q, k, scores), {.p = p});
    return broadcast_to(matmul(weights, v), shape);  // (…,t,s)·(…,s,d) -> (…,t,d)
  }
  const Array out = Array::make(q.dtype(), shape),
              rows = Array::make(q.dtype(), detail::with_batch(detail::without_last(shape, 2), shape[-2], 2));
  const Array mask = options.mask.defined() ? options.mask.array() : Array();
  const std::array<Array, 4> x{q.array(), k.array(), v.array(), mask};
  detail::attention(out, rows, AttentionNode::inputs(shape, x, scores.causal, scores.scale));
  if (detail::thread_state.detect_anomaly) [[unlikely]]
    detail::check_value(op_name, out, std::array<const Array*, 3>{&x[0], &x[1], &x[2]});
  if (!detail::thread_state.grad_enabled || !(q.node() || k.node() || v.node())) return Tensor(out);
  return Tensor(out, detail::Ref<Node>::adopt(new AttentionNode(out, {&q, &k, &v}, scores, rows)));
}

}  // namespace gradtape
