#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/position.hpp>

#include <cstdint>
#include <string>

namespace gradtape::inline v0::nn {

/// x + `sinusoidal_positions`: (…, t, width) -> the same.
class SinusoidalPositions : public Module {
 public:
  /// A table for sequences of up to `length` positions. Throws ValueError for a negative size.
  SinusoidalPositions(std::int64_t length, std::int64_t width, double base = 10000);

  /// With the positions 0 … t-1. Throws ShapeError for another width or more positions than the table has.
  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& v) override { v("table", table); }
  std::string description() const override;

  Buffer table;  ///< [length, width]
};

/// `rotary_embedding`, for the queries and keys of a head: (…, t, c) -> the same.
class RotaryPositions : public Module {
 public:
  explicit RotaryPositions(const RotaryOptions& options = {}) : options_(options) {}  ///< as the op takes them

  /// Turned by position. Throws ShapeError below rank 2 or for an odd width.
  Tensor operator()(const Tensor& x) const { return rotary_embedding(x, options_); }
  void visit(Visitor&) override {}
  std::string description() const override;

 private:
  RotaryOptions options_;
};

}  // namespace gradtape::inline v0::nn
