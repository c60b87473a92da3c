#include "case.hpp"

namespace {

using namespace oracle;
using Pair = std::vector<std::int64_t>;

gt::IntegerList list(const Pair& values) {
  gt::IntegerList out;
  for (const std::int64_t n : values) out.push_back(n);
  return out;
}

Pair pair(Random& r, int low, int high) { return {r.integer(low, high), r.integer(low, high)}; }

std::int64_t batch(Random& r) { return r.shape(1, 1)[0]; }

/// What the ops have in common. An image has some elements more than the kernel reaches over.
struct Windows {
  Pair kernel, stride, padding, dilation, image;

  explicit Windows(Random& r, int largest_dilation = 2)
      : kernel(pair(r, 1, 4)),
        stride(pair(r, 1, 3)),
        padding{r.integer(0, static_cast<int>(kernel[0]) / 2), r.integer(0, static_cast<int>(kernel[1]) / 2)},
        dilation(pair(r, 1, largest_dilation)) {
    for (std::size_t i = 0; i < 2; ++i) image.push_back((kernel[i] - 1) * dilation[i] + r.integer(1, 8));
  }
};

/// Channels in and out, of so many groups.
struct Channels {
  std::int64_t groups, in, out;
  explicit Channels(Random& r) : groups(r.integer(1, 3)), in(groups * r.integer(1, 3)), out(groups * r.integer(1, 3)) {}
};

Case pooling(Random& r, const Windows& w, auto ours, auto theirs) {
  return call({r.distinct({batch(r), r.integer(1, 3), w.image[0], w.image[1]})}, ours, theirs);
}

Case upsampling(Random& r, gt::UpsampleMode mode, bool corners, auto theirs) {
  const Pair size = pair(r, 1, 12);
  return call(
      {r.any({batch(r), r.integer(1, 3), r.integer(1, 7), r.integer(1, 7)})},
      [=](const gt::Tensor& x) {
        return gt::upsample(x, {.size = list(size), .mode = mode, .align_corners = corners});
      },
      [=](const torch::Tensor& x) { return theirs(x, size); });
}

const Table convolutions = {
    {"conv1d",
     [](Random& r) {
       const Windows w(r);
       const Channels c(r);
       return call(
           {r.any({batch(r), c.in, w.image[1]}), r.any({c.out, c.in / c.groups, w.kernel[1]}), r.any({c.out})},
           [=](const gt::Tensor& x, const gt::Tensor& weight, const gt::Tensor& bias) {
             return gt::conv1d(
                 x, weight, bias,
                 {.stride = w.stride[1], .padding = w.padding[1], .dilation = w.dilation[1], .groups = c.groups});
           },
           [=](const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
             return torch::conv1d(x, weight, bias, w.stride[1], w.padding[1], w.dilation[1], c.groups);
           });
     }},
    {"conv2d",
     [](Random& r) {
       const Windows w(r);
       const Channels c(r);
       return call(
           {r.any({batch(r), c.in, w.image[0], w.image[1]}), r.any({c.out, c.in / c.groups, w.kernel[0], w.kernel[1]}),
            r.any({c.out})},
           [=](const gt::Tensor& x, const gt::Tensor& weight, const gt::Tensor& bias) {
             return gt::conv2d(x, weight, bias,
                               {.stride = list(w.stride),
                                .padding = list(w.padding),
                                .dilation = list(w.dilation),
                                .groups = c.groups});
           },
           [=](const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
             return torch::conv2d(x, weight, bias, w.stride, w.padding, w.dilation, c.groups);
           });
     }},
    {"conv_transpose2d",
     [](Random& r) {
       const Windows w(r);
       const Channels c(r);
       const Pair more{r.integer(0, static_cast<int>(w.stride[0]) - 1),
                       r.integer(0, static_cast<int>(w.stride[1]) - 1)};
       return call(
           {r.any({batch(r), c.in, w.image[0], w.image[1]}), r.any({c.in, c.out / c.groups, w.kernel[0], w.kernel[1]}),
            r.any({c.out})},
           [=](const gt::Tensor& x, const gt::Tensor& weight, const gt::Tensor& bias) {
             return gt::conv_transpose2d(x, weight, bias,
                                         {.stride = list(w.stride),
                                          .padding = list(w.padding),
                                          .output_padding = list(more),
                                          .groups = c.groups,
                                          .dilation = list(w.dilation)});
           },
           [=](const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
             return torch::conv_transpose2d(x, weight, bias, w.stride, w.padding, more, c.groups, w.dilation);
           });
     }},
    {"max_pool2d",
     [](Random& r) {
       const Windows w(r);
       const bool ceil = r.coin();
       return pooling(
           r, w,
           [=](const gt::Tensor& x) {
             return gt::max_pool2d(x, list(w.kernel),
                                   {.stride = list(w.stride),
                                    .padding = list(w.padding),
                                    .dilation = list(w.dilation),
                                    .ceil_mode = ceil});
           },
           [=](const torch::Tensor& x) {
             return torch::max_pool2d(x, w.kernel, w.stride, w.padding, w.dilation, ceil);
           });
     }},
    {"max_pool2d, equal elements",
     [](Random& r) {
       return call(
           {r.tied({2, 3, 9, 8})},
           [](const gt::Tensor& x) {
             return gt::max_pool2d(x, {3, 2});
           },
           [](const torch::Tensor& x) {
             return torch::max_pool2d(x, {3, 2});
           });
     }},
    {"avg_pool2d",
     [](Random& r) {
       const Windows w(r, 1);
       const bool ceil = r.coin(), count_padding = r.coin();
       return pooling(
           r, w,
           [=](const gt::Tensor& x) {
             return gt::avg_pool2d(x, list(w.kernel),
                                   {.stride = list(w.stride),
                                    .padding = list(w.padding),
                                    .ceil_mode = ceil,
                                    .count_include_pad = count_padding});
           },
           [=](const torch::Tensor& x) {
             return torch::avg_pool2d(x, w.kernel, w.stride, w.padding, ceil, count_padding);
           });
     }},
    {"adaptive_avg_pool2d",
     [](Random& r) {
       const Windows w(r);
       const Pair size = pair(r, 1, 9);
       return pooling(
           r, w, [=](const gt::Tensor& x) { return gt::adaptive_avg_pool2d(x, list(size)); },
           [=](const torch::Tensor& x) { return torch::adaptive_avg_pool2d(x, size); });
     }},
    {"upsample, nearest",
     [](Random& r) {
       return upsampling(r, gt::UpsampleMode::nearest, false,
                         [](const torch::Tensor& x, const Pair& size) { return torch::upsample_nearest2d(x, size); });
     }},
    {"upsample, bilinear",
     [](Random& r) {
       const bool corners = r.coin();
       return upsampling(r, gt::UpsampleMode::bilinear, corners, [=](const torch::Tensor& x, const Pair& size) {
         return torch::upsample_bilinear2d(x, size, corners);
       });
     }},
};

}  // namespace

TEST_CASE("oracle: convolution, pooling and upsampling agree with libtorch") { compare(convolutions); }
