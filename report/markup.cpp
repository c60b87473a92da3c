#include <gradtape/report/markup.hpp>

#include <algorithm>
#include <cstddef>

namespace gradtape::inline v0::report::detail {
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t')
      out += "�";  // HTML has no other control characters
    else
      out += c;
  }
  return out;
}

int columns(std::string_view text) { return static_cast<int>(std::ranges::count_if(text, starts_character)); }

std::string shortened(std::string_view text, int most) {
  const int all = columns(text);
  if (all <= most) return std::string(text);
  const int head = (most - 1) / 2, tail = all - (most - 1 - head);  // characters before the first and from the last on
  std::string out;
  int at = -1;
  for (const char c : text) {
    if (starts_character(c) && ++at == head) out += "…";
    if (at < head || at >= tail) out += c;
  }
  return out;
}

}  // namespace gradtape::inline v0::report::detail
