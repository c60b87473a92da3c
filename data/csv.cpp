#include <gradtape/core/error.hpp>
#include <gradtape/data/csv.hpp>
#include <gradtape/data/file.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <unordered_map>

#include <fmt/format.h>

namespace gradtape::inline v0::data {
namespace {

using Column = Table::Column;

constexpr int end_of_file = -1;

/// Where in a file; lines count from 1, bytes from 0.
struct Place {
  std::int64_t line = 0;
  std::size_t byte = 0;
};

/// A record's field and where it starts.
struct Field {
  std::string text;
  Place place;
};

/// The records of a file, one after another.
class Records {
 public:
  Records(const std::string& path, char separator) : source_("csv", path), separator_(separator) {
    for (const int byte : {0xef, 0xbb, 0xbf}) {  // a byte order mark, whole or not at all
      if (peek() != byte) {
        if (byte != 0xef) fail(here(), "found a part of a byte order mark");
        break;
      }
      get();
    }
  }

  bool at_end() { return peek() == end_of_file; }

  void skip_line() {
    while (!at_end() && get() != '\n') {
    }
  }

  /// The next record; its fields stay valid until the next call.
  std::span<const Field> next() {
    count_ = 0;
    do {
      if (count_ == fields_.size()) fields_.emplace_back();
      Field& field = fields_[count_++];
      field.text.clear();
      field.place = here();
      if (peek() == '"')
        read_quoted(field);
      else
        read_plain(field);
    } while (take(separator_));
    if (take('\r') && peek() != '\n') fail(here(), count_, "found CR, expected LF after it");
    take('\n');
    return std::span(fields_).first(count_);
  }

  Place here() const { return {line_, source_.offset() - (size_ - at_)}; }

  /// Columns count from 1.
  [[noreturn]] void fail(Place place, std::size_t column, const std::string& what) const {
    source_.fail(fmt::format("line {}, column {}, byte {}: {}", place.line, column, place.byte, what));
  }
  [[noreturn]] void fail(Place place, const std::string& what) const {
    source_.fail(fmt::format("line {}, byte {}: {}", place.line, place.byte, what));
  }

 private:
  int peek() {
    if (at_ == size_) {
      size_ = source_.read(buffer_);
      at_ = 0;
    }
    return at_ < size_ ? buffer_[at_] : end_of_file;
  }
  int get() {
    const int byte = peek();
    if (byte != end_of_file) ++at_;
    if (byte == '\n') ++line_;
    return byte;
  }
  bool take(char wanted) {
    if (peek() != static_cast<unsigned char>(wanted)) return false;
    get();
    return true;
  }
  bool ends_field() {
    const int byte = peek();
    return byte == static_cast<unsigned char>(separator_) || byte == '\n' || byte == '\r' || byte == end_of_file;
  }

  void read_plain(Field& field) {
    while (!ends_field()) {
      if (peek() == '"') fail(here(), count_, "found a quote inside of a field that does not start with one");
      field.text += static_cast<char>(get());
    }
  }

  void read_quoted(Field& field) {
    get();
    while (true) {
      const int byte = get();
      if (byte == end_of_file) fail(field.place, count_, "the file ends, expected a quote that closes this field");
      if (byte == '"' && !take('"')) break;  // a doubled quote stands for one
      field.text += static_cast<char>(byte);
    }
    if (!ends_field())
      fail(here(), count_, fmt::format("found \"{}\" after a closing quote", static_cast<char>(peek())));
  }

  detail::Source source_;
  char separator_;
  std::array<std::uint8_t, 1 << 14> buffer_{};
  std::size_t at_ = 0, size_ = 0;
  std::int64_t line_ = 1;
  std::vector<Field> fields_;  // kept for their memory
  std::size_t count_ = 0;
};

/// Whether a number that f64 cannot hold is too near to 0 for it: by the place of its first digit that is not 0.
bool is_tiny(std::string_view digits) {
  const std::size_t e = std::min(digits.find_first_of("eE"), digits.size());
  const std::string_view mantissa = digits.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size()), first = mantissa.find_first_of("123456789");
  std::string_view exponent = digits.substr(std::min(e + 1, digits.size()));
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::int64_t power = 0;
  if (std::from_chars(exponent.data(), exponent.data() + exponent.size(), power).ec == std::errc::result_out_of_range)
    return exponent[0] == '-';
  return static_cast<double>(point) - static_cast<double>(first) + static_cast<double>(power) < 0;
}

/// What is wrong with it, if it is no number.
std::optional<std::string> parse(std::string_view text, double& number) {
  const std::size_t first = text.find_first_not_of(" \t");
  std::string_view digits = first == std::string_view::npos ? "" : text.substr(first);
  digits = digits.substr(0, digits.find_last_not_of(" \t") + 1);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = end == digits.data() + digits.size();
  if (whole && fault == std::errc()) return {};
  if (whole && fault == std::errc::result_out_of_range && is_tiny(digits)) {
    number = digits[0] == '-' ? -0. : 0.;
    return {};
  }
  constexpr std::size_t enough = 40;
  return fmt::format("found \"{}{}\", expected a number{}", text.substr(0, enough), text.size() > enough ? "…" : "",
                     fault == std::errc::result_out_of_range ? " that f64 can hold" : "");
}

std::vector<Column> name_columns(Records& records, const CsvOptions& options, std::span<const Field> first) {
  std::vector<Column> columns(first.size());
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string& name = columns[i].name;
    name = options.header ? first[i].text : fmt::format("{}", i);
    const auto [before, is_new] = places.emplace(name, i + 1);
    if (!is_new)
      records.fail(first[i].place, i + 1,
                   fmt::format("found the name \"{}\" of column {} again", name, before->second));
  }
  for (const std::string& name : options.text) {
    const auto column = std::ranges::find(columns, name, &Column::name);
    if (column == columns.end()) records.fail(first[0].place, fmt::format("found no column \"{}\" to hold text", name));
    column->is_text = true;
  }
  return columns;
}

void append(const Records& records, const CsvOptions& options, std::vector<Column>& columns,
            std::span<const Field> fields) {
  if (fields.size() != columns.size())
    records.fail(fields[0].place, fmt::format("found {} fields, expected {}", fields.size(), columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& text = fields[i].text;
    if (columns[i].is_text) {
      columns[i].text.push_back(text);
      continue;
    }
    double number = std::numeric_limits<double>::quiet_NaN();
    if (std::ranges::find(options.missing, text) == options.missing.end()) {
      if (const auto fault = parse(text, number))
        records.fail(fields[i].place, i + 1, fmt::format("{} in \"{}\"", *fault, columns[i].name));
    }
    columns[i].numbers.push_back(number);
  }
}

std::int64_t length(const Column& column) {
  return static_cast<std::int64_t>(column.is_text ? column.text.size() : column.numbers.size());
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  if (!columns_.empty()) rows_ = length(columns_[0]);
  for (const Column& column : columns_) {
    if (length(column) != rows_)
      throw ShapeError(fmt::format("Table: column \"{}\" has {} rows, expected {} as in \"{}\"", column.name,
                                   length(column), rows_, columns_[0].name));
  }
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  return names;
}

const Column& Table::find(std::string_view caller, std::string_view name) const {
  const auto column = std::ranges::find(columns_, name, &Column::name);
  if (column == columns_.end())
    throw ValueError(
        fmt::format("{}: there is no column \"{}\"; there are \"{}\"", caller, name, fmt::join(names(), "\", \"")));
  return *column;
}

const Column& Table::find(std::string_view caller, std::string_view name, bool text) const {
  const Column& column = find(caller, name);
  if (column.is_text != text)
    throw ValueError(fmt::format("{}: column \"{}\" holds {}", caller, name, text ? "numbers" : "text"));
  return column;
}

Tensor Table::operator[](std::string_view name) const {
  const Column& column = find("Table", name, false);
  return tensor(std::span<const double>(column.numbers), {rows_});
}

Tensor Table::join(const std::vector<const Column*>& columns) const {
  const auto width = static_cast<std::int64_t>(columns.size());
  const Array out = Array::make(f64, {rows_, width});
  for (std::int64_t j = 0; j < width; ++j) {
    const std::vector<double>& numbers = columns[static_cast<std::size_t>(j)]->numbers;
    for (std::int64_t i = 0; i < rows_; ++i) out.data<double>()[i * width + j] = numbers[static_cast<std::size_t>(i)];
  }
  return Tensor(out);
}

Tensor Table::matrix(const std::vector<std::string>& names) const {
  std::vector<const Column*> chosen;
  for (const std::string& name : names) chosen.push_back(&find("Table::matrix", name, false));
  return join(chosen);
}

Tensor Table::matrix_without(const std::vector<std::string>& but) const {
  for (const std::string& name : but) find("Table::matrix_without", name);
  std::vector<const Column*> chosen;
  for (const Column& column : columns_) {
    if (!column.is_text && std::ranges::find(but, column.name) == but.end()) chosen.push_back(&column);
  }
  return join(chosen);
}

const std::vector<std::string>& Table::text(std::string_view name) const {
  return find("Table::text", name, true).text;
}

Classes Table::classes(std::string_view name) const {
  const std::vector<std::string>& text = find("Table::classes", name, true).text;
  std::vector<std::string> names = text;
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  std::vector<std::int64_t> labels;
  for (const std::string& entry : text) labels.push_back(std::ranges::lower_bound(names, entry) - names.begin());
  return {tensor(std::span<const std::int64_t>(labels), {rows_}), std::move(names)};
}

Table read_csv(const std::string& path, const CsvOptions& options) {
  if (options.separator == '"' || options.separator == '\n' || options.separator == '\r')
    throw ValueError("read_csv: the separator is a quote or a line end; expected something else, such as ','");
  Records records(path, options.separator);
  for (std::int64_t i = 0; i < options.skip; ++i) records.skip_line();
  if (records.at_end()) records.fail(records.here(), "the file ends, expected a record");
  const std::span<const Field> first = records.next();
  std::vector<Column> columns = name_columns(records, options, first);
  if (!options.header) append(records, options, columns, first);
  while (!records.at_end()) {
    const std::span<const Field> fields = records.next();
    const bool blank = fields.size() == 1 && fields[0].text.empty() && columns.size() > 1;
    if (!blank) append(records, options, columns, fields);
  }
  return Table(std::move(columns));
}

}  // namespace gradtape::inline v0::data
