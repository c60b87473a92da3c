#pragma once

#include <gradtape/nn/linear.hpp>
#include <gradtape/nn/sequential.hpp>
#include <gradtape/ops/activation.hpp>

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace gradtape::inline v0::nn {

/// Widths of an MLP's layers, input first: `{784, 128, 10}`, or a vector.
class Widths {
 public:
  Widths(std::initializer_list<Integer> widths);                                     ///< input first
  explicit Widths(std::vector<std::int64_t> widths) : values_(std::move(widths)) {}  ///< the same
  const std::vector<std::int64_t>& values() const { return values_; }                ///< input first

 private:
  std::vector<std::int64_t> values_;
};

/// Options of MLP.
struct MLPOptions {
  Activation activation = Activation(relu);  ///< after every layer but the last
};

/// Multilayer perceptron: Linear layers with an activation between them, the output linear. (n, first) -> (n, last).
/// Throws ValueError for fewer than two widths or a width below 1.
class MLP : public Module {
 public:
  /// Weights start as those of Linear.
  explicit MLP(const Widths& widths, const MLPOptions& options = {});

  Tensor operator()(const Tensor& x) const;  ///< (n, first) -> (n, last)
  void visit(Visitor& v) override;

  std::vector<Linear> layers;  ///< from input to output

 private:
  Activation activation_;
};

}  // namespace gradtape::inline v0::nn
