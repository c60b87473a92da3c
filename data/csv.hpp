#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradtape::inline v0::data {

/// Options of `read_csv`.
struct CsvOptions {
  bool header = true;                     ///< the first record names the columns; else they are "0", "1", …
  std::vector<std::string> text = {};     ///< names of the columns that hold text; all others hold numbers
  std::vector<std::string> missing = {};  ///< what stands for a number that is not there, such as "" or "NA": NaN
  char separator = ',';                   ///< between fields
  std::int64_t skip = 0;                  ///< lines before the first record
};

/// Text as classes.
struct Classes {
  Tensor labels;                   ///< i64 [rows], each the place of its text in `names`
  std::vector<std::string> names;  ///< sorted, each once
};

/// Columns with names.
class Table {
 public:
  /// A column and its name; a column has numbers or text, never both.
  struct Column {
    std::string name = {};               ///< unique in a table
    bool is_text = false;                ///< which of the two it has
    std::vector<double> numbers = {};    ///< one a row
    std::vector<std::string> text = {};  ///< one a row
  };

  explicit Table(std::vector<Column> columns);  ///< columns of equal length

  std::int64_t rows() const { return rows_; }                      ///< number of rows
  const std::vector<Column>& columns() const { return columns_; }  ///< all of them, in the order of the file
  std::vector<std::string> names() const;                          ///< of all columns

  /// A column of numbers, f64 [rows]. Throws ValueError if there is none of this name.
  Tensor operator[](std::string_view name) const;
  /// Columns of numbers side by side, f64 [rows, names]. Throws ValueError if one is missing.
  Tensor matrix(const std::vector<std::string>& names) const;
  /// All columns of numbers but those named, f64 [rows, n]: the features, where `but` is what they shall predict.
  /// Throws ValueError if one of these is missing.
  Tensor matrix_without(const std::vector<std::string>& but) const;
  /// A column of text. Throws ValueError if there is none of this name.
  const std::vector<std::string>& text(std::string_view name) const;
  /// A column of text as labels. Throws ValueError if there is none of this name.
  Classes classes(std::string_view name) const;

 private:
  const Column& find(std::string_view caller, std::string_view name) const;
  const Column& find(std::string_view caller, std::string_view name, bool text) const;
  Tensor join(const std::vector<const Column*>& columns) const;
  std::vector<Column> columns_;
  std::int64_t rows_ = 0;
};

/// Reads a CSV file (RFC 4180), plain or gzipped: quoted fields with separators, line ends and doubled quotes in them;
/// lines end in LF or CR LF, the last one may lack it. A byte order mark and, in tables of several columns, blank lines
/// are passed over. Numbers are decimal ("-1.5e3", "inf", "nan") with or without spaces around. Throws FileError with
/// file, line, column and byte on a field that is no number, a record of another length than the first, a stray quote,
/// a name that two columns share, a name in options.text that no column has; ValueError on a separator that cannot be
/// one.
Table read_csv(const std::string& path, const CsvOptions& options = {});

}  // namespace gradtape::inline v0::data
