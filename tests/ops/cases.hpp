#pragma once

/// \file
/// What the tests of the ops share: the matrix of shapes, views and broadcasts that every op is checked over,
/// references by plain loops over std:: functions, and comparisons to the bit.

#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace cases {

namespace gt = gradtape;

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Makes an f64 input of a shape.
using Sampler = std::function<gt::Tensor(const gt::Shape&)>;

inline Sampler between(double low, double high) {
  return [=](const gt::Shape& shape) { return gt::uniform(shape, {.low = low, .high = high, .dtype = gt::f64}); };
}
inline Sampler away_from(double point) {
  return [=](const gt::Shape& shape) { return gt::away_from(point, shape, {.dtype = gt::f64}); };
}

/// Scalar, size 1, vectors below and past a SIMD register, matrix, 3-d, and nothing at all.
inline std::vector<gt::Shape> shapes() { return {{}, {1}, {3}, {37}, {3, 4}, {1, 1}, {2, 3, 5}, {0}, {3, 0}, {0, 3}}; }

/// One way to read some of a tensor's elements without a copy.
struct View {
  std::string name;
  gt::Shape base;
  std::function<gt::Tensor(const gt::Tensor&)> of;
};

inline std::vector<View> views() {
  using gt::Slice, gt::Tensor;
  return {
      {"transposed", {4, 3}, [](const Tensor& x) { return gt::transpose(x); }},
      {"outer axes swapped",
       {2, 3, 5},
       [](const Tensor& x) {
         return gt::transpose(x, {0, 2});
       }},
      {"rows",
       {5, 7},
       [](const Tensor& x) {
         return x[{Slice{1, 4}}];
       }},
      {"columns",
       {5, 7},
       [](const Tensor& x) {
         return x[{Slice{}, Slice{2, 6}}];
       }},
      {"one column",
       {37, 3},
       [](const Tensor& x) {
         return x[{Slice{}, 1}];
       }},
      {"odd offset",
       {41},
       [](const Tensor& x) {
         return x[{Slice{3, 40}}];
       }},
      {"stretched",
       {3, 1},
       [](const Tensor& x) {
         return gt::broadcast_to(x, {2, 3, 70});
       }},
      {"backwards",
       {5, 70},
       [](const Tensor& x) {
         return x[{Slice{.step = -1}, Slice{.step = -2}}];
       }},
      {"overlapping windows", {41}, [](const Tensor& x) { return gt::unfold(x, 0, 5, 1); }},
      {"transposed long rows", {70, 3}, [](const Tensor& x) { return gt::transpose(x); }},
  };
}

/// Shapes that broadcast to a common one; every pair is to be tried both ways round.
inline std::vector<std::pair<gt::Shape, gt::Shape>> broadcasts() {
  return {
      {{3, 4}, {3, 4}},
      {{37}, {37}},
      {{3, 4}, {4}},
      {{3, 4}, {1, 4}},
      {{3, 4}, {3, 1}},
      {{3, 4}, {}},
      {{37}, {1}},
      {{}, {}},
      {{3, 1}, {1, 4}},
      {{5, 3}, {3}},
      {{2, 3, 5}, {5}},
      {{2, 3, 5}, {3, 1}},
      {{2, 3, 5}, {2, 1, 5}},
      {{2, 1, 5}, {3, 1}},
      {{3, 70}, {70}},
      {{3, 70}, {3, 1}},
      {{70, 3}, {70, 1}},
      {{2, 3, 67}, {3, 1}},
      {{2, 3, 67}, {2, 1, 67}},
      {{3, 600}, {600}},
      {{0}, {1}},
      {{0, 4}, {4}},
      {{3, 0}, {3, 1}},
      {{2, 1, 1, 3}, {4, 1, 1}},
  };
}

/// `gradcheck` of a function of one tensor, orders 1 and 2, over shapes and views.
template <class F>
void gradcheck_all(const F& f, const Sampler& sample) {
  const gt::RandomStream random(11);
  for (const gt::Shape& shape : shapes()) {
    CAPTURE(gt::to_string(shape));
    CHECK(gt::gradcheck(f, sample(shape)));
  }
  for (const View& view : views()) {
    CAPTURE(view.name);
    CHECK(gt::gradcheck([&](const gt::Tensor& x) { return gt::detail::call(f, view.of(x)); }, sample(view.base)));
  }
}

/// `gradcheck` of a function of two tensors, orders 1 and 2, over broadcasts both ways round and views on either side.
template <class F>
void gradcheck_all(const F& f, const Sampler& a, const Sampler& b) {
  const gt::RandomStream random(12);
  for (const auto& [left, right] : broadcasts()) {
    CAPTURE(gt::to_string(left));
    CAPTURE(gt::to_string(right));
    CHECK(gt::gradcheck(f, {a(left), b(right)}));
    CHECK(gt::gradcheck(f, {a(right), b(left)}));
  }
  for (const View& view : views()) {
    CAPTURE(view.name);
    const gt::Shape packed = view.of(gt::zeros(view.base)).shape();
    CHECK(gt::gradcheck([&](const gt::Tensor& x, const gt::Tensor& y) { return f(view.of(x), y); },
                        {a(view.base), b(packed)}));
    CHECK(gt::gradcheck([&](const gt::Tensor& x, const gt::Tensor& y) { return f(x, view.of(y)); },
                        {a(packed), b(view.base)}));
    CHECK(gt::gradcheck([&](const gt::Tensor& x, const gt::Tensor& y) { return f(view.of(x), view.of(y)); },
                        {a(view.base), b(view.base)}));
  }
}

/// Where the element at flat index `i` of `out` comes from in a packed operand of `shape` that is broadcast to it.
inline std::size_t source(std::int64_t i, const gt::Shape& out, const gt::Shape& shape) {
  std::int64_t at = 0, step = 1;
  for (int axis = -1; axis >= -out.rank(); --axis) {
    if (axis < -shape.rank()) break;
    const std::int64_t here = i % out[axis];
    i /= out[axis];
    if (shape[axis] != 1) at += here * step;
    step *= shape[axis];
  }
  return static_cast<std::size_t>(at);
}

/// Elements of any floating dtype, in double.
inline std::vector<double> doubles(const gt::Tensor& x) { return x.to(gt::f64).to_vector<double>(); }

/// A vector of these numbers.
inline gt::Tensor vector(const std::vector<double>& values, gt::Dtype dtype = gt::f64) {
  return gt::tensor(std::span(values), {values.size()}).to(dtype);
}

/// Value and gradients of `op` against plain loops over f(a, b), df/da and df/db on doubles: every broadcast both ways
/// round, f32 and f64. Samples are rounded to f32, so that both dtypes compute with the same numbers.
template <class Op, class F, class Da, class Db>
void check_against_loops(const Op& op, F f, Da da, Db db, const Sampler& a_sample, const Sampler& b_sample) {
  const gt::RandomStream random(13);
  auto pairs = broadcasts();
  for (std::size_t i = 0, n = pairs.size(); i < n; ++i) pairs.emplace_back(pairs[i].second, pairs[i].first);
  for (const auto& [left, right] : pairs)
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      CAPTURE(gt::to_string(left));
      CAPTURE(gt::to_string(right));
      const gt::Tensor a = a_sample(left).to(gt::f32).to(dtype), b = b_sample(right).to(gt::f32).to(dtype);
      const gt::Tensor y = op(a, b), g = between(-1, 1)(y.shape()).to(gt::f32).to(dtype);
      const auto av = doubles(a), bv = doubles(b), gv = doubles(g);
      std::vector<double> value, a_grad(av.size()), b_grad(bv.size());
      for (std::int64_t i = 0; i < y.numel(); ++i) {
        const std::size_t at_a = source(i, y.shape(), left), at_b = source(i, y.shape(), right);
        value.push_back(f(av[at_a], bv[at_b]));
        a_grad[at_a] += gv[static_cast<std::size_t>(i)] * da(av[at_a], bv[at_b]);
        b_grad[at_b] += gv[static_cast<std::size_t>(i)] * db(av[at_a], bv[at_b]);
      }
      const auto close = [&](const std::vector<double>& values, const gt::Shape& shape) {
        return gt::approx(gt::tensor(std::span(values), shape).to(dtype))
            .atol(dtype == gt::f32 ? 2e-5 : 1e-12);  // of sums
      };
      const auto [ga, gb] = gt::vjp(op, {a, b}, g);
      CHECK(y == close(value, y.shape()));
      CHECK(ga == close(a_grad, left));
      CHECK(gb == close(b_grad, right));
    }
}

/// Same shape, dtype and bits; unlike gt::equal, NaN is itself and -0 is not 0.
inline bool same_bits(const gt::Tensor& a, const gt::Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const gt::Array x = gt::packed(a.array()), y = gt::packed(b.array());
  return std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.numel()) * gt::size_of(x.dtype())) == 0;
}

/// Units in the last place (those of T at `expected`) between a computed value and the exact one; NaN agrees with NaN.
template <class T>
double ulps(double actual, double expected) {
  if (actual == expected || (std::isnan(actual) && std::isnan(expected))) return 0;
  if (!std::isfinite(actual) || !std::isfinite(expected)) return inf;
  const T at = std::max(std::abs(static_cast<T>(expected)), std::numeric_limits<T>::min());
  return std::abs(actual - expected) / static_cast<double>(std::nextafter(at, std::numeric_limits<T>::infinity()) - at);
}

/// The message of the E that `f` throws.
template <class E, class F>
std::string message_of(F f) {
  try {
    static_cast<void>(f());
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing thrown)";
}

}  // namespace cases
