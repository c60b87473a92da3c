#pragma once

#include <gradtape/core/tensor.hpp>

#include <string>
#include <utility>
#include <vector>

namespace gradtape::inline v0::data {

/// Tensors with names, in the order of the file.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Reads an array that NumPy wrote (.npy, versions 1 to 3), plain or gzipped. Types f4 and f8 become f32 and f64, b1
/// boolean, integers i64; either byte order, C or Fortran order of the elements. Format:
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Memory grows with the data that is really
/// there, whatever the header claims. Throws FileError with file, offset, what was found and what was expected: on
/// another format, a header that is no header, a type without a dtype here, a u8 above 2^63 - 1, a boolean that is
/// neither 0 nor 1, more than 8 axes, sizes whose product overflows, data cut short, bytes after the data.
Tensor read_npy(const std::string& path);

/// Writes an array for NumPy: version 1, C order, dtypes f4, f8, i8, b1. Throws FileError if it cannot be written.
void write_npy(const std::string& path, const Tensor& array);

/// Reads an archive of arrays that NumPy wrote (.npz), stored or compressed; names are without ".npy". Throws FileError
/// as read_npy does, and on a damaged archive, a wrong checksum, encryption, and sizes that need zip64 (from 4 GiB on).
NamedTensors read_npz(const std::string& path);

/// Options of `write_npz`.
struct NpzOptions {
  bool compressed = false;  ///< deflate, as numpy.savez_compressed does
};

/// Writes an archive of arrays for NumPy. Throws ValueError for a name that appears twice, FileError if it cannot be
/// written or needs zip64.
void write_npz(const std::string& path, const NamedTensors& arrays, const NpzOptions& options = {});

}  // namespace gradtape::inline v0::data
