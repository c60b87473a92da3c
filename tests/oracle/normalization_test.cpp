#include "case.hpp"

namespace {

using namespace oracle;

constexpr double eps = 0.1;  // stretched inputs have rows without a variance, whose roundings 1e-5 would blow up

/// The last `axes` axes.
gt::Shape last(const gt::Shape& shape, int axes) { return gt::Shape(std::vector(shape.end() - axes, shape.end())); }

/// (n, channels, …) with at least two values per channel.
gt::Shape image(Random& r, std::int64_t channels) {
  gt::Shape shape{r.integer(2, 9), channels};
  for (int n = r.integer(0, 2); n > 0; --n) shape.push_back(r.integer(1, 9));
  return shape;
}

const Table normalizations = {
    {"layer_norm",
     [](Random& r) {
       const gt::Shape shape = r.filled_shape(), rows = last(shape, r.integer(1, shape.rank()));
       return call(
           {r.any(shape), r.any(rows), r.any(rows)},
           [=](const gt::Tensor& x, const gt::Tensor& w, const gt::Tensor& b) {
             return gt::layer_norm(x, rows, {.weight = w, .bias = b, .eps = eps});
           },
           [=](const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& b) {
             return torch::layer_norm(x, sizes(rows), w, b, eps);
           });
     }},
    {"layer_norm without parameters",
     [](Random& r) {
       const gt::Shape shape = r.filled_shape(), rows = last(shape, 1);
       return call(
           {r.any(shape)}, [=](const gt::Tensor& x) { return gt::layer_norm(x, rows, {.eps = eps}); },
           [=](const torch::Tensor& x) { return torch::layer_norm(x, sizes(rows), {}, {}, eps); });
     }},
    {"rms_norm",
     [](Random& r) {
       const gt::Shape shape = r.filled_shape(), rows = last(shape, 1);
       return call(
           {r.any(shape), r.any(rows)},
           [=](const gt::Tensor& x, const gt::Tensor& w) { return gt::rms_norm(x, rows, {.weight = w, .eps = eps}); },
           [=](const torch::Tensor& x, const torch::Tensor& w) {
             return x * torch::rsqrt(x.square().mean(-1, true) + eps) * w;
           });
     }},
    {"group_norm",
     [](Random& r) {
       const int groups = r.integer(1, 3);
       const std::int64_t channels = groups * r.integer(1, 4);
       return call(
           {r.any(image(r, channels)), r.any({channels}), r.any({channels})},
           [=](const gt::Tensor& x, const gt::Tensor& w, const gt::Tensor& b) {
             return gt::group_norm(x, groups, {.weight = w, .bias = b, .eps = eps});
           },
           [=](const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& b) {
             return torch::group_norm(x, groups, w, b, eps);
           });
     }},
    {"batch_norm, training",
     [](Random& r) {
       const std::int64_t channels = r.integer(1, 9);
       return call(
           {r.any(image(r, channels)), r.any({channels}), r.any({channels})},
           [=](const gt::Tensor& x, const gt::Tensor& w, const gt::Tensor& b) {
             return gt::batch_norm(x, {.weight = w, .bias = b, .eps = eps}).output;
           },
           [=](const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& b) {
             return torch::batch_norm(x, w, b, {}, {}, true, 0.1, eps, false);
           });
     }},
    {"batch_norm, evaluation",
     [](Random& r) {
       const std::int64_t channels = r.integer(1, 9);
       const gt::Tensor mean = r.any({channels}), var = r.positive({channels});
       return call(
           {r.any(image(r, channels)), r.any({channels}), r.any({channels})},
           [=](const gt::Tensor& x, const gt::Tensor& w, const gt::Tensor& b) {
             return gt::batch_norm(x, {.mean = mean, .var = var, .weight = w, .bias = b}).output;
           },
           [=](const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& b) {
             return torch::batch_norm(x, w, b, to_torch(mean), to_torch(var), false, 0.1, 1e-5, false);
           });
     }},
};

/// A few batches in training mode, then one in evaluation mode.
template <class Theirs>
void compare_layers(auto ours, Theirs theirs, const gt::Shape& shape) {
  const gt::RandomStream stream(8);
  theirs->to(torch::kFloat64);
  ours.to(gt::f64);
  const auto same = [&] {
    const gt::Tensor x = gt::randn(shape, {.dtype = gt::f64});
    check_equal(ours(x).detach(), theirs->forward(to_torch(x)).detach());
  };
  for (int i = 0; i < 5; ++i) same();
  const auto named = theirs->named_buffers();
  for (const auto& [name, buffer] : ours.named_buffers()) check_equal(buffer.to(gt::f64), named[name]);
  ours.eval();
  theirs->eval();
  same();
}

}  // namespace

TEST_CASE("oracle: normalizations agree with libtorch") { compare(normalizations); }

TEST_CASE("oracle: running statistics are libtorch's") {
  using torch::nn::BatchNormOptions;
  for (const std::optional<double> momentum : {std::optional(0.1), std::optional(0.7), std::optional<double>()}) {
    const auto options = BatchNormOptions(3).momentum(momentum ? c10::optional<double>(*momentum) : c10::nullopt);
    compare_layers(gt::nn::BatchNorm1d(3, {.momentum = momentum}), torch::nn::BatchNorm1d(options), {6, 3});
    compare_layers(gt::nn::BatchNorm1d(3, {.momentum = momentum}), torch::nn::BatchNorm1d(options), {6, 3, 4});
    compare_layers(gt::nn::BatchNorm2d(3, {.momentum = momentum}), torch::nn::BatchNorm2d(options), {2, 3, 4, 5});
  }
}
