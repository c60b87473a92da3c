#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <string>

/// Datasets and their readers.
namespace gradtape::inline v0::data {

/// Images and their labels, one label an image.
struct Labelled {
  Tensor images;  ///< f32 [n, rows, cols], 0 to 1
  Tensor labels;  ///< i64 [n], 0 to classes - 1
};

/// What a label may be.
struct IdxOptions {
  std::int64_t classes = 10;  ///< labels are 0 to classes - 1; at least 1
};

/// Reads images from an IDX file (magic 0x00000803: u8, three dimensions), plain or gzipped; the content decides, not
/// the name. Returns f32 [n, rows, cols], where byte 255 is 1. Format: http://yann.lecun.com/exdb/mnist, "File
/// formats". Nothing is allocated on the word of the header: memory grows with the data that is really there. Throws
/// FileError with file, offset, what was found and what was expected: on a file that cannot be read, another magic, a
/// header or data cut short, sizes whose product overflows, bytes after the data, a damaged or truncated gzip stream.
Tensor read_idx_images(const std::string& path);

/// Reads labels from an IDX file (magic 0x00000801: u8, one dimension), as read_idx_images does. Returns i64 [n].
/// Throws FileError also on a label that is no class, and ValueError if options.classes is below 1.
Tensor read_idx_labels(const std::string& path, const IdxOptions& options = {});

/// Reads both files of a dataset. Throws what the two readers throw, and FileError if the files differ in their count.
Labelled read_idx_pair(const std::string& images, const std::string& labels, const IdxOptions& options = {});

}  // namespace gradtape::inline v0::data
