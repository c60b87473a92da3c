#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/attention.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/dropout.hpp>
#include <gradtape/ops/kernels/attention.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/softmax.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

constexpr std::string_view op_name = "scaled_dot_product_attention";

/// What attention is told, but for the mask; the kernel makes the same random numbers of a seed each time.
struct Attention {
  static constexpr std::string_view name = op_name;
  bool causal;
  double scale, dropout_p;
  std::uint64_t seed = 0;

  void attributes(AttributeVisitor& v) const { v("causal", causal), v("scale", scale), v("dropout_p", dropout_p); }
};

Tensor sum_over_keys(const Tensor& x) { return sum(x, {.axes = -1, .keepdims = true}); }

/// The weights (…,t,s) before dropout, in other ops: what the kernel computes and the higher orders are made of.
Tensor weights_of(const Tensor& q, const Tensor& k, const Tensor& mask, const Attention& op) {
  constexpr double hidden = -std::numeric_limits<double>::infinity();
  Tensor scores = matmul(q, transpose(k)) * op.scale;  // (…,t,c)·(…,c,s) -> (…,t,s)
  if (mask.defined()) scores = mask.dtype() == boolean ? where(mask, scores, hidden) : scores + mask;
  if (op.causal) scores = where(tri(q.shape()[-2], {.columns = k.shape()[-2], .dtype = boolean}), scores, hidden);
  const Tensor none = all(scores == hidden, {.axes = -1, .keepdims = true});
  return where(none, 0, softmax(where(none, 0, scores)));
}

/// Derivative along x of a softmax with the weights p; the Jacobian is symmetric.
Tensor softmax_derivative(const Tensor& p, const Tensor& x) { return p * (x - sum_over_keys(x * p)); }

/// A batch of matrices stretched over the leading axes of the output.
Array stretched(const Array& x, const Shape& out, std::int64_t rows, std::int64_t cols) {
  const Shape shape = detail::with_batch(detail::without_last(out, 2), rows, cols);
  return Array::view(x, shape, broadcast_strides(x, shape));
}
Array stretched(const Array& x, const Shape& out) { return stretched(x, out, x.shape()[-2], x.shape()[-1]); }

/// The kernel's inputs from q, k, v and the mask, if there is one.
detail::AttentionInputs inputs_of(const Attention& op, std::span<const Array> x, const Shape& out) {
  const Array mask = x[3] ? stretched(x[3], out, out[-2], x[1].shape()[-2]) : Array();
  return {stretched(x[0], out),
          stretched(x[1], out),
          stretched(x[2], out),
          mask,
          op.causal,
          op.scale,
          op.dropout_p,
          op.seed};
}

/// One node for all inputs, because their gradients share most of the work.
class AttentionNode final : public Node {
 public:
  AttentionNode(const Attention& op, const Array& out, const std::array<const Tensor*, 3>& x,
                const std::array<Array, 4>& values, Array rows)
      : Node(out.shape(), out.dtype(), detail::thread_state.index), op_(op), rows_(std::move(rows)) {
    for (std::size_t i = 0; i < 3; ++i) edges_[i] = x[i]->node();
    std::ranges::copy(values, saved_.begin());
    keep(edges_.data(), saved_.data(), 4);
  }

  std::string_view name() const override { return op_name; }

  void backward(Backward& pass) override {
    if (pass.recording()) return record(pass);
    std::array<Array, 3> gradients, to;
    for (int i = 0; i < 3; ++i) {
      if (!pass.needs(i)) continue;
      const auto at = static_cast<std::size_t>(i);
      gradients[at] = Array::make(dtype, saved_[at].shape());
      fill(gradients[at], 0);
      to[at] = stretched(gradients[at], shape);
    }
    detail::attention_vjp(to[0], to[1], to[2], pass.gradient().array(), rows_, inputs_of(op_, saved_, shape));
    for (int i = 0; i < 3; ++i)
      if (pass.needs(i)) pass.give(i, Tensor(gradients[static_cast<std::size_t>(i)]));
  }

  void forward(Forward& pass) override {
    const auto [q, k, v] = values(pass.recording());
    const Tensor p = weights_of(q, k, mask(), op_), kept = kept_weights();
    const Tensor tq = pass.tangent(0), tk = pass.tangent(1), tv = pass.tangent(2);
    const auto give = [&](const Tensor& t) { pass.give(broadcast_to(t, shape)); };
    const auto along = [&](const Tensor& t) { give(matmul(dropped(softmax_derivative(p, t * op_.scale), kept), v)); };
    if (tq.defined()) along(matmul(tq, transpose(k)));
    if (tk.defined()) along(matmul(q, transpose(tk)));
    if (tv.defined()) give(matmul(dropped(p, kept), tv));
  }

 private:
  /// The gradients by recorded ops.
  void record(Backward& pass) {
    const auto [q, k, v] = values(true);
    const Tensor p = weights_of(q, k, mask(), op_), kept = kept_weights();
    const Tensor& g = pass.gradient();
    const auto give = [&](int i, const Tensor& gradient) {
      pass.give(i, detail::sum_to(gradient, saved_[static_cast<std::size_t>(i)].shape()));
    };
    if (pass.needs(0) || pass.needs(1)) {
      const Tensor dp = dropped(matmul(g, transpose(v)), kept);  // (…,t,d)·(…,d,s) -> (…,t,s)
      const Tensor ds = softmax_derivative(p, dp) * op_.scale;
      if (pass.needs(0)) give(0, matmul(ds, k));             // (…,t,s)·(…,s,c) -> (…,t,c)
      if (pass.needs(1)) give(1, matmul(transpose(ds), q));  // (…,s,t)·(…,t,c) -> (…,s,c)
    }
    if (pass.needs(2)) give(2, matmul(transpose(dropped(p, kept)), g));  // (…,s,t)·(…,t,d) -> (…,s,d)
  }

  Tensor mask() const { return saved_[3] ? Tensor(saved_[3]) : Tensor(); }
  std::array<Tensor, 3> values(bool recording) const {
    std::array<Tensor, 3> out;
    for (std::size_t i = 0; i < 3; ++i) out[i] = recording ? Tensor(saved_[i], edges_[i]) : Tensor(saved_[i]);
    return out;
  }

  /// Which weights the kernel's dropout keeps; undefined without dropout.
  Tensor kept_weights() const {
    if (op_.dropout_p == 0) return {};
    const detail::AttentionInputs in = inputs_of(op_, saved_, shape);
    const Array kept =
        Array::make(boolean, detail::with_batch(detail::without_last(shape, 2), shape[-2], in.k.shape()[-2]));
    detail::attention_kept(kept, in);
    return Tensor(kept);
  }
  Tensor dropped(const Tensor& x, const Tensor& kept) const {
    return kept.defined() ? where(kept, x * detail::dropout_scale(op_.dropout_p), 0) : x;
  }

  Attention op_;
  Array rows_;  // as the kernel filled it
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
    const auto fits = [](std::int64_t given, std::int64_t size) { return given == size || given == 1; };
    if (mask.rank() > scores.rank() ||
        !std::equal(mask.shape().begin(), mask.shape().end(), scores.end() - mask.rank(), fits))
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
  Attention op{options.causal, options.scale.value_or(1 / std::sqrt(width)), p};
  const Tensor& mask = options.mask;
  const bool recording = detail::thread_state.grad_enabled;
  if (recording && mask.defined() && mask.requires_grad())  // (…,t,s)·(…,s,d) -> (…,t,d)
    return broadcast_to(matmul(dropout(weights_of(q, k, mask, op), {.p = p}), v), shape);
  if (p > 0)
    op.seed = static_cast<std::uint64_t>(randint(0, std::numeric_limits<std::int64_t>::max(), {}).item<std::int64_t>());
  const Array out = Array::make(q.dtype(), shape),
              rows = Array::make(q.dtype(), detail::with_batch(detail::without_last(shape, 2), shape[-2], 2));
  const std::array<Array, 4> x{q.array(), k.array(), v.array(), mask.defined() ? mask.array() : Array()};
  detail::attention(out, rows, inputs_of(op, x, shape));
  if (detail::thread_state.watched) [[unlikely]] {
    const std::array<const Array*, 4> all{&x[0], &x[1], &x[2], &x[3]};
    const bool shown = mask.defined() && detail::thread_state.observer;  // DetectAnomaly would expect it to be finite
    detail::watch(op, out, std::span(all).first(shown ? 4 : 3));
  }
  if (!recording || !(q.node() || k.node() || v.node())) return Tensor(out);
  return Tensor(out, detail::Ref<Node>::adopt(new AttentionNode(op, out, {&q, &k, &v}, x, rows)));
}

}  // namespace gradtape::inline v0
