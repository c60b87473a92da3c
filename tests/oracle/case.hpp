#pragma once

/// \file
/// Random calls of an op in both libraries, compared in value and gradient.

#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "libtorch.hpp"
#include "random.hpp"

namespace oracle {

/// Calls f(x…), for an op by name with its options left out.
template <class F, class... X>
auto call_by_name(const F& f, const X&... x) {
  if constexpr (std::invocable<const F&, const X&...>)
    return f(x...);
  else
    return gt::detail::call(f, x...);
}

/// One call of an op, in both libraries.
struct Case {
  std::vector<gt::Tensor> inputs;
  std::function<gt::Tensor(const std::vector<gt::Tensor>&)> ours;
  std::function<torch::Tensor(const std::vector<torch::Tensor>&)> theirs;
};

template <std::size_t N, class F>
auto spread(F f) {
  return [f](const auto& x) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return call_by_name(f, x[I]...);
    }(std::make_index_sequence<N>{});
  };
}

template <std::size_t N, class Ours, class Theirs>
Case call(const gt::Tensor (&inputs)[N], Ours ours, Theirs theirs) {
  return {{std::begin(inputs), std::end(inputs)}, spread<N>(ours), spread<N>(theirs)};
}

/// The libraries share so many names that most ops are one text, read by argument-dependent lookup.
template <std::size_t N, class F>
Case call(const gt::Tensor (&inputs)[N], F both) {
  return call(inputs, both, both);
}

using Maker = std::function<Case(Random&)>;
using Table = std::vector<std::pair<std::string, Maker>>;

template <class F>
Maker unary(gt::Tensor (Random::*sample)(const gt::Shape&), F f) {
  return [=](Random& r) { return call({(r.*sample)(r.shape(0))}, f); };
}

template <class Ours, class Theirs>
Maker unary(gt::Tensor (Random::*sample)(const gt::Shape&), Ours ours, Theirs theirs) {
  return [=](Random& r) { return call({(r.*sample)(r.shape(0))}, ours, theirs); };
}

template <class F>
Maker binary(gt::Tensor (Random::*first)(const gt::Shape&), gt::Tensor (Random::*second)(const gt::Shape&), F f) {
  return [=](Random& r) {
    const gt::Shape shape = r.shape(0), small = r.stretchable(shape);
    return r.coin() ? call({(r.*first)(shape), (r.*second)(small)}, f)
                    : call({(r.*first)(small), (r.*second)(shape)}, f);
  };
}

template <class Ours, class Theirs>
Maker reduction(gt::Tensor (Random::*sample)(const gt::Shape&), gt::Shape (Random::*shape)(int, int), Ours ours,
                Theirs theirs) {
  return [=](Random& r) {
    const gt::Tensor x = (r.*sample)((r.*shape)(1, 4));
    gt::ReduceOptions options{.axes = {}, .keepdims = r.coin()};
    std::vector<std::int64_t> axes;
    for (int axis = 0; axis < x.rank(); ++axis)
      if (r.coin() || (axes.empty() && axis + 1 == x.rank())) {
        options.axes.push_back(axis - (r.coin() ? x.rank() : 0));
        axes.push_back(axis);
      }
    return call(
        {x}, [=](const gt::Tensor& t) { return ours(t, options); },
        [=](const torch::Tensor& t) { return theirs(t, axes, options.keepdims); });
  };
}

inline constexpr auto any = &Random::any, positive = &Random::positive, tied = &Random::tied,
                      kink = &Random::away_from_zero;

inline std::vector<gt::Tensor> vjp(const Case& c, const gt::Tensor& g) {
  const auto f = [&](const auto&... x) { return c.ours({x...}); };
  const auto list = [](auto array) { return std::vector<gt::Tensor>(array.begin(), array.end()); };
  const auto& x = c.inputs;
  if (x.size() == 1) return list(gt::vjp(f, {x[0]}, g));
  if (x.size() == 2) return list(gt::vjp(f, {x[0], x[1]}, g));
  return list(gt::vjp(f, {x[0], x[1], x[2]}, g));
}

inline void compare(const Case& c, Random& r) {
  std::vector<torch::Tensor> inputs, floating;
  for (const gt::Tensor& x : c.inputs) {
    inputs.push_back(to_torch(x));
    if (gt::is_floating(x.dtype())) floating.push_back(inputs.back().set_requires_grad(true));
  }
  const gt::Tensor y = c.ours(c.inputs);
  const torch::Tensor expected = c.theirs(inputs);
  check_equal(y, expected);
  if (!expected.requires_grad()) return;

  const gt::Tensor g = r.any(y.shape()).to(y.dtype());
  auto gradients = torch::autograd::grad({expected}, floating, {to_torch(g)}, {}, false, true);
  const std::vector<gt::Tensor> ours = vjp(c, g);
  for (std::size_t i = 0, next = 0; i < c.inputs.size(); ++i) {
    if (!gt::is_floating(c.inputs[i].dtype())) continue;
    const torch::Tensor& theirs = gradients[next++];
    check_equal(ours[i], theirs.defined() ? theirs : torch::zeros_like(inputs[i]));
  }
}

inline void compare(const Table& table) {
  constexpr unsigned cases = 8;
  for (const auto& [name, make] : table)
    for (const gt::Dtype dtype : {gt::f32, gt::f64})
      for (unsigned i = 0; i < cases; ++i) {
        Random random(i, dtype, i == 0);
        const Case c = make(random);
        std::string shapes;
        for (const gt::Tensor& x : c.inputs) shapes += to_string(x.shape()) + " ";
        INFO(name << ", case " << i << ": " << shapes << to_string(dtype));
        compare(c, random);
      }
}

}  // namespace oracle
