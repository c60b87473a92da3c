#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

/// A grayscale image and the line that stands under it.
struct Picture {
  std::span<const float> pixels;  ///< rows * cols of them, row by row, 0 (blank) to 1 (full ink)
  std::string caption;            ///< ASCII; cut at the width of the picture's cell
};

namespace detail {

/// The character for two pixels, one above the other: the one whose ink comes nearest to both.
inline const char* glyph(float upper, float lower) {
  struct Glyph {
    const char* text;
    float upper, lower;  // ink in each half
  };
  constexpr std::array<Glyph, 7> glyphs = {{{" ", 0, 0},
                                            {"░", 0.25F, 0.25F},
                                            {"▒", 0.5F, 0.5F},
                                            {"▓", 0.75F, 0.75F},
                                            {"█", 1, 1},
                                            {"▀", 1, 0},
                                            {"▄", 0, 1}}};
  const auto error = [&](const Glyph& g) {
    return (g.upper - upper) * (g.upper - upper) + (g.lower - lower) * (g.lower - lower);
  };
  return std::ranges::min(glyphs, {}, error).text;
}

/// `text` and blanks up to `width` columns; `columns` is how many of them the text takes.
inline std::string padded(std::string text, std::size_t columns, std::size_t width) {
  return text.append(width - std::min(columns, width), ' ');
}

}  // namespace detail

/// Draws images of one size as UTF-8 text, `per_line` side by side: one column a pixel, two rows a line, its caption
/// under each. A cell is three columns wider than an image to leave captions room: three of 28 x 28 take 99 columns.
/// Throws std::invalid_argument if a picture has not rows * cols pixels.
inline std::string draw(std::span<const Picture> pictures, std::size_t rows, std::size_t cols,
                        std::size_t per_line = 3) {
  const std::size_t cell = cols + 3;
  const std::string gap(3, ' ');
  std::string text;
  const auto end_line = [&text] { text.erase(text.find_last_not_of(' ') + 1) += '\n'; };
  for (std::size_t first = 0; first < pictures.size(); first += per_line) {
    const auto line = pictures.subspan(first, std::min(per_line, pictures.size() - first));
    for (std::size_t row = 0; row < rows; row += 2) {
      for (const Picture& picture : line) {
        if (picture.pixels.size() != rows * cols)
          throw std::invalid_argument("draw: a picture is not of rows * cols pixels");
        const auto pixel = [&](std::size_t r, std::size_t c) { return r < rows ? picture.pixels[r * cols + c] : 0; };
        std::string pixels;
        for (std::size_t col = 0; col < cols; ++col) pixels += detail::glyph(pixel(row, col), pixel(row + 1, col));
        text += detail::padded(pixels, cols, cell) + gap;
      }
      end_line();
    }
    for (const Picture& picture : line) {
      const std::string caption = picture.caption.substr(0, cell);
      text += detail::padded(caption, caption.size(), cell) + gap;
    }
    end_line();
    text += '\n';
  }
  return text;
}

}  // namespace support
