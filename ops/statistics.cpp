#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/kernels/rows.hpp>
#include <gradtape/ops/kernels/softmax.hpp>
#include <gradtape/ops/kernels/statistics.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduction.hpp>
#include <gradtape/ops/statistics.hpp>

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::Reduction;

constexpr double inf = std::numeric_limits<double>::infinity();

struct Var : Reduction {
  static constexpr std::string_view name = "var";
  double divisor;

  Var(std::string_view op, const Tensor& x, const VarOptions& options)
      : Reduction(op, x, {options.axes, options.keepdims}), divisor(static_cast<double>(count()) - options.correction) {
    detail::check_floating(op, {&x.array()});
    require_elements(op);
    if (!(divisor > 0))
      throw ValueError(
          fmt::format("{}: n = {} along the reduced axes of {} and a correction of {} leave nothing to divide by; take "
                      "more elements or a smaller .correction",
                      op, count(), to_string(from), options.correction));
  }

  void value(const Array& out, const Array& x) const { detail::variance(out, detail::rows_of(x, mask), divisor); }
  auto vjp(Wrt<0>, Grad g, In<0> x) const {
    return restore(g * (2 / divisor)) * (x - mean(x, {.axes = axes(), .keepdims = true}));
  }
};

/// √x, whose gradient at 0 is 0, as at no variance.
struct Root {
  static constexpr std::string_view name = "std";
  auto value(auto x) const { return sqrt(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g / (2 * where(y == 0, inf, y)); }
};

/// The gradient of logsumexp, g · softmax(x): one pass where the composed rule would take three.
struct LogSumExpVjp {
  static constexpr std::string_view name = "logsumexp_vjp";
  static auto softmax(auto x, auto y) { return exp(where(x == -inf, x, x - y)); }  // y may be -inf too
  auto value(auto g, auto x, auto y) const { return g * softmax(x, y); }
  auto vjp(auto h, auto /*g*/, auto x, auto y, auto out) const { return grads(h * softmax(x, y), h * out, -h * out); }
};

struct LogSumExp : Reduction {
  static constexpr std::string_view name = "logsumexp";

  void value(const Array& out, const Array& x) const { detail::logsumexp(out, detail::rows_of(x, mask)); }
  auto vjp(Wrt<0>, Grad g, In<0> x, Out y) const { return elementwise(LogSumExpVjp{}, restore(g), x, restore(y)); }
};

struct Norm : Reduction {
  static constexpr std::string_view name = "norm";
  double p;

  void value(const Array& out, const Array& x) const { detail::norm(out, detail::rows_of(x, mask), p); }
  auto vjp(Wrt<0>, Grad g, In<0> x, Out y) const {
    if (p == 2) return x * restore(g / where(y == 0, inf, y));
    return power(x) * restore(where(y == 0, 0, g * pow(where(y == 0, 1, y), 1 - p)));
  }

 private:
  /// d(|x|ᵖ / p)/dx
  Tensor power(const Tensor& x) const {
    if (p > 0 && std::fmod(p, 2) == 0) return pow(x, p - 1);  // smooth at 0 too
    return where(x == 0, 0, x * pow(where(x == 0, 1, abs(x)), p - 2));
  }
};

}  // namespace

Tensor var(const Tensor& x, const VarOptions& options) { return record(Var("var", x, options), x); }

Tensor std(const Tensor& x, const VarOptions& options) {
  return elementwise(Root{}, record(Var("std", x, options), x));
}

Tensor logsumexp(const Tensor& x, const ReduceOptions& options) {
  detail::check_floating("logsumexp", {&x.array()});
  return record(LogSumExp{Reduction("logsumexp", x, options)}, x);
}

Tensor norm(const Tensor& x, const NormOptions& options) {
  detail::check_floating("norm", {&x.array()});
  const double p = options.p;
  const ReduceOptions over{options.axes, options.keepdims};
  const Reduction shapes("norm", x, over);
  if (std::isnan(p)) throw ValueError("norm: p is NaN; expected a number or an infinity");
  if (p < 0 || p == inf) shapes.require_elements("norm");
  if (p == inf) return max(abs(x), over);
  if (p == -inf) return min(abs(x), over);
  if (p == 0) return count_nonzero(x, over).to(x.dtype());
  if (p == 1) return sum(abs(x), over);
  return record(Norm{shapes, p}, x);
}

}  // namespace gradtape::inline v0
