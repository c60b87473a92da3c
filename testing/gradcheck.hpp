#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/functional.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gradtape::inline v0 {

/// A test of derivatives, run when converted to bool: `CHECK(gt::gradcheck(gt::sigmoid, x));`. Prints the diagnosis of
/// that run.
///
/// Computes in f64 (floating inputs are converted, the default dtype is f64 meanwhile; integer inputs pass as they
/// are). Order 1 compares the rule with 4-point differences along random directions,
///   (8·(φ(h) - φ(-h)) - (φ(2h) - φ(-2h))) / 12h  with  φ(t) = gᵀ·f(x + t·d),
/// order n with differences of the derivative of order n-1. Also checked: the shapes and finiteness of value and
/// gradients, that the rule is linear in the gradient, that it gives the same derivative forwards (gᵀ·jvp(t) =
/// vjp(g)·t), that inputs stay unchanged, that the gradient of one input does not depend on which others need one, and
/// that the op fills all of its output. On failure the whole gradient is compared element by element.
class GradCheck {
 public:
  using Function = gradtape::Function<Tensor(std::span<const Tensor>)>;  ///< of all inputs at once
  /// Checks f at these inputs; nothing runs yet.
  GradCheck(Function f, std::vector<Tensor> inputs) : f_(std::move(f)), inputs_(std::move(inputs)) {}

  GradCheck order(int n) &&;           ///< check derivatives up to this order; 2 unless told, at least 1
  GradCheck rtol(double value) &&;     ///< relative tolerance at every order; 1e-6 at order 1, 1e-5 above
  GradCheck atol(double value) &&;     ///< absolute tolerance; 1e-8
  GradCheck seed(std::uint64_t n) &&;  ///< of the random directions and gradients; 1

  explicit operator bool();                                                    ///< runs the check, once
  friend std::ostream& operator<<(std::ostream& out, const GradCheck& check);  ///< the diagnosis of that run

 private:
  void run();

  Function f_;
  std::vector<Tensor> inputs_;
  int order_ = 2;
  double rtol_ = 0, atol_ = 1e-8;
  std::uint64_t seed_ = 1;
  bool done_ = false;
  std::string failure_;
};

/// Checks the derivatives of `f` at one input.
template <class F, std::derived_from<Tensor> T>
GradCheck gradcheck(F f, const T& x) {
  return GradCheck(detail::on_span<1>(std::move(f)), {x});
}

/// Checks the derivatives of `f` at several inputs.
template <class F, std::size_t N>
GradCheck gradcheck(F f, const Tensor (&x)[N]) {
  return GradCheck(detail::on_span<N>(std::move(f)), std::vector<Tensor>(std::begin(x), std::end(x)));
}

}  // namespace gradtape::inline v0
