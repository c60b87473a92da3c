#include <gradtape/core/error.hpp>
#include <gradtape/nn/convolution.hpp>
#include <gradtape/nn/describe.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/window.hpp>

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

void check_channels(std::string_view layer, std::int64_t in, std::int64_t out, std::int64_t groups) {
  if (in < 1 || out < 1)
    throw ValueError(fmt::format("{}: {} channels in and {} out; both must be at least 1", layer, in, out));
  if (groups < 1 || in % groups != 0 || out % groups != 0)
    throw ValueError(
        fmt::format("{}: groups is {}; expected a divisor of {} channels in and {} out", layer, groups, in, out));
}

/// Fills weight [first, second, kernel…] and bias [out]. Throws ValueError for options that make no sense.
void start(std::string_view layer, Parameter& weight, Parameter& bias, Shape shape, int axes, const IntegerList& kernel,
           std::int64_t out, const auto& options) {
  const auto size =
      gradtape::detail::windows_of(layer, axes, {kernel, options.stride, options.padding, options.dilation}).size;
  if (axes == 2) shape.push_back(size[0]);
  shape.push_back(size[1]);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.numel() / shape[0]));
  weight = uniform(shape, {.low = -bound, .high = bound});
  if (options.bias) bias = uniform({out}, {.low = -bound, .high = bound});
}

/// "Conv2d(1, 32, kernel 3x3, stride 2)"; `more` stands after the padding.
std::string describe(std::string_view layer, std::int64_t in, std::int64_t out, const Tensor& weight,
                     const Tensor& bias, const auto& options, std::string_view more = "") {
  IntegerList kernel;
  for (int axis = 2; axis < weight.rank(); ++axis) kernel.push_back(weight.shape()[axis]);
  return fmt::format("{}({}, {}, kernel {}{}{}{}{}{}{})", layer, in, out, detail::size_text(kernel),
                     detail::option_text("stride", options.stride, 1),
                     detail::option_text("padding", options.padding, 0), more,
                     detail::option_text("dilation", options.dilation, 1),
                     detail::option_text("groups", options.groups, 1), bias.defined() ? "" : ", no bias");
}

ConvOptions op_options(const ConvLayerOptions& o) {
  return {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups};
}

}  // namespace

Conv1d::Conv1d(std::int64_t in, std::int64_t out, const IntegerList& kernel, const ConvLayerOptions& options)
    : options_(op_options(options)) {
  check_channels("Conv1d", in, out, options.groups);
  start("Conv1d", weight, bias, {out, in / options.groups}, 1, kernel, out, options);
}

std::string Conv1d::description() const {
  return describe("Conv1d", weight.shape()[1] * options_.groups, weight.shape()[0], weight, bias, options_);
}

Conv2d::Conv2d(std::int64_t in, std::int64_t out, const IntegerList& kernel, const ConvLayerOptions& options)
    : options_(op_options(options)) {
  check_channels("Conv2d", in, out, options.groups);
  start("Conv2d", weight, bias, {out, in / options.groups}, 2, kernel, out, options);
}

std::string Conv2d::description() const {
  return describe("Conv2d", weight.shape()[1] * options_.groups, weight.shape()[0], weight, bias, options_);
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in, std::int64_t out, const IntegerList& kernel,
                                 const ConvTransposeLayerOptions& options)
    : options_{.stride = options.stride,
               .padding = options.padding,
               .output_padding = options.output_padding,
               .groups = options.groups,
               .dilation = options.dilation} {
  check_channels("ConvTranspose2d", in, out, options.groups);
  gradtape::detail::pair_of("ConvTranspose2d", "output_padding", options.output_padding, 2, 0);
  start("ConvTranspose2d", weight, bias, {in, out / options.groups}, 2, kernel, out, options);
}

std::string ConvTranspose2d::description() const {
  return describe("ConvTranspose2d", weight.shape()[0], weight.shape()[1] * options_.groups, weight, bias, options_,
                  detail::option_text("output padding", options_.output_padding, 0));
}

}  // namespace gradtape::inline v0::nn
