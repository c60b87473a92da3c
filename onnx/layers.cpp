#include <algorithm>

#include "value.hpp"
#include <fmt/format.h>

namespace gradtape::inline v0::onnx_export {
namespace {

using Values = std::vector<Value>;
using Integers = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

/// x·Wᵀ, plus what it is added to.
Value gemm(const Value& x, const Names& weight_and_onto) {
  return x.with("Gemm", weight_and_onto, {{"transB", std::int64_t{1}}});
}

/// Windows over the last two axes, as ONNX names them.
struct Window {
  Integers image, count, size, stride, padding, dilation;

  explicit Window(const Step& step)
      : image(step.lists.at("image")),
        count(step.lists.at("count")),
        size(step.lists.at("size")),
        stride(step.lists.at("stride")),
        padding(step.lists.at("padding")),
        dilation(step.lists.contains("dilation") ? step.lists.at("dilation") : Integers{1, 1}) {}

  /// Along an axis, elements from the first window's first to the last one's last.
  std::int64_t reach(std::size_t axis) const {
    return (count[axis] - 1) * stride[axis] + (size[axis] - 1) * dilation[axis] + 1;
  }
  /// How far the last window reaches beyond the image, padding or not.
  Integers padding_behind() const {
    Integers out;
    for (std::size_t axis = 0; axis < 2; ++axis)
      out.push_back(std::max(padding[axis], reach(axis) - padding[axis] - image[axis]));
    return out;
  }
  NodeAttributes attributes(const Integers& behind) const {
    return {{"kernel_shape", size},
            {"strides", stride},
            {"pads", Integers{padding[0], padding[1], behind[0], behind[1]}},
            {"dilations", dilation}};
  }
};

Value conv(const Values& x, const Step& step) {
  const Window window(step);
  NodeAttributes attributes = window.attributes(window.padding);
  attributes.push_back({"group", static_cast<std::int64_t>(step.numbers.at("groups"))});
  return x.size() == 3 ? x[0].with("Conv", {x[1].name, x[2].name}, attributes)
                       : x[0].with("Conv", {x[1].name}, attributes);
}

Value conv_transpose(const Values& x, const Step& step) {
  const Window window(step);
  NodeAttributes attributes = window.attributes(window.padding);
  attributes.push_back({"group", static_cast<std::int64_t>(step.numbers.at("groups"))});
  Integers more;
  for (std::size_t axis = 0; axis < 2; ++axis)
    more.push_back(window.image[axis] + 2 * window.padding[axis] - window.reach(axis));
  attributes.push_back({"output_padding", more});
  return x[0].with("ConvTranspose", {x[1].name}, attributes);
}

/// Pooling of images that may lie under any number of axes; ONNX wants two.
Value pooled(const Value& x, const Step& step, const std::string& type, const NodeAttributes& attributes) {
  const Shape& from = step.inputs[0].shape();
  const Integers& image = step.lists.at("image");
  if (from.rank() == 4) return x.to(type, attributes);
  const std::int64_t n = from.numel() / std::max(image[0] * image[1], std::int64_t{1});
  return x.reshaped({n, 1, image[0], image[1]}).to(type, attributes).reshaped(step.output.shape());
}

Value max_pool(const Values& x, const Step& step) {
  const Window window(step);
  return pooled(x[0], step, "MaxPool", window.attributes(window.padding_behind()));
}

Value avg_pool(const Values& x, const Step& step) {
  const Window window(step);
  const bool count_padding = step.numbers.at("count_padding") != 0;
  const Integers behind = window.padding_behind();
  if (count_padding && behind != window.padding) throw Unsupported{"with windows beyond the padding"};
  NodeAttributes attributes = window.attributes(behind);
  attributes.pop_back();  // it has no dilations
  attributes.push_back({"count_include_pad", std::int64_t{count_padding}});
  return pooled(x[0], step, "AveragePool", attributes);
}

Value adaptive_avg_pool(const Values& x, const Step& step) {
  const Integers &image = step.lists.at("image"), &count = step.lists.at("count");
  if (image[0] % count[0] != 0 || image[1] % count[1] != 0) throw Unsupported{"into parts of different sizes"};
  const Integers size{image[0] / count[0], image[1] / count[1]};
  return pooled(x[0], step, "AveragePool", {{"kernel_shape", size}, {"strides", size}});
}

Value layer_norm(const Values& x, const Step& step) {
  const auto axes = static_cast<int>(step.numbers.at("axes"));
  const Shape& shape = step.inputs[0].shape();
  const Array ones = Array::make(x[0].dtype, Shape(Integers(shape.end() - axes, shape.end())));
  fill(ones, 1);
  const std::vector<std::string> parameters =
      x.size() == 3 ? std::vector{x[1].name, x[2].name} : std::vector{x[0].graph.constant(ones)};
  return x[0].with("LayerNormalization", parameters,
                   {{"axis", std::int64_t{-axes}}, {"epsilon", step.numbers.at("eps")}});
}

Value rms_norm(const Values& x, const Step& step) {
  Integers axes;
  for (auto axis = static_cast<std::int64_t>(step.numbers.at("axes")); axis > 0; --axis) axes.push_back(-axis);
  const Value mean = (x[0] * x[0]).to("ReduceMean", {{"axes", axes}});
  const Value y = x[0] * (step.numbers.at("eps") + mean).to("Sqrt").to("Reciprocal");
  return x.size() == 3 ? y * x[1] + x[2] : y;
}

}  // namespace

Table layers() {
  return {
      {"matmul", "MatMul"},
      {"linear",
       [](const Values& x, const Step&) {
         return gemm(x[0], x.size() == 2 ? Names{x[1].name} : Names{x[1].name, x[2].name});
       }},
      {"linear_onto",
       [](const Values& x, const Step&) {
         return gemm(x[1], {x[2].name, x[0].name});
       }},
      {"conv2d", conv},
      {"conv_transpose2d", conv_transpose},
      {"max_pool", max_pool},
      {"avg_pool2d", avg_pool},
      {"adaptive_avg_pool2d", adaptive_avg_pool},
      {"layer_norm", layer_norm},
      {"rms_norm", rms_norm},
      {"softmax",
       [](const Values& x, const Step&) {
         return x[0].to("Softmax", {{"axis", std::int64_t{-1}}});
       }},
      {"log_softmax",
       [](const Values& x, const Step&) {
         return x[0].to("LogSoftmax", {{"axis", std::int64_t{-1}}});
       }},
  };
}

}  // namespace gradtape::inline v0::onnx_export
