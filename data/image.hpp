#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace gradtape::inline v0::data {

/// How images are read.
struct ImageOptions {
  int channels = 3;  ///< 1: gray (0.299 red + 0.587 green + 0.114 blue), 3: red, green, blue, 4: with alpha
};

/// Reads a PNG file of any kind (gray, palette, 16 bits, interlaced, …) as f32 [channels, height, width], 0 to 1; with
/// less than 4 channels alpha is left out, and colour profiles always are. Throws FileError with file and offset on
/// what is no PNG, damaged, cut short or followed by something, and where the header claims more pixels than the file
/// can hold; ValueError unless options.channels is 1, 3 or 4.
Tensor read_png(const std::string& path, const ImageOptions& options = {});

/// Images by class.
struct ImageFolder {
  Tensor images;                     ///< f32 [n, channels, height, width], 0 to 1
  Tensor labels;                     ///< i64 [n], each the place of its class in `classes`
  std::vector<std::string> classes;  ///< names of the folders, sorted
};

/// Reads a folder with a folder of PNG files for each class, in the order of their names. Files of other names than
/// *.png and entries that start with a dot are passed over. Throws FileError as read_png does, on a class without
/// images, a folder without classes, and an image of another size than the first.
ImageFolder read_image_folder(const std::string& path, const ImageOptions& options = {});

/// Writes an image [height, width] or [channels, height, width] of 1 (gray), 3 (red, green, blue) or 4 channels (with
/// alpha) as PNG with 8 bits a channel: 0 and below become 0, 1 and above 255, NaN 0. Throws ShapeError for another
/// shape or one without pixels, DtypeError unless f32 or f64, FileError if it cannot be written.
void write_png(const std::string& path, const Tensor& image);

/// How images stand together.
struct GridOptions {
  std::int64_t columns = 8;  ///< images side by side
  std::int64_t gap = 1;      ///< black pixels around each image
};

/// Images [n, channels, height, width] as one picture, row by row, for write_png. Throws ShapeError for another rank or
/// no images, ValueError for less than one column or a negative gap.
Tensor image_grid(const Tensor& images, const GridOptions& options = {});

}  // namespace gradtape::inline v0::data
