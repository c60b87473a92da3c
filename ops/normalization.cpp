#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/kernels/normalization.hpp>
#include <gradtape/ops/map.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/normalization.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/statistics.hpp>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// What the ops along the last axes have in common.
template <bool Centered>
struct Rows {
  Shape normalized;  // the sizes of these axes
  double eps;

  void attributes(AttributeVisitor& v) const { v("axes", normalized.rank()), v("eps", eps); }
  detail::RowNorm norm() const { return {normalized.numel(), Centered, eps}; }
  Tensor average(const Tensor& x) const {
    Axes axes;
    for (int axis = 1; axis <= normalized.rank(); ++axis) axes.push_back(-axis);
    const auto n = static_cast<double>(std::max(normalized.numel(), std::int64_t{1}));  // rows may be empty
    return sum(x, {.axes = axes, .keepdims = true}) / n;
  }
  Tensor center(const Tensor& x) const { return Centered ? x - average(x) : x; }
};

/// The gradient of x̂ from that of its input, J·g, as an op of its own; J is symmetric.
template <bool Centered>
struct NormalizeVjp : Rows<Centered> {
  static constexpr std::string_view name = Centered ? "layer_norm_vjp" : "rms_norm_vjp";

  Shape infer(const Shape& g, const Shape&) const { return g; }
  void value(const Array& out, const Array& g, const Array& x) const {
    detail::normalize_vjp(out, packed(g), packed(x), this->norm());
  }
  Tensor vjp(Wrt<0>, Grad h, In<1> x) const { return record(*this, h, x); }
  // From hᵀ·J·g = n · r · (mean(h·g) - mean(h·x̂) · mean(g·x̂)), h and g centered, with dr/dx = -r²·x̂ / n, dx̂/dx = J.
  Tensor vjp(Wrt<1>, Grad h, In<0> g, In<1> x) const {
    const auto mean = [this](const Tensor& t) { return this->average(t); };
    const Tensor centered = this->center(x), r = rsqrt(mean(square(centered)) + this->eps), y = centered * r;
    const Tensor hg = mean(this->center(h) * g), hy = mean(h * y), gy = mean(g * y);
    return -r * (r * y * (hg - hy * gy) + hy * record(*this, g, x) + gy * record(*this, h, x));
  }
};

/// x̂.
template <bool Centered>
struct Normalize : Rows<Centered> {
  static constexpr std::string_view name = Centered ? "layer_norm" : "rms_norm";

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { detail::normalize(out, packed(x), this->norm()); }
  auto vjp(Wrt<0>, Grad g, In<0> x) const { return tail(NormalizeVjp<Centered>{*this}, g, x); }
};

/// The gradient of the weight, Σ g·x̂ over the rows.
template <bool Centered>
struct NormalizeWeightVjp : Rows<Centered> {
  static constexpr std::string_view name = Centered ? "layer_norm_weight_vjp" : "rms_norm_weight_vjp";

  Shape infer(const Shape&, const Shape&) const { return this->normalized; }
  void value(const Array& out, const Array& g, const Array& x) const {
    detail::normalize_weight_vjp(out, packed(g), packed(x), this->norm());
  }
  Tensor vjp(Wrt<0>, Grad h, In<1> x) const { return record(Normalize<Centered>{*this}, x) * h; }
  Tensor vjp(Wrt<1>, Grad h, In<0> g, In<1> x) const { return record(NormalizeVjp<Centered>{*this}, g * h, x); }
};

/// x̂ · weight + bias.
template <bool Centered>
struct NormalizeAffine : Rows<Centered> {
  static constexpr std::string_view name = Normalize<Centered>::name;

  Shape infer(const Shape& x, const Shape&, const Shape&) const { return x; }
  void value(const Array& out, const Array& x, const Array& weight, const Array& bias) const {
    detail::normalize_affine(out, packed(x), packed(weight), packed(bias), this->norm());
  }
  auto vjp(Wrt<0>, Grad g, In<0> x, In<1> weight) const { return tail(NormalizeVjp<Centered>{*this}, g * weight, x); }
  auto vjp(Wrt<1>, Grad g, In<0> x) const { return tail(NormalizeWeightVjp<Centered>{*this}, g, x); }
  Tensor vjp(Wrt<2>, Grad g) const { return detail::sum_to(g, this->normalized); }
};

/// The last step by channels, from what is normalised,
struct Affine {
  static constexpr std::string_view name = "affine";
  auto operator()(auto x, auto weight, auto bias) const { return x * weight + bias; }
};
/// or from statistics: not x·scale + (shift - mean·scale), which cancels where the mean is large.
struct ScaleShift {
  static constexpr std::string_view name = "batch_norm";
  auto operator()(auto x, auto mean, auto scale, auto shift) const { return (x - mean) * scale + shift; }
};

void check_input(std::string_view op, const Tensor& x, double eps) {
  detail::check_floating(op, {&x.array()});
  if (!(eps >= 0)) throw ValueError(fmt::format("{}: eps is {}; expected at least 0", op, eps));
}

void check_parameter(std::string_view op, const char* what, const Tensor& given, const Shape& expected,
                     const Tensor& x) {
  if (!given.defined()) return;
  if (given.shape() != expected)
    throw ShapeError(
        fmt::format("{}: {} has shape {}; expected {}", op, what, to_string(given.shape()), to_string(expected)));
  detail::check_same(op, x.dtype(), given.dtype());
}

Tensor or_full(const Tensor& given, const Shape& shape, double value, const Tensor& like) {
  return given.defined() ? given : full(shape, value, {.dtype = like.dtype()});
}

template <bool Centered>
Tensor over_last_axes(const Tensor& x, const Shape& normalized, const Tensor& weight, const Tensor& bias, double eps) {
  constexpr std::string_view op = Normalize<Centered>::name;
  check_input(op, x, eps);
  const int rank = normalized.rank();
  if (rank == 0 || rank > x.rank() || !std::equal(normalized.begin(), normalized.end(), x.shape().end() - rank))
    throw ShapeError(fmt::format("{}: x {} does not end in the normalized shape {}{}", op, to_string(x.shape()),
                                 to_string(normalized), rank == 0 ? "; name at least one axis" : ""));
  check_parameter(op, "weight", weight, normalized, x);
  check_parameter(op, "bias", bias, normalized, x);
  const Rows<Centered> rows{normalized, eps};
  if (!weight.defined() && !bias.defined()) return record(Normalize<Centered>{rows}, x);
  return record(NormalizeAffine<Centered>{rows}, x, or_full(weight, normalized, 1, x), or_full(bias, normalized, 0, x));
}

void check_channels(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  check_input(op, x, eps);
  if (x.rank() < 2)
    throw ShapeError(fmt::format("{}: x {} has no channels; expected (n, channels, …)", op, to_string(x.shape())));
  check_parameter(op, "weight", weight, {x.shape()[1]}, x);
  check_parameter(op, "bias", bias, {x.shape()[1]}, x);
}

/// Something of each channel, as it broadcasts to x.
Tensor channels(const Tensor& of_each, const Tensor& x) {
  Shape shape{of_each.numel()};
  for (int axis = 2; axis < x.rank(); ++axis) shape.push_back(1);
  return reshape(of_each, shape);
}

/// Packed rows of n elements, each normalised.
Tensor normalize_rows(const Tensor& x, std::int64_t rows, std::int64_t n, double eps) {
  return record(Normalize<true>{{Shape{n}, eps}}, reshape(x, {rows, n}));
}

/// y · weight + bias by channels, as far as they are given.
Tensor affine(const Tensor& y, const Tensor& weight, const Tensor& bias) {
  if (!weight.defined() && !bias.defined()) return y;
  const Shape each{y.shape()[1]};
  return map(Affine{}, y, channels(or_full(weight, each, 1, y), y), channels(or_full(bias, each, 0, y), y));
}

/// By the statistics of x itself.
BatchNormResult by_own_statistics(const Tensor& x, const BatchNormOptions& options) {
  const Tensor by_channel = transpose(x, {0, 1});
  const Shape& shape = by_channel.shape();
  const std::int64_t c = shape[0], n = detail::count("batch_norm", {shape.begin() + 1, shape.end()});
  if (n < 2)
    throw ValueError(
        fmt::format("batch_norm: x {} has {} values per channel, which have no variance; give more, or "
                    "the mean and var to use",
                    to_string(x.shape()), n));
  const Tensor rows = reshape(by_channel, {c, n});
  const Tensor y = transpose(reshape(normalize_rows(rows, c, n, options.eps), shape), {0, 1});
  return {affine(y, options.weight, options.bias), mean(rows, {.axes = 1}), var(rows, {.axes = 1})};
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const LayerNormOptions& options) {
  return over_last_axes<true>(x, normalized_shape, options.weight, options.bias, options.eps);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const RmsNormOptions& options) {
  const double smallest =
      x.dtype() == f64 ? std::numeric_limits<double>::epsilon() : double{std::numeric_limits<float>::epsilon()};
  return over_last_axes<false>(x, normalized_shape, options.weight, {}, options.eps.value_or(smallest));
}

Tensor group_norm(const Tensor& x, std::int64_t groups, const GroupNormOptions& options) {
  check_channels("group_norm", x, options.weight, options.bias, options.eps);
  if (groups < 1) throw ValueError(fmt::format("group_norm: {} groups; expected at least 1", groups));
  const std::int64_t c = x.shape()[1];
  if (c % groups != 0)
    throw ShapeError(
        fmt::format("group_norm: {} groups do not divide the {} channels of x {}", groups, c, to_string(x.shape())));
  const std::int64_t n = x.shape().numel() == 0 ? 0 : x.shape().numel() / x.shape()[0] / groups;
  const Tensor y = reshape(normalize_rows(x, n == 0 ? 0 : x.numel() / n, n, options.eps), x.shape());
  return affine(y, options.weight, options.bias);
}

BatchNormResult batch_norm(const Tensor& x, const BatchNormOptions& options) {
  check_channels("batch_norm", x, options.weight, options.bias, options.eps);
  const Shape each{x.shape()[1]};
  const Tensor &mean = options.mean, &var = options.var;
  check_parameter("batch_norm", "mean", mean, each, x);
  check_parameter("batch_norm", "var", var, each, x);
  if (mean.defined() != var.defined())
    throw ValueError("batch_norm: of mean and var only one is given; give both, or none to take those of x");
  if (!mean.defined()) return by_own_statistics(x, options);
  const Tensor scale = rsqrt(var + options.eps), shift = or_full(options.bias, each, 0, x);
  return {map(ScaleShift{}, x, channels(mean, x),
              channels(options.weight.defined() ? scale * options.weight : scale, x), channels(shift, x)),
          mean, var};
}

}  // namespace gradtape::inline v0
