#pragma once

#include <gradtape/core/error.hpp>
#include <gradtape/data/csv.hpp>
#include <gradtape/data/idx.hpp>
#include <gradtape/data/image.hpp>
#include <gradtape/data/npy.hpp>
#include <gradtape/io/safetensors.hpp>

#include <string>
#include <string_view>

namespace fuzz {

/// Reads a file of a format. Of all exceptions a reader may throw FileError alone.
inline void read(std::string_view format, const std::string& path) {
  try {
    if (format == "csv") gradtape::data::read_csv(path, {.header = false, .text = {"0"}, .missing = {""}});
    if (format == "idx") gradtape::data::read_idx_images(path);
    if (format == "npy") gradtape::data::read_npy(path);
    if (format == "npz") gradtape::data::read_npz(path);
    if (format == "png") gradtape::data::read_png(path);
    if (format == "safetensors") gradtape::io::read_safetensors(path);
  } catch (const gradtape::FileError&) {
  }
}

}  // namespace fuzz
