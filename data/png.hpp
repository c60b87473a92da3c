#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gradtape::inline v0::data::detail {

/// An image as a PNG file holds it.
struct Png {
  std::size_t width = 0;           ///< in pixels
  std::size_t height = 0;          ///< in pixels
  bool wide = false;               ///< two bytes a sample, most significant first; else one
  std::vector<std::uint8_t> rgba;  ///< row by row

  /// Sample `channel` of pixel `i`, 0 to 1.
  double sample(std::size_t i, std::size_t channel) const {
    const std::size_t at = i * 4 + channel;
    return wide ? (rgba[2 * at] * 256 + rgba[2 * at + 1]) / 65535. : rgba[at] / 255.;
  }
};

/// Reads any PNG file as red, green, blue and alpha. Throws FileError with file and offset.
Png read_png_file(const std::string& path);

/// Writes 8-bit samples, row by row, of 1, 3 or 4 channels. Throws FileError if it cannot.
void write_png_file(const std::string& path, std::size_t width, std::size_t height, std::size_t channels,
                    std::span<const std::uint8_t> samples);

}  // namespace gradtape::inline v0::data::detail
