#include <algorithm>
#include <limits>

#include "node.hpp"

namespace suite {
namespace {

using Numbers = std::vector<std::int64_t>;

/// What a node says of its windows, for each axis of a sequence or an image.
struct Windows {
  Numbers kernel, stride, dilation;
  std::vector<gt::Padding> padding;

  Windows(const Node& n, const gt::Shape& x, const Numbers& size) : kernel(size) {
    if (kernel.size() > 2) throw Skip{"windows over three axes"};
    stride = or_ones(n.list("strides"));
    dilation = or_ones(n.list("dilations"));
    const Numbers pads = n.list("pads");
    const std::string automatic = n.text("auto_pad", "NOTSET");
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      if (automatic.starts_with("SAME"))
        padding.push_back(split(same(x[static_cast<int>(i) + 2], i), automatic == "SAME_UPPER"));
      else
        padding.push_back(pads.empty() ? gt::Padding{0, 0} : gt::Padding{pads[i], pads[i + kernel.size()]});
    }
  }

  /// As an op here takes it, the same before and after, or nothing if `pad` has to come first.
  gt::IntegerList both_sides() const {
    gt::IntegerList list;
    for (std::size_t i = 0; i < padding.size(); ++i) {
      if (padding[i].before != padding[i].after || padding[i].before > kernel[i] / 2) return {};
      list.push_back(padding[i].before);
    }
    return list;
  }

  /// An axis's padding in all, larger before the image or after it.
  static gt::Padding split(std::int64_t all, bool after) {
    return after ? gt::Padding{all / 2, all - all / 2} : gt::Padding{all - all / 2, all / 2};
  }

 private:
  Numbers or_ones(const Numbers& list) const { return list.empty() ? Numbers(kernel.size(), 1) : list; }
  /// What makes as many windows as steps of a stride fit into n.
  std::int64_t same(std::int64_t n, std::size_t i) const {
    const std::int64_t count = (n - 1) / stride[i] + 1;
    return std::max<std::int64_t>((count - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - n, 0);
  }
};

gt::IntegerList list(const Numbers& values) { return list_of<gt::IntegerList>(values); }

/// Calls `f(x, padding)`, on a padded x where the padding is none that an op here knows.
template <class F>
gt::Tensor padded(const gt::Tensor& x, const Windows& w, double value, F f) {
  const gt::IntegerList padding = w.both_sides();
  return padding.empty() ? f(gt::pad(x, w.padding, {.value = value}), 0) : f(x, padding);
}

Numbers axes_after(const gt::Tensor& x, int first) { return {x.shape().begin() + first, x.shape().end()}; }

Outputs conv(const Node& n) {
  const gt::Tensor weight = n[1];
  const Windows w(n, n[0].shape(), axes_after(weight, 2));
  if (const Numbers kernel = n.list("kernel_shape"); !kernel.empty() && kernel != w.kernel)
    throw Skip{"a wrong kernel"};
  return padded(n[0], w, 0, [&](const gt::Tensor& x, const gt::IntegerList& padding) {
    const gt::ConvOptions options{
        .stride = list(w.stride), .padding = padding, .dilation = list(w.dilation), .groups = n.integer("group", 1)};
    return (w.kernel.size() == 1 ? gt::conv1d : gt::conv2d)(x, weight, n.has(2) ? n[2] : gt::Tensor(), options);
  });
}

Outputs conv_transpose(const Node& n) {
  const gt::Tensor x = n[0], weight = n[1];
  const std::string automatic = n.text("auto_pad", "NOTSET");
  Windows w(n, x.shape(), axes_after(weight, 2));
  n.list("kernel_shape");
  Numbers more = n.list("output_padding"), shape = n.list("output_shape");
  more.resize(w.kernel.size());
  if (automatic.starts_with("SAME"))
    for (std::size_t i = 0; i < w.kernel.size(); ++i) shape.push_back(x.shape()[static_cast<int>(i) + 2] * w.stride[i]);
  for (std::size_t i = 0; i < shape.size(); ++i)  // a larger result has more at its end
    more[i] += std::max<std::int64_t>(shape[i] - ((x.shape()[static_cast<int>(i) + 2] - 1) * w.stride[i] +
                                                  (w.kernel[i] - 1) * w.dilation[i] + 1 + more[i]),
                                      0);
  const auto flat = [](const gt::Tensor& t) {  // a sequence is an image of height 1
    return t.rank() == 3 ? gt::reshape(t, {t.shape()[0], t.shape()[1], 1, t.shape()[2]}) : t;
  };
  const auto pair = [](Numbers values, std::int64_t height) {
    if (values.size() == 1) values.insert(values.begin(), height);
    return list(values);
  };
  gt::Tensor y = gt::conv_transpose2d(flat(x), flat(weight), n.has(2) ? n[2] : gt::Tensor(),
                                      {.stride = pair(w.stride, 1),
                                       .output_padding = pair(more, 0),
                                       .groups = n.integer("group", 1),
                                       .dilation = pair(w.dilation, 1)});
  if (x.rank() == 3) y = gt::reshape(y, {y.shape()[0], y.shape()[1], y.shape()[3]});
  for (std::size_t i = 0; i < w.kernel.size(); ++i) {
    const int axis = static_cast<int>(i) + 2;
    const std::int64_t size = y.shape()[axis];
    if (!shape.empty()) w.padding[i] = Windows::split(size - shape[i], automatic == "SAME_UPPER");
    y = gt::slice(y, {.axis = axis, .begin = w.padding[i].before, .end = size - w.padding[i].after});
  }
  return y;
}

Outputs max_pool(const Node& n) {
  const Windows w(n, n[0].shape(), n.list("kernel_shape"));
  const double least = -std::numeric_limits<double>::infinity();
  return padded(n[0], w, least, [&](const gt::Tensor& x, const gt::IntegerList& padding) {
    return (w.kernel.size() == 1 ? gt::max_pool1d : gt::max_pool2d)(x, list(w.kernel),
                                                                    {.stride = list(w.stride),
                                                                     .padding = padding,
                                                                     .dilation = list(w.dilation),
                                                                     .ceil_mode = n.flag("ceil_mode", false)});
  });
}

Outputs average_pool(const Node& n) {
  const Windows w(n, n[0].shape(), n.list("kernel_shape"));
  gt::AvgPoolOptions options{.stride = list(w.stride),
                             .padding = w.both_sides(),
                             .ceil_mode = n.flag("ceil_mode", false),
                             .count_include_pad = n.flag("count_include_pad", false)};
  const auto means = [&](const gt::Tensor& x) {
    return (w.kernel.size() == 1 ? gt::avg_pool1d : gt::avg_pool2d)(x, list(w.kernel), options);
  };
  if (!options.padding.empty()) return means(n[0]);
  options.padding = 0;
  const gt::Tensor sums = means(gt::pad(n[0], w.padding));
  return options.count_include_pad ? sums : sums / means(gt::pad(gt::ones_like(n[0]), w.padding));
}

Outputs global_max_pool(const Node& n) { return gt::max_pool2d(n[0], list(axes_after(n[0], 2))); }

/// Height and width, from the sizes of all axes.
gt::IntegerList image_size(const gt::Tensor& x, const Numbers& sizes) {
  if (x.rank() != 4) throw Skip{"not an image"};
  if (sizes[0] != x.shape()[0] || sizes[1] != x.shape()[1]) throw Skip{"resizing of channels"};
  return {sizes[2], sizes[3]};
}

/// Sizes of all axes; our places follow from sizes, hence a scale must give whole numbers.
Numbers scaled(const gt::Tensor& x, const gt::Tensor& scales) {
  Numbers sizes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const double size = static_cast<double>(x.shape()[axis]) * scales[axis].item();
    sizes.push_back(static_cast<std::int64_t>(size));
    if (static_cast<double>(sizes.back()) != size) throw Skip{"a scale that does not give a whole number"};
  }
  return sizes;
}

Outputs resized(const gt::Tensor& x, const Numbers& sizes, const std::string& mode, bool align_corners) {
  if (mode != "nearest" && mode != "linear") throw Skip{"mode " + mode};
  if (mode == "nearest")  // else it matters how a place is rounded
    for (int axis = 0; axis < x.rank(); ++axis)
      if (sizes[static_cast<std::size_t>(axis)] % x.shape()[axis] != 0) throw Skip{"rounding of places"};
  return gt::upsample(x, {.size = image_size(x, sizes),
                          .mode = mode == "nearest" ? gt::UpsampleMode::nearest : gt::UpsampleMode::bilinear,
                          .align_corners = align_corners});
}

Outputs resize(const Node& n) {
  const std::string mode = n.text("mode", "nearest"), places = n.text("coordinate_transformation_mode", "half_pixel"),
                    rounding = n.text("nearest_mode", "round_prefer_floor");
  const bool corners = places == "align_corners";
  if (places != "half_pixel" && !(corners && mode == "linear")) throw Skip{"places by " + places};
  if (mode == "nearest" && rounding != "round_prefer_floor") throw Skip{"rounding of places"};
  return resized(n[0], n.has(3) ? n.integers(3) : scaled(n[0], n[2]), mode, corners);
}

Outputs upsample(const Node& n) { return resized(n[0], scaled(n[0], n[1]), n.text("mode", "nearest"), false); }

}  // namespace

Table convolutions() {
  return {
      {"AveragePool", average_pool},
      {"Conv", conv},
      {"ConvTranspose", conv_transpose},
      {"GlobalAveragePool", unary([](const gt::Tensor& x) { return gt::adaptive_avg_pool2d(x, 1); })},
      {"GlobalMaxPool", global_max_pool},
      {"MaxPool", max_pool},
      {"Resize", resize},
      {"Upsample", upsample},
  };
}

}  // namespace suite
