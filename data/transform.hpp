#pragma once

#include <gradtape/core/shape.hpp>
#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape::inline v0::data {

/// Features brought to mean 0 and standard deviation 1: y = (x - mean) / std, elementwise with broadcasting.
struct Normalize {
  Tensor mean;  ///< of the features
  Tensor std;   ///< of the features

  Tensor operator()(const Tensor& x) const;  ///< (x - mean) / std
  Tensor inverse(const Tensor& y) const;     ///< y * std + mean
};

/// Options of `fit_normalize`.
struct FitNormalizeOptions {
  Axes axes = {0};  ///< mean and deviation are over these: {0} for a table, {0, 2, 3} for the channels of images
};

/// What brings x to mean 0 and standard deviation 1 over `axes`, which keep their place with size 1. The deviation is
/// that of the examples (divided by n, not n - 1); where it is 0 the feature is only shifted. Fit it on the training
/// data, use it on both. Throws DtypeError unless x is f32 or f64, ShapeError for bad axes, ValueError without
/// elements.
Normalize fit_normalize(const Tensor& x, const FitNormalizeOptions& options = {});

/// Options of `random_crop`.
struct RandomCropOptions {
  std::int64_t padding = 4;  ///< zeros put around an image before
};

/// Each image of [n, channels, height, width] moved at random: padded with zeros on all sides and cut to its size
/// again, at a place as likely as any other. From this thread's random numbers; in a dataset under a DataLoader, from
/// the batch's. Any dtype, without a gradient. Throws ShapeError for another rank, ValueError for a negative padding.
Tensor random_crop(const Tensor& images, const RandomCropOptions& options = {});

/// Options of `random_flip`.
struct RandomFlipOptions {
  double p = 0.5;  ///< chance of an image to be turned
};

/// Images [n, channels, height, width], each mirrored left to right with chance p. From the random numbers that
/// random_crop takes. Any dtype, without a gradient. Throws ShapeError for another rank, ValueError for a p outside
/// [0, 1].
Tensor random_flip(const Tensor& images, const RandomFlipOptions& options = {});

}  // namespace gradtape::inline v0::data
