#include <gradtape/core/error.hpp>
#include <gradtape/data/csv.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "data/support.hpp"
#include <doctest/doctest.h>
#include <fmt/format.h>

namespace gt = gradtape;
using files::TempDir, files::gzip;
using gt::data::CsvOptions, gt::data::read_csv;

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

void check_fails(const std::string& content, const std::string& message, const CsvOptions& options = {}) {
  const TempDir dir;
  const auto file = dir.write("table.csv", content);
  CHECK_THROWS_WITH_AS(read_csv(file, options), ("csv: " + file + ": " + message).c_str(), gt::FileError);
}

const std::string flowers =
    "width,\"kind, by name\",length\r\n"
    "1.5,setosa,+2\r\n"
    "-3e2,\"the \"\"big\"\" one\r\nof two\",\" 4 \"\r\n"
    "0.25,,inf";

}  // namespace

TEST_CASE("csv: quotes and separators and line ends inside of fields, plain and gzipped") {
  const TempDir dir;
  for (const std::string& content :
       {flowers, flowers + "\r\n", flowers + "\n\n", "\xef\xbb\xbf" + flowers, gzip(flowers)}) {
    const auto table = read_csv(dir.write("flowers", content), {.text = {"kind, by name"}});
    CHECK(table.rows() == 3);
    CHECK(table.names() == Texts{"width", "kind, by name", "length"});
    CHECK(table["width"].shape() == gt::Shape{3});
    CHECK(table["width"].to_vector<double>() == Numbers{1.5, -300, 0.25});
    CHECK(table["length"].to_vector<double>() == Numbers{2, 4, std::numeric_limits<double>::infinity()});
    CHECK(table.text("kind, by name") == Texts{"setosa", "the \"big\" one\r\nof two", ""});
  }
}

TEST_CASE("csv: columns together and text as classes") {
  const TempDir dir;
  const auto table = read_csv(dir.write("t", "a,b,kind,c\n1,2,x,3\n4,5,a,6\n7,8,x,9\n"), {.text = {"kind"}});
  CHECK(table.matrix({"c", "a"}).shape() == gt::Shape{3, 2});
  CHECK(table.matrix({"c", "a"}).to_vector<double>() == Numbers{3, 1, 6, 4, 9, 7});
  CHECK(table.matrix_without({"b"}).to_vector<double>() == Numbers{1, 3, 4, 6, 7, 9});
  CHECK(table.matrix({}).shape() == gt::Shape{3, 0});
  const auto [labels, names] = table.classes("kind");
  CHECK(labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0, 1});
  CHECK(names == Texts{"a", "x"});
}

TEST_CASE("csv: without a header, other separators, skipped lines and missing numbers") {
  const TempDir dir;
  const auto table = read_csv(dir.write("t", "150;\"4\n1;NA\n;x\n2;3"),
                              {.header = false, .missing = {"", "NA", "x"}, .separator = ';', .skip = 1});
  CHECK(table.names() == Texts{"0", "1"});
  const auto first = table["0"].to_vector<double>(), second = table["1"].to_vector<double>();
  CHECK(first[0] == 1);
  CHECK(std::isnan(first[1]));
  CHECK(first[2] == 2);
  CHECK(std::isnan(second[0]));
  CHECK(std::isnan(second[1]));
  CHECK(second[2] == 3);

  const auto one = read_csv(dir.write("one", "note\na\n\nb\n"), {.text = {"note"}});  // a blank line is a field here
  CHECK(one.text("note") == Texts{"a", "", "b"});
  CHECK(read_csv(dir.write("none", "a,b\n")).matrix({"a", "b"}).shape() == gt::Shape{0, 2});
}

TEST_CASE("csv: rows beyond any buffer") {
  const TempDir dir;
  std::string content = "i,square\n";
  Numbers squares;
  for (int i = 0; i < 20000; ++i) {
    content += fmt::format("{},\"{}\"\n", i, 0.5 * i * i);
    squares.push_back(0.5 * i * i);
  }
  CHECK(read_csv(dir.write("long", content))["square"].to_vector<double>() == squares);
}

TEST_CASE("csv: what is no number") {
  check_fails("a,age\n1,2\n3,old\n", "line 3, column 2, byte 12: found \"old\", expected a number in \"age\"");
  check_fails("a,\"x\n\ny\"\n1,2\n3,4 5\n",
              "line 5, column 2, byte 15: found \"4 5\", expected a number in \"x\n\ny\"");
  check_fails("a\n \n", "line 2, column 1, byte 2: found \" \", expected a number in \"a\"");
  check_fails(
      "a\n-0.1e99999999999999999999\n",
      "line 2, column 1, byte 2: found \"-0.1e99999999999999999999\", expected a number that f64 can hold in \"a\"");
  check_fails("a\n1e999\n", "line 2, column 1, byte 2: found \"1e999\", expected a number that f64 can hold in \"a\"");
  for (const std::string no : {"--1", "+-1", "0x1", "1,5", "1.5.", "e5", ".", "+"})
    check_fails("a\n\"" + no + "\"\n", "line 2, column 1, byte 2: found \"" + no + "\", expected a number in \"a\"");
  check_fails("a\n" + std::string(41, 'x'),
              "line 2, column 1, byte 2: found \"" + std::string(40, 'x') + "…\", expected a number in \"a\"");
}

TEST_CASE("csv: numbers too small for f64 are 0, as they are in code") {
  const TempDir dir;
  const std::string zeros(400, '0');
  const auto read = [&](const std::string& text) { return read_csv(dir.write("tiny", "a\n" + text))["a"].item(); };
  for (const auto& tiny : Texts{"1e-400", "0." + zeros + "1", "1e-99999999999999999999", "1" + zeros + "e-900",
                                "0." + zeros + zeros + "1e+400"}) {
    CHECK(read(tiny) == 0);
    CHECK(std::signbit(read("-" + tiny)));
  }
  CHECK(read("1e-310") == 1e-310);
  CHECK_THROWS_AS(read("0." + zeros + "1e900"), gt::FileError);
  CHECK_THROWS_AS(read("1" + zeros + "e-50"), gt::FileError);
}

TEST_CASE("csv: records that break the rules") {
  check_fails("a,b\n1,2\n3\n", "line 3, byte 8: found 1 fields, expected 2");
  check_fails("a,b\n1,2,3\n", "line 2, byte 4: found 3 fields, expected 2");
  check_fails("a,b\n1,\"2\n3\n", "line 2, column 2, byte 6: the file ends, expected a quote that closes this field");
  check_fails("a,b\n1,2\"\"\n",
              "line 2, column 2, byte 7: found a quote inside of a field that does not start with one");
  check_fails("a,b\n1,\"2\"3\n", "line 2, column 2, byte 9: found \"3\" after a closing quote");
  check_fails("a,b\r1,2\r", "line 1, column 2, byte 4: found CR, expected LF after it");
  check_fails("a,b,a\n", "line 1, column 3, byte 4: found the name \"a\" of column 1 again");
  check_fails("a,b\n", "line 1, byte 0: found no column \"c\" to hold text", {.text = {"c"}});
  check_fails("", "line 1, byte 0: the file ends, expected a record");
  check_fails("a\n", "line 2, byte 2: the file ends, expected a record", {.header = false, .skip = 1});
  check_fails(
      "\xef\xbb"
      "a\n1",
      "line 1, byte 2: found a part of a byte order mark");
}

TEST_CASE("csv: wrong questions") {
  const TempDir dir;
  const auto file = dir.write("t", "a,b\n1,x\n");
  const auto table = read_csv(file, {.text = {"b"}});
  const auto fails = [](const auto& ask, const char* message) { CHECK_THROWS_WITH_AS(ask(), message, gt::ValueError); };
  fails([&] { table["c"]; }, "Table: there is no column \"c\"; there are \"a\", \"b\"");
  fails([&] { table.matrix({"a", "b"}); }, "Table::matrix: column \"b\" holds text");
  fails([&] { table.matrix_without({"A"}); },
        "Table::matrix_without: there is no column \"A\"; there are \"a\", \"b\"");
  fails([&] { table.text("a"); }, "Table::text: column \"a\" holds numbers");
  fails([&] { table.classes("a"); }, "Table::classes: column \"a\" holds numbers");
  fails([&] { read_csv(file, {.separator = '"'}); },
        "read_csv: the separator is a quote or a line end; expected something else, such as ','");
  CHECK_THROWS_WITH_AS(gt::data::Table({{.name = "a", .numbers = {1}}, {.name = "b"}}),
                       "Table: column \"b\" has 0 rows, expected 1 as in \"a\"", gt::ShapeError);
}

TEST_CASE("csv: files damaged anywhere are refused or read") {
  const TempDir dir;
  const auto reader = [](const std::string& path) { read_csv(path, {.header = false, .text = {"1"}}); };
  files::check_changed(dir, "1,\"a\"\"b\r\n\",-2.5\r\n3,c,4e5\r\n", reader);
  for (std::size_t length = 1; length < flowers.size(); ++length)
    files::survives(dir, flowers.substr(0, length), [](const std::string& path) { read_csv(path); });

  const auto packed = gzip(flowers);
  const auto read_flowers = [](const std::string& path) { read_csv(path, {.text = {"kind, by name"}}); };
  CHECK(files::survives(dir, packed, read_flowers));
  for (std::size_t length = 2; length < packed.size(); ++length)
    CHECK_FALSE(files::survives(dir, packed.substr(0, length), read_flowers));
  for (std::size_t back = 1; back <= 8; ++back)  // the checksum and the length at the end
    CHECK_FALSE(files::survives(dir, files::flip(packed, packed.size() - back), read_flowers));
  files::check_changed(dir, packed, read_flowers);
}
