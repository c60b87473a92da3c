#include <gradtape/core/error.hpp>
#include <gradtape/io/safetensors_header.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace gradtape::inline v0::detail {
namespace {

using Json = nlohmann::json;

constexpr std::string_view metadata_key = "__metadata__";
constexpr std::string_view fields[] = {"dtype", "shape", "data_offsets"};

/// Takes the events of the parser. Whatever is not {name: {dtype, shape, data_offsets}} or {"__metadata__": {name:
/// text}} is refused on the spot, so that a hostile header builds nothing up.
class HeaderReader {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}
  SafetensorsHeader header;

  bool start_object(std::size_t) {
    if (depth_ == 2 || in_list_) refuse("an object");
    ++depth_;
    return true;
  }

  bool key(std::string& key) {
    if (depth_ == 1) {
      if (!names_.insert(key).second) fail(fmt::format("key {} stands twice", in_quotes(key)));
      name_ = key, inner_.clear(), offsets_ = 0;
      if (key != metadata_key) header.tensors.emplace_back().name = key;
    } else {
      if (!inner_.insert(key).second) fail(fmt::format("{} stands twice", where(key)));
      if (!in_metadata() && std::ranges::find(fields, key) == std::end(fields))
        fail(fmt::format("{}: expected {}", where(key), fmt::join(fields, ", ")));
      field_ = key;
    }
    return true;
  }

  bool string(std::string& text) {
    if (depth_ == 2 && in_metadata()) {
      header.metadata.emplace_back(field_, text);
    } else if (depth_ == 2 && field_ == "dtype") {
      header.tensors.back().dtype = find_stored_dtype(text);
      if (!header.tensors.back().dtype)
        fail(fmt::format("key {}: unknown dtype {}", in_quotes(name_), in_quotes(text)));
    } else {
      refuse("a string");
    }
    return true;
  }

  bool start_array(std::size_t) {
    if (depth_ != 2 || in_metadata() || field_ == "dtype" || in_list_) refuse("a list");
    in_list_ = true;
    return true;
  }

  bool number_unsigned(std::uint64_t number) {
    if (!in_list_) refuse("a number");
    StoredTensor& tensor = header.tensors.back();
    if (field_ == "shape") {
      if (tensor.shape.rank() == max_rank) fail(fmt::format("key {}: more than {} axes", in_quotes(name_), max_rank));
      if (number > std::numeric_limits<std::int64_t>::max())
        fail(fmt::format("key {}: a size of {} is larger than any memory", in_quotes(name_), number));
      tensor.shape.push_back(static_cast<std::int64_t>(number));
    } else {
      if (offsets_ == 2) fail(fmt::format("key {}: more than two data_offsets", in_quotes(name_)));
      (offsets_++ == 0 ? tensor.begin : tensor.end) = number;
    }
    return true;
  }

  bool end_array() {
    in_list_ = false;
    return true;
  }

  bool end_object() {
    if (depth_-- == 2 && !in_metadata()) check();
    return true;
  }

  bool null() { return refuse("null"); }
  bool boolean(bool) { return refuse("a boolean"); }
  bool number_integer(std::int64_t) { return refuse("a negative number"); }
  bool number_float(double, const std::string&) { return refuse("a fraction or a number of 2^64 or more"); }
  bool binary(Json::binary_t&) { return refuse("bytes"); }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) {
    constexpr std::size_t longest = 200;  // it quotes what was read
    const std::string_view what = error.what();
    const auto start = what.find("syntax error");
    fail(fmt::format("byte {}: the header is no JSON: {}", 8 + position,
                     what.substr(start == std::string_view::npos ? 0 : start, longest)));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { fail_safetensors(path_, what); }
  bool in_metadata() const { return name_ == metadata_key; }
  std::string where(const std::string& field) const {
    return fmt::format("key {}: field {}", in_quotes(name_), in_quotes(field));
  }

  [[noreturn]] bool refuse(const char* found) const {
    if (depth_ == 1) fail(fmt::format("key {}: found {}, expected an object", in_quotes(name_), found));
    fail(fmt::format("{}: found {}, expected {}", where(field_), found,
                     in_metadata() || field_ == "dtype" ? "a string"
                     : in_list_                         ? "a whole number"
                                                        : "a list of whole numbers"));
  }

  void check() const {
    for (const std::string_view field : fields)
      if (!inner_.contains(std::string(field))) fail(fmt::format("key {}: no {}", in_quotes(name_), field));
    if (offsets_ != 2) fail(fmt::format("key {}: fewer than two data_offsets", in_quotes(name_)));
  }

  const std::string& path_;
  int depth_ = 0;
  bool in_list_ = false;
  int offsets_ = 0;
  std::string name_, field_;
  std::unordered_set<std::string> names_, inner_;
};

/// Bytes of a tensor, empty if they or the number of elements overflow. A size of 0 does not make the others sound.
std::optional<std::uint64_t> size_in_bytes(const StoredTensor& tensor) {
  std::vector<std::int64_t> sizes{
      static_cast<std::int64_t>(std::max(tensor.dtype->size, size_of(tensor.dtype->dtype)))};
  bool empty = false;
  for (const std::int64_t size : tensor.shape) {
    sizes.push_back(std::max<std::int64_t>(size, 1));
    empty |= size == 0;
  }
  const std::optional<std::int64_t> bytes = product(sizes);
  if (!bytes) return {};
  return empty ? 0 : static_cast<std::uint64_t>(tensor.shape.numel()) * tensor.dtype->size;
}

/// The data of the tensors, in order, follow each other and fill the file.
void check_offsets(const std::string& path, const std::vector<StoredTensor>& tensors, std::uint64_t data_size) {
  std::uint64_t at = 0;
  for (const StoredTensor& tensor : tensors) {
    const auto fail = [&](const std::string& what) {
      fail_safetensors(
          path, fmt::format("key {}: data_offsets [{}, {}]{}", in_quotes(tensor.name), tensor.begin, tensor.end, what));
    };
    if (tensor.end < tensor.begin) fail(" end before they begin");
    if (tensor.begin > at) fail(fmt::format(" leave a hole of {} bytes", tensor.begin - at));
    if (tensor.begin < at) fail(fmt::format(" overlap data that end at {}", at));
    const std::optional<std::uint64_t> bytes = size_in_bytes(tensor);
    const std::string what = fmt::format("{} {}", tensor.dtype->name, to_string(tensor.shape));
    if (!bytes) fail(fmt::format(": {} is larger than any memory", what));
    if (tensor.end - tensor.begin != *bytes)
      fail(fmt::format(" hold {} bytes; {} takes {}", tensor.end - tensor.begin, what, *bytes));
    at = tensor.end;
  }
  if (at != data_size)
    fail_safetensors(path, fmt::format("the header describes {} bytes of data; the file holds {}", at, data_size));
}

/// A name as JSON.
std::string to_json(const std::string& name) {
  try {
    return Json(name).dump();
  } catch (const Json::exception&) {
    throw ValueError(fmt::format("safetensors: the name {} is no UTF-8", in_quotes(name)));
  }
}

}  // namespace

void fail_safetensors(const std::string& path, const std::string& what) {
  throw FileError(fmt::format("safetensors: {}: {}", path, what));
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t longest = 100;
  const std::string_view start = name.substr(0, longest);
  return Json(start).dump(-1, ' ', true, Json::error_handler_t::replace) + (start.size() < name.size() ? "…" : "");
}

SafetensorsHeader parse_header(const std::string& path, std::string_view text, std::uint64_t data_size) {
  if (!text.starts_with('{')) fail_safetensors(path, "byte 8: expected the '{' of a header");
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)  // the parser would take it for the end
    fail_safetensors(path, fmt::format("byte {}: the header is no JSON: found a zero byte", 8 + zero));
  HeaderReader reader(path);
  Json::sax_parse(text, &reader);
  std::vector<StoredTensor>& tensors = reader.header.tensors;
  std::ranges::stable_sort(tensors, {}, [](const StoredTensor& x) { return std::pair(x.begin, x.end); });
  check_offsets(path, tensors, data_size);
  return std::move(reader.header);
}

std::string header_text(const SafetensorsHeader& header) {
  std::unordered_set<std::string_view> names{metadata_key}, metadata_names;
  std::string text, metadata;
  for (const auto& [name, value] : header.metadata) {
    if (!metadata_names.insert(name).second)
      throw ValueError(fmt::format("safetensors: metadata {} stands twice", in_quotes(name)));
    metadata += fmt::format("{}{}:{}", metadata.empty() ? "" : ",", to_json(name), to_json(value));
  }
  if (!metadata.empty()) text = fmt::format("\"{}\":{{{}}}", metadata_key, metadata);
  for (const StoredTensor& tensor : header.tensors) {
    if (!names.insert(tensor.name).second)
      throw ValueError(fmt::format("safetensors: {} {}", in_quotes(tensor.name),
                                   tensor.name == metadata_key ? "is no name for a tensor" : "stands twice"));
    text +=
        fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", text.empty() ? "" : ",",
                    to_json(tensor.name), tensor.dtype->name, fmt::join(tensor.shape, ","), tensor.begin, tensor.end);
  }
  text = fmt::format("{{{}}}", text);
  constexpr std::size_t alignment = 8;
  text.append((alignment - text.size() % alignment) % alignment, ' ');
  if (text.size() > max_header_size)
    throw ValueError(
        fmt::format("safetensors: a header of {} bytes; at most {} are allowed", text.size(), max_header_size));
  return text;
}

}  // namespace gradtape::inline v0::detail
