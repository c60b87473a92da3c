#include <gradtape/data/npy_header.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace gradtape::inline v0::data::detail {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t longest = 1 << 16;  // a header of eight sizes takes some 200 bytes
constexpr char own_order = std::endian::native == std::endian::little ? '<' : '>';

/// The Python dict of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Dict {
 public:
  Dict(const Source& source, std::size_t start, std::string_view text) : source_(source), start_(start), text_(text) {}

  NpyHeader parse() {
    expect('{');
    while (!take('}')) {
      const std::size_t at = (skip_spaces(), at_);
      const std::string key = parse_string();
      expect(':');
      if (key == "descr" && !described_)
        parse_type();
      else if (key == "fortran_order" && !ordered_)
        parse_order();
      else if (key == "shape" && !shaped_)
        parse_shape();
      else
        fail(at, fmt::format("found key '{}', expected descr, fortran_order and shape, each once", key));
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (at_ < text_.size()) fail_here("the end of the header");
    if (!described_ || !ordered_ || !shaped_) fail(0, "found a dict without descr, fortran_order or shape");
    return header_;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& what) const { source_.fail_at(start_ + at, what); }
  [[noreturn]] void fail_here(const std::string& expected) const {
    constexpr std::size_t enough = 20;
    const auto rest = text_.substr(at_);
    std::string found = rest.empty() ? "the end" : "";
    for (const char c : rest.substr(0, enough)) found += c >= ' ' && c <= '~' ? c : '?';
    fail(at_, fmt::format("found `{}`, expected {}", found, expected));
  }

  void skip_spaces() { at_ = std::min(text_.find_first_not_of(" \t\n", at_), text_.size()); }
  bool take(char wanted) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) fail_here(std::string(1, wanted));
  }
  bool take_word(std::string_view word) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string parse_string() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const std::size_t end = text_.find(quote, at_ + 1);
    if ((quote != '\'' && quote != '"') || end == std::string_view::npos) fail_here("a string in quotes");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }

  void parse_type() {
    skip_spaces();
    const std::size_t at = at_;
    const std::string type = parse_string();
    constexpr std::array<std::string_view, 11> known{"f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"};
    const char order = type.empty() ? '\0' : type[0];
    header_.type = type.empty() ? "" : type.substr(1);
    const bool ordered = order == '<' || order == '>';
    if (std::ranges::find(known, header_.type) == known.end() || !(ordered || (order == '|' && header_.type[1] == '1')))
      fail(at, fmt::format("found type '{}', expected '<' or '>' and one of {}", type, fmt::join(known, ", ")));
    header_.item_size = static_cast<std::size_t>(header_.type[1] - '0');
    header_.swapped = ordered && order != own_order;
    described_ = true;
  }

  void parse_order() {
    header_.fortran_order = take_word("True");
    if (!header_.fortran_order && !take_word("False")) fail_here("True or False");
    ordered_ = true;
  }

  void parse_shape() {
    skip_spaces();
    header_.shape_at = start_ + at_;
    expect('(');
    bool comma = true;  // after each size; one size alone needs it, so that it is a tuple
    while (!take(')')) {
      if (!comma) fail_here(", or )");
      if (header_.sizes.size() == max_rank) fail_here(fmt::format("at most {} sizes", max_rank));
      header_.sizes.push_back(parse_size());
      comma = take(',');
    }
    if (header_.sizes.size() == 1 && !comma) fail(at_ - 1, "found `)`, expected , after a single size");
    shaped_ = true;
  }

  std::size_t parse_size() {
    skip_spaces();
    constexpr std::size_t limit = std::numeric_limits<std::int64_t>::max();
    const std::size_t first = at_;
    std::size_t size = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const auto digit = static_cast<std::size_t>(text_[at_] - '0');
      if (size > (limit - digit) / 10) fail(first, "found a size of 2^63 or more");
      size = size * 10 + digit;
    }
    if (at_ == first) fail_here("a size");
    take_word("L");  // as Python 2 wrote it
    return size;
  }

  const Source& source_;
  std::size_t start_;
  std::string_view text_;
  std::size_t at_ = 0;
  NpyHeader header_;
  bool described_ = false, ordered_ = false, shaped_ = false;
};

}  // namespace

NpyHeader read_npy_header(Source& source) {
  std::array<std::uint8_t, magic.size() + 2> start{};
  source.read(start, "the magic \\x93NUMPY and a version");
  if (!std::ranges::equal(std::span(start).first(magic.size()), magic,
                          [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }))
    source.fail_at(0, "found another format, expected the magic \\x93NUMPY");
  const int major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0)
    source.fail_at(6, fmt::format("found version {}.{}, expected 1.0, 2.0 or 3.0", major, minor));
  std::vector<std::uint8_t> length(major == 1 ? 2 : 4);
  source.read(length, "the header's length");
  const std::size_t size = little_endian(length, 0, length.size());
  if (size > longest)
    source.fail_at(start.size(), fmt::format("found a header of {} bytes, expected at most {}", size, longest));
  const std::size_t header_at = source.offset();
  std::string text(size, '\0');
  source.read(Bytes(reinterpret_cast<std::uint8_t*>(text.data()), size), fmt::format("a header of {} bytes", size));
  return Dict(source, header_at, text).parse();
}

std::vector<std::uint8_t> npy_header(Dtype dtype, const Shape& shape) {
  const std::string sizes =  // "", "3," or "3, 4", as Python writes tuples
      fmt::format("{}{}", fmt::join(shape.begin(), shape.end(), ", "), shape.rank() == 1 ? "," : "");
  const char order = dtype == boolean ? '|' : own_order, kind = dtype == boolean ? 'b' : dtype == i64 ? 'i' : 'f';
  std::string dict =
      fmt::format("{{'descr': '{}{}{}', 'fortran_order': False, 'shape': ({}), }}", order, kind, size_of(dtype), sizes);
  constexpr std::size_t before = magic.size() + 4, alignment = 64;  // spaces and a line end fill up to where data start
  dict.append(alignment - 1 - (before + dict.size()) % alignment, ' ');
  dict += '\n';
  std::vector<std::uint8_t> bytes;
  for (const char c : magic) bytes.push_back(static_cast<std::uint8_t>(c));
  append_little_endian(bytes, 1, 2);  // version 1.0
  append_little_endian(bytes, dict.size(), 2);
  bytes.insert(bytes.end(), dict.begin(), dict.end());
  return bytes;
}

}  // namespace gradtape::inline v0::data::detail
