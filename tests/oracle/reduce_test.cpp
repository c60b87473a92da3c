#include <limits>

#include "case.hpp"

namespace {

using namespace oracle;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr auto distinct = &Random::distinct;

/// A function of x and an axis in both libraries, on operands with elements.
template <class Ours, class Theirs>
Maker along(gt::Tensor (Random::*sample)(const gt::Shape&), Ours ours, Theirs theirs) {
  return [=](Random& r) {
    const gt::Tensor x = (r.*sample)(r.filled_shape());
    const int axis = r.axis(x);
    return call(
        {x}, [=](const gt::Tensor& t) { return ours(t, axis); },
        [=](const torch::Tensor& t) { return theirs(t, axis); });
  };
}

template <class Theirs>
Maker filled(gt::Tensor (Random::*sample)(const gt::Shape&),
             gt::Tensor (*ours)(const gt::Tensor&, const gt::ReduceOptions&), Theirs theirs) {
  return reduction(sample, &Random::filled_shape, ours, theirs);
}

Maker norm(gt::Tensor (Random::*sample)(const gt::Shape&), double p) {
  const auto ours = [=](const gt::Tensor& x, const gt::ReduceOptions& o) {
    return gt::norm(x, {.p = p, .axes = o.axes, .keepdims = o.keepdims});
  };
  const auto theirs = [=](const torch::Tensor& x, auto& axes, bool keep) {
    return torch::linalg_vector_norm(x, p, axes, keep);
  };
  return reduction(sample, &Random::filled_shape, ours, theirs);
}

/// var with a correction of 0 or, where there is more than one element, 1.
template <class Theirs>
Maker spread(gt::Tensor (*ours)(const gt::Tensor&, const gt::VarOptions&), Theirs theirs) {
  return [=](Random& r) {
    const gt::Tensor x = r.any(r.filled_shape());
    const int axis = r.axis(x), correction = x.shape()[axis] > 1 ? r.integer(0, 1) : 0;
    const bool keep = r.coin();
    return call(
        {x},
        [=](const gt::Tensor& t) {
          return ours(t, {.axes = axis, .correction = static_cast<double>(correction), .keepdims = keep});
        },
        [=](const torch::Tensor& t) { return theirs(t, axis, correction, keep); });
  };
}

using Axes = const std::vector<std::int64_t>&;

const Table reductions = {
    {"sum",
     reduction(any, &Random::shape, gt::sum, [](const auto& x, Axes axes, bool keep) { return x.sum(axes, keep); })},
    {"mean", filled(any, gt::mean, [](const auto& x, Axes axes, bool keep) { return x.mean(axes, keep); })},
    {"max", filled(distinct, gt::max, [](const auto& x, Axes axes, bool keep) { return x.amax(axes, keep); })},
    {"max of ties", filled(tied, gt::max, [](const auto& x, Axes axes, bool keep) { return x.amax(axes, keep); })},
    {"min", filled(distinct, gt::min, [](const auto& x, Axes axes, bool keep) { return x.amin(axes, keep); })},
    {"min of ties", filled(tied, gt::min, [](const auto& x, Axes axes, bool keep) { return x.amin(axes, keep); })},
    {"prod", along(
                 any, [](const auto& x, int axis) { return gt::prod(x, {.axes = axis}); },
                 [](const auto& x, int axis) { return x.prod(axis); })},
    {"prod with zeros", along(
                            tied, [](const auto& x, int axis) { return gt::prod(x, {.axes = axis}); },
                            [](const auto& x, int axis) { return x.prod(axis); })},
    {"argmax", along(
                   distinct, [](const auto& x, int axis) { return gt::argmax(x, {.axis = axis}); },
                   [](const auto& x, int axis) { return x.argmax(axis); })},
    {"argmin", along(
                   distinct, [](const auto& x, int axis) { return gt::argmin(x, {.axis = axis}); },
                   [](const auto& x, int axis) { return x.argmin(axis); })},
    {"any", along(
                tied, [](const auto& x, int axis) { return gt::any(x, {.axes = axis}); },
                [](const auto& x, int axis) { return x.any(axis); })},
    {"all", along(
                tied, [](const auto& x, int axis) { return gt::all(x, {.axes = axis}); },
                [](const auto& x, int axis) { return x.all(axis); })},
    {"count_nonzero", along(
                          tied, [](const auto& x, int axis) { return gt::count_nonzero(x, {.axes = axis}); },
                          [](const auto& x, int axis) { return x.count_nonzero(c10::optional<std::int64_t>(axis)); })},
    {"var", spread(gt::var, [](const auto& x, int axis, int correction,
                               bool keep) { return x.var(at::IntArrayRef{axis}, std::int64_t{correction}, keep); })},
    {"std",  // where all elements are equal its gradient is what rounding makes of 0 / 0
     [](Random& r) {
       gt::Shape shape = r.filled_shape();
       shape.set(-1, r.integer(2, 9));
       return call(
           {r.distinct(shape)}, [](const gt::Tensor& x) { return gt::std(x, {.axes = -1}); },
           [](const torch::Tensor& x) { return x.std(-1); });
     }},
    {"logsumexp",
     filled(any, gt::logsumexp, [](const auto& x, Axes axes, bool keep) { return x.logsumexp(axes, keep); })},
    {"norm", norm(any, 2)},
    {"norm with zeros", norm(tied, 2)},
    {"1-norm", norm(tied, 1)},
    {"0-norm", norm(tied, 0)},
    {"inf-norm", norm(tied, inf)},
    {"-inf-norm", norm(tied, -inf)},
    {"3-norm", norm(tied, 3)},
    {"1.5-norm", norm(tied, 1.5)},
    {"0.5-norm", norm(kink, 0.5)},
    {"cumsum", along(
                   any, [](const auto& x, int axis) { return gt::cumsum(x, {axis}); },
                   [](const auto& x, int axis) { return x.cumsum(axis); })},
    {"cumprod", along(
                    any, [](const auto& x, int axis) { return gt::cumprod(x, {axis}); },
                    [](const auto& x, int axis) { return x.cumprod(axis); })},
    {"cumprod with zeros", along(
                               tied, [](const auto& x, int axis) { return gt::cumprod(x, {axis}); },
                               [](const auto& x, int axis) { return x.cumprod(axis); })},
    {"sort", along(
                 tied, [](const auto& x, int axis) { return gt::sort(x, {axis}).values; },
                 [](const auto& x, int axis) { return std::get<0>(x.sort(true, axis, false)); })},
    {"sort, indices", along(
                          tied,
                          [](const auto& x, int axis) {
                            return gt::sort(x, {axis, true}).indices;
                          },
                          [](const auto& x, int axis) { return std::get<1>(x.sort(true, axis, true)); })},
    {"argsort", along(
                    distinct, [](const auto& x, int axis) { return gt::argsort(x, {axis}); },
                    [](const auto& x, int axis) { return x.argsort(static_cast<std::int64_t>(axis), false); })},
    {"topk", along(
                 distinct, [](const auto& x, int axis) { return gt::topk(x, x.shape()[axis] / 2, {axis}).values; },
                 [](const auto& x, int axis) { return std::get<0>(x.topk(x.size(axis) / 2, axis)); })},
    {"topk, indices", along(
                          distinct,
                          [](const auto& x, int axis) {
                            return gt::topk(x, 1, {axis, false}).indices;
                          },
                          [](const auto& x, int axis) { return std::get<1>(x.topk(1, axis, false)); })},
    {"median", along(
                   distinct, [](const auto& x, int axis) { return gt::median(x, {.axis = axis}); },
                   [](const auto& x, int axis) { return std::get<0>(x.median(axis)); })},
    {"median of all",
     [](Random& r) { return call({r.distinct(r.filled_shape())}, [](const auto& x) { return median(x); }); }},
};

}  // namespace

TEST_CASE("oracle: reductions, scans and orders agree with libtorch") { compare(reductions); }
