#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/pooling.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/upsample.hpp>

#include <string>

namespace gradtape::inline v0::nn {

// Layers that change the size of images and have no parameters.

/// max_pool2d: x (…, h, w) -> (…, h', w').
class MaxPool2d : public Module {
 public:
  /// Throws ValueError for a kernel or an option out of its range.
  explicit MaxPool2d(const IntegerList& kernel, const MaxPoolOptions& options = {});

  Tensor operator()(const Tensor& x) const { return max_pool2d(x, kernel_, options_); }  ///< applies it
  void visit(Visitor&) override {}
  std::string description() const override;

 private:
  IntegerList kernel_;
  MaxPoolOptions options_;
};

/// avg_pool2d: x (…, h, w) -> (…, h', w').
class AvgPool2d : public Module {
 public:
  /// Throws ValueError for a kernel or an option out of its range.
  explicit AvgPool2d(const IntegerList& kernel, const AvgPoolOptions& options = {});

  Tensor operator()(const Tensor& x) const { return avg_pool2d(x, kernel_, options_); }  ///< applies it
  void visit(Visitor&) override {}
  std::string description() const override;

 private:
  IntegerList kernel_;
  AvgPoolOptions options_;
};

/// adaptive_avg_pool2d: x (…, h, w) -> (…, size, size).
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(const IntegerList& size);  ///< throws ValueError for a size below 1

  Tensor operator()(const Tensor& x) const { return adaptive_avg_pool2d(x, size_); }  ///< applies it
  void visit(Visitor&) override {}
  std::string description() const override;

 private:
  IntegerList size_;
};

/// upsample: x (…, h, w) -> (…, h', w').
class Upsample : public Module {
 public:
  explicit Upsample(const UpsampleOptions& options);  ///< throws ValueError as `upsample`

  Tensor operator()(const Tensor& x) const { return upsample(x, options_); }  ///< applies it
  void visit(Visitor&) override {}
  std::string description() const override;

 private:
  UpsampleOptions options_;
};

/// Options of Flatten; negative axes count from the end.
struct FlattenLayerOptions {
  int start_axis = 1;  ///< the first axis to join; those of a batch stand before it
  int end_axis = -1;   ///< the last
};

/// flatten: x (n, …) -> (n, number of the other elements).
class Flatten : public Module {
 public:
  /// Joins these axes.
  explicit Flatten(const FlattenLayerOptions& options = {}) : options_{options.start_axis, options.end_axis} {}

  Tensor operator()(const Tensor& x) const { return flatten(x, options_); }  ///< applies it
  void visit(Visitor&) override {}
  std::string description() const override;

 private:
  FlattenOptions options_;
};

}  // namespace gradtape::inline v0::nn
