#pragma once

#include <gradtape/core/print.hpp>
#include <gradtape/core/tensor.hpp>

#include <iosfwd>
#include <string>

namespace gradtape::inline v0 {

/// What `CHECK(tensor == gt::approx(expected))` compares with: same shape and dtype, and every element within
/// atol + rtol·|expected|; equal infinities agree, NaN agrees with NaN. Defaults: 1e-5 and 1e-6 for f32, 1e-10 and
/// 1e-12 for f64, rtol first. Integers and booleans must be equal.
class Approx {
 public:
  explicit Approx(Tensor expected);  ///< tolerances by its dtype
  Approx rtol(double value) const;   ///< another relative tolerance
  Approx atol(double value) const;   ///< another absolute tolerance

  /// Empty if `actual` agrees, else what differs and where it differs most.
  std::string difference(const Tensor& actual) const;
  const Tensor& expected() const { return expected_; }  ///< what it compares with

  /// Within tolerance.
  friend bool operator==(const Tensor& actual, const Approx& approx) { return approx.matches(actual); }
  friend std::ostream& operator<<(std::ostream& out, const Approx& approx);  ///< expected, and what differs

 private:
  bool matches(const Tensor& actual) const;

  Tensor expected_;
  double rtol_, atol_;
  mutable std::string difference_;  // of the last comparison, for printing
};

inline Approx approx(Tensor expected) { return Approx(std::move(expected)); }

}  // namespace gradtape::inline v0
