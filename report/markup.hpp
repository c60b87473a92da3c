#pragma once

#include <string>
#include <string_view>

namespace gradtape::inline v0::report::detail {

/// Text as it may stand in HTML and SVG, between tags and in quotes.
std::string escaped(std::string_view text);

/// Whether a byte of UTF-8 is a character's first.
inline bool starts_character(char c) { return (c & 0xc0) != 0x80; }

/// How many columns UTF-8 text takes.
int columns(std::string_view text);

/// Text of at most so many columns; a longer one has "…" in its middle.
std::string shortened(std::string_view text, int most);

}  // namespace gradtape::inline v0::report::detail
