#pragma once

#include <gradtape/gradtape.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

/// A leaf with gradients that are known at every step, to compare optimizers with their recurrences.
namespace one_leaf {

namespace gt = gradtape;

constexpr std::size_t size = 37;  // past every SIMD width, and prime

/// Element i at the start.
inline double initial(std::size_t i) { return std::cos(static_cast<double>(i)); }

/// The gradient of element i at a step: anything that changes from step to step.
inline double slope(int step, std::size_t i) { return std::sin(1.7 * step + 0.3 * static_cast<double>(i)); }

inline gt::Tensor start() {
  std::vector<double> w(size);
  for (std::size_t i = 0; i < size; ++i) w[i] = initial(i);
  return gt::parameter(gt::tensor(std::span<const double>(w), {size}));
}

/// Leaves slope(step, i) in w.grad().
inline void set_gradient(const gt::Tensor& w, int step) {
  std::vector<double> g(size);
  for (std::size_t i = 0; i < size; ++i) g[i] = slope(step, i);
  w.zero_grad();
  gt::sum(w * gt::tensor(std::span<const double>(g), {size}).to(w.dtype())).backward();
}

/// Steps of an optimizer in f64 and f32, at the rate lr / (t + 1) in step t, against `expected`, computed in plain
/// double.
template <class Optimizer, class Options>
void check_steps(const Options& options, int steps, const std::vector<double>& expected) {
  const gt::Tensor w = start(), single = gt::parameter(w.detach().to(gt::f32));
  Optimizer opt({w, single}, options);
  for (int t = 0; t < steps; ++t) {
    set_gradient(w, t), set_gradient(single, t);
    opt.lr = options.lr / (t + 1);
    opt.step();
  }
  const auto got = w.to_vector<double>();
  const auto got_single = single.to_vector<float>();
  for (std::size_t i = 0; i < size; ++i) {
    CHECK(std::abs(got[i] - expected[i]) < 1e-13);
    CHECK(std::abs(static_cast<double>(got_single[i]) - expected[i]) < 2e-6);
  }
}

template <class Optimizer, class Options>
void check_option_error(const Options& options, const char* message) {
  CHECK_THROWS_WITH_AS(Optimizer({start()}, options), message, gt::ValueError);
}

/// A step writes into the same memory, unless a graph still needs the values.
template <class Optimizer, class Options>
void check_in_place(const Options& options) {
  const gt::Tensor w = start();
  Optimizer opt({w}, options);
  set_gradient(w, 0);
  const double* data = w.span<double>().data();
  opt.step();
  CHECK(w.span<double>().data() == data);

  const gt::Tensor loss = gt::sum(gt::square(w)), before = w.detach();  // both hold the values of now
  const std::vector<double> values = before.to_vector<double>();
  opt.step();
  CHECK(before.to_vector<double>() == values);
  w.zero_grad();
  loss.backward();
  CHECK(w.grad() == gt::approx(2 * before));
}

/// The message names the optimizer.
template <class Optimizer>
void check_wants_leaves(const std::string& name) {
  const gt::Tensor w = start();
  const std::string message =
      name + ": this tensor of shape " + gt::to_string(w.shape()) +
      " is no leaf: only leaves, made by gradtape::parameter, keep a gradient and can be assigned";
  CHECK_THROWS_WITH_AS(Optimizer({w.detach()}), message.c_str(), gt::GradientError);
  CHECK_THROWS_WITH_AS(Optimizer({w, 2 * w}), message.c_str(), gt::GradientError);
  CHECK_THROWS_AS(Optimizer({gt::Tensor()}), gt::Error);
}

}  // namespace one_leaf
