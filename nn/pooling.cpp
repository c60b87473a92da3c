#include <gradtape/nn/describe.hpp>
#include <gradtape/nn/pooling.hpp>
#include <gradtape/ops/window.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0::nn {
namespace {

/// What the descriptions of the two kinds of pooling begin with.
std::string windows(const IntegerList& kernel, const auto& options) {
  return fmt::format("kernel {}{}{}{}", detail::size_text(kernel, 2),
                     options.stride.empty() ? "" : fmt::format(", stride {}", detail::size_text(options.stride)),
                     detail::option_text("padding", options.padding, 0), options.ceil_mode ? ", ceil mode" : "");
}

}  // namespace

MaxPool2d::MaxPool2d(const IntegerList& kernel, const MaxPoolOptions& options) : kernel_(kernel), options_(options) {
  const IntegerList& stride = options.stride.empty() ? kernel : options.stride;
  gradtape::detail::windows_of("MaxPool2d", 2, {kernel, stride, options.padding, options.dilation});
}

std::string MaxPool2d::description() const {
  return fmt::format("MaxPool2d({}{})", windows(kernel_, options_),
                     detail::option_text("dilation", options_.dilation, 1));
}

AvgPool2d::AvgPool2d(const IntegerList& kernel, const AvgPoolOptions& options) : kernel_(kernel), options_(options) {
  const IntegerList& stride = options.stride.empty() ? kernel : options.stride;
  gradtape::detail::windows_of("AvgPool2d", 2, {kernel, stride, options.padding, 1});
}

std::string AvgPool2d::description() const {
  return fmt::format("AvgPool2d({}{})", windows(kernel_, options_),
                     options_.count_include_pad ? "" : ", padding not counted");
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(const IntegerList& size) : size_(size) {
  gradtape::detail::pair_of("AdaptiveAvgPool2d", "size", size, 2, 1);
}

std::string AdaptiveAvgPool2d::description() const {
  return fmt::format("AdaptiveAvgPool2d({})", detail::size_text(size_, 2));
}

Upsample::Upsample(const UpsampleOptions& options) : options_(options) {
  gradtape::detail::check_upsample("Upsample", options);
}

std::string Upsample::description() const {
  return fmt::format("Upsample({}, {}{})",
                     options_.size.empty() ? fmt::format("scale factor {}", detail::size_text(options_.scale_factor))
                                           : fmt::format("size {}", detail::size_text(options_.size, 2)),
                     options_.mode == UpsampleMode::nearest ? "nearest" : "bilinear",
                     options_.align_corners ? ", align corners" : "");
}

std::string Flatten::description() const {
  return fmt::format("Flatten({}, {})", options_.start_axis, options_.end_axis);
}

}  // namespace gradtape::inline v0::nn
