#pragma once

/// \file
/// What tests of elementwise ops share: rows over all shapes, and comparison with functions in long double, in ulps.

#include <string>
#include <vector>

#include <ops/rows.hpp>

namespace cases {

using L = long double;

inline gt::Tensor integers(const gt::Shape& shape) { return gt::zeros(shape, {.dtype = gt::i64}); }
inline gt::Tensor booleans(const gt::Shape& shape) { return gt::zeros(shape, {.dtype = gt::boolean}); }

/// The misuse of a function of one tensor that is for f32 and f64 only; or for i64 too.
template <class F>
Misuse no_integers(const std::string& op, F f) {
  return {op + ": no meaning for i64; convert with .to(gradtape::f32)", [f] { gt::detail::call(f, integers({2})); }};
}
template <class F>
Misuse no_booleans(const std::string& op, F f) {
  return {op + ": no meaning for boolean; convert with .to(gradtape::f32)",
          [f] { gt::detail::call(f, booleans({2})); }};
}

/// The misuse of a function of two tensors.
template <class F>
std::vector<Misuse> unlike(const std::string& op, F f) {
  return {{op + ": shapes [2, 3] and [4] do not broadcast: axis -1 has 3 against 4; sizes must be equal or 1",
           [f] {
             f(gt::zeros({2, 3}), gt::zeros({4}));
           }},
          {op + ": dtypes f32 and f64 do not mix; convert one with .to(gradtape::f32)",
           [f] { f(gt::zeros({2}), gt::zeros({2}, {.dtype = gt::f64})); }}};
}

/// The row of a function of one tensor of f32 or f64.
template <class F>
Row floating(const std::string& op, F f, const Sampler& sample, int order = 2) {
  return {op, unary(f, sample), {no_integers(op, f)}, order};
}
/// Of one that takes i64 too.
template <class F>
Row numeric(const std::string& op, F f, const Sampler& sample, int order = 2) {
  return {op, unary(f, sample), {no_booleans(op, f)}, order};
}
/// Of a function of two tensors; `name` is what messages call it.
template <class F>
Row pairwise(const std::string& op, const std::string& name, F f, const Sampler& a, const Sampler& b, int order = 2) {
  return {op, binary(f, a, b), unlike(name, f), order};
}

/// The row with more calls and misuse.
inline Row also(Row row, const std::vector<Call>& calls, const std::vector<Misuse>& misuse = {}) {
  row.calls.insert(row.calls.end(), calls.begin(), calls.end());
  row.misuse.insert(row.misuse.end(), misuse.begin(), misuse.end());
  return row;
}

/// An op of one tensor, with its default options if it has any.
struct Unary : std::function<gt::Tensor(const gt::Tensor&)> {
  template <class F>
  Unary(F f) : function([f](const gt::Tensor& x) { return gt::detail::call(f, x); }) {}
};

/// A function of one number, and its derivative, in long double.
struct Exact {
  std::string name;
  Unary op;
  std::function<L(L)> value, slope;
};

template <class T>
double distance(double actual, L exact) {
  return ulps<T>(actual, static_cast<double>(static_cast<T>(exact)));
}

/// The largest distances of values and of gradients from the exact ones at these points, in ulps of T.
template <class T>
std::pair<double, double> worst_ulps(const Exact& f, const gt::Tensor& x) {
  const auto in = doubles(x), out = doubles(f.op(x)), slopes = doubles(gt::vjp(f.op, x, gt::ones_like(x)));
  std::pair<double, double> worst{0, 0};
  for (std::size_t i = 0; i < in.size(); ++i) {
    worst.first = std::max(worst.first, distance<T>(out[i], f.value(in[i])));
    worst.second = std::max(worst.second, distance<T>(slopes[i], f.slope(in[i])));
  }
  return worst;
}

/// Where and how closely a function is compared.
struct Range {
  double low, high;
  double value = 2, slope = 4;  ///< ulps at most
};

inline void check(const Exact& f, const std::vector<Range>& ranges) {
  CAPTURE(f.name);
  const gt::RandomStream random(21);
  for (const Range& range : ranges) {
    CAPTURE(range.low);
    CAPTURE(range.high);
    const auto x = between(range.low, range.high)({5000});
    const auto in_f32 = worst_ulps<float>(f, x.to(gt::f32)), in_f64 = worst_ulps<double>(f, x);
    CHECK(in_f32.first <= range.value);
    CHECK(in_f32.second <= range.slope);
    CHECK(in_f64.first <= range.value);
    CHECK(in_f64.second <= range.slope);
  }
}

/// At single points, in both dtypes; what is NaN must be NaN.
inline void check_points(const Exact& f, const std::vector<double>& points, double value = 2, double slope = 4) {
  CAPTURE(f.name);
  for (const double point : points) {
    CAPTURE(point);
    const auto in_f32 = worst_ulps<float>(f, vector({point}, gt::f32)), in_f64 = worst_ulps<double>(f, vector({point}));
    CHECK(in_f32.first <= value);
    CHECK(in_f32.second <= slope);
    CHECK(in_f64.first <= value);
    CHECK(in_f64.second <= slope);
  }
}

}  // namespace cases
