#pragma once

#include <gradtape/nn/module.hpp>
#include <gradtape/ops/convolution.hpp>

#include <cstdint>
#include <string>

namespace gradtape::inline v0::nn {

// Parameters are named and laid out as PyTorch's, and start as its do: uniform in ±1/sqrt(fan_in), where fan_in is the
// number of weights in weight[0]. The size of a kernel is one number for both axes, or one for each. All throw
// ValueError for channels below 1 or that the groups do not divide, for a kernel below 1 and for another option out of
// its range.

/// Options of Conv1d and Conv2d; see ConvOptions.
struct ConvLayerOptions {
  IntegerList stride = 1;    ///< from each window to the next
  IntegerList padding = 0;   ///< zeros put around x
  IntegerList dilation = 1;  ///< from each element of a window to the next
  std::int64_t groups = 1;   ///< of channels, each of which sees its own only
  bool bias = true;          ///< add a bias
};

/// Convolution of sequences, conv1d: x [n, in, l] -> [n, out, l'].
class Conv1d : public Module {
 public:
  /// Throws ValueError for sizes and options that make no sense; see above.
  Conv1d(std::int64_t in, std::int64_t out, const IntegerList& kernel, const ConvLayerOptions& options = {});

  Tensor operator()(const Tensor& x) const { return conv1d(x, weight, bias, options_); }  ///< applies it
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [out, in / groups, k]
  Parameter bias;    ///< [out]; empty without bias

 private:
  ConvOptions options_;
};

/// Convolution of images, conv2d: x [n, in, h, w] -> [n, out, h', w'].
class Conv2d : public Module {
 public:
  /// Throws ValueError for sizes and options that make no sense; see above.
  Conv2d(std::int64_t in, std::int64_t out, const IntegerList& kernel, const ConvLayerOptions& options = {});

  Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, options_); }  ///< applies it
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [out, in / groups, kh, kw]
  Parameter bias;    ///< [out]; empty without bias

 private:
  ConvOptions options_;
};

/// Options of ConvTranspose2d; see ConvTransposeOptions.
struct ConvTransposeLayerOptions {
  IntegerList stride = 1;          ///< of the convolution that is turned round, as the others
  IntegerList padding = 0;         ///< takes so much away on each side of the result
  IntegerList output_padding = 0;  ///< rows and columns more at the end
  std::int64_t groups = 1;         ///< as in ConvLayerOptions
  bool bias = true;                ///< add a bias
  IntegerList dilation = 1;        ///< as in ConvLayerOptions
};

/// Transposed convolution of images, conv_transpose2d: x [n, in, h, w] -> [n, out, h', w'].
class ConvTranspose2d : public Module {
 public:
  /// Throws ValueError for sizes and options that make no sense; see above.
  ConvTranspose2d(std::int64_t in, std::int64_t out, const IntegerList& kernel,
                  const ConvTransposeLayerOptions& options = {});

  Tensor operator()(const Tensor& x) const { return conv_transpose2d(x, weight, bias, options_); }  ///< applies it
  void visit(Visitor& v) override { v("weight", weight), v("bias", bias); }
  std::string description() const override;

  Parameter weight;  ///< [in, out / groups, kh, kw]
  Parameter bias;    ///< [out]; empty without bias

 private:
  ConvTransposeOptions options_;
};

}  // namespace gradtape::inline v0::nn
