#include <gradtape/core/error.hpp>
#include <gradtape/data/npy.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/shape.hpp>

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "data/support.hpp"
#include <doctest/doctest.h>
#include <fmt/format.h>

namespace gt = gradtape;
using files::TempDir, files::little_endian;
using gt::data::NamedTensors, gt::data::read_npy, gt::data::read_npz, gt::data::write_npy, gt::data::write_npz;
using Integers = std::vector<std::int64_t>;

namespace {

const std::string magic("\x93NUMPY", 6);

std::string npy(const std::string& dict, const std::string& data, int version = 1) {
  return magic + static_cast<char>(version) + '\0' + little_endian(dict.size(), version == 1 ? 2 : 4) + dict + data;
}

std::string dict(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", type, fortran, shape);
}

std::string backwards(std::string bytes) { return {bytes.rbegin(), bytes.rend()}; }

void check_fails(const std::string& content, const std::string& message) {
  const TempDir dir;
  const auto file = dir.write("x.npy", content);
  CHECK_THROWS_WITH_AS(read_npy(file), ("npy: " + file + ": " + message).c_str(), gt::FileError);
}

/// The integer that a file of one element of `type` holds.
std::int64_t read_one(const std::string& type, const std::string& bytes) {
  const TempDir dir;
  const auto x = read_npy(dir.write("one", npy(dict(type, "()"), bytes)));
  CHECK(x.shape() == gt::Shape{});
  return x.item<std::int64_t>();
}

/// One array of each dtype, in shapes with and without axes and elements.
NamedTensors samples() {
  const std::vector<double> doubles{1.5, -0.0, 1e308, std::numeric_limits<double>::denorm_min(), -3, 0.1};
  const Integers integers{std::numeric_limits<std::int64_t>::min(), 0, std::numeric_limits<std::int64_t>::max()};
  return {{"f64", gt::tensor(std::span(doubles), {2, 3})},
          {"a/transposed", gt::transpose(gt::tensor(std::span(doubles), {2, 3}).to(gt::f32))},
          {"i64", gt::tensor(std::span(integers), {3})},
          {"boolean", gt::tensor(std::span(integers), {1, 3, 1}).to(gt::boolean)},
          {"none", gt::zeros({0, 4})},
          {"", gt::tensor(7)}};
}

void check_equal(const NamedTensors& found, const NamedTensors& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].first == expected[i].first);
    CHECK(found[i].second.dtype() == expected[i].second.dtype());
    CHECK(gt::equal(found[i].second, expected[i].second));
  }
}

/// The archive's place where `bytes` first stand at or after `from`.
std::size_t place(const std::string& archive, const std::string& bytes, std::size_t from = 0) {
  const auto at = archive.find(bytes, from);
  REQUIRE(at != std::string::npos);
  return at;
}

}  // namespace

TEST_CASE("npy: each type in both byte orders") {
  CHECK(read_one("|i1", "\xfe") == -2);
  CHECK(read_one("|u1", "\xfe") == 254);
  for (const bool big : {false, true}) {
    const std::string order = big ? ">" : "<";
    const auto bytes = [&](auto value) {
      const auto little = little_endian(static_cast<std::uint64_t>(value), sizeof(value));
      return big ? backwards(little) : little;
    };
    CHECK(read_one(order + "i2", bytes(std::int16_t{-300})) == -300);
    CHECK(read_one(order + "u2", bytes(std::uint16_t{65000})) == 65000);
    CHECK(read_one(order + "i4", bytes(std::int32_t{-70000})) == -70000);
    CHECK(read_one(order + "u4", bytes(std::uint32_t{4000000000})) == 4000000000);
    CHECK(read_one(order + "i8", bytes(std::int64_t{-5000000000})) == -5000000000);
    CHECK(read_one(order + "u8", bytes(std::uint64_t{1} << 62)) == std::int64_t{1} << 62);
    const TempDir dir;
    const auto x =
        read_npy(dir.write("f4", npy(dict(order + "f4", "(1,)"), bytes(std::bit_cast<std::uint32_t>(0.1F)))));
    CHECK(x.to_vector<float>() == std::vector<float>{0.1F});
    const auto y =
        read_npy(dir.write("f8", npy(dict(order + "f8", "(1,1)"), bytes(std::bit_cast<std::uint64_t>(0.1)))));
    CHECK(y.to_vector<double>() == std::vector<double>{0.1});
  }
  const TempDir dir;
  const auto mask = read_npy(dir.write("b1", npy(dict("|b1", "(2,)"), std::string("\1\0", 2))));
  CHECK(mask.to_vector<bool>() == std::vector<bool>{true, false});
}

TEST_CASE("npy: Fortran order, versions and ways to write a header") {
  const TempDir dir;
  const std::string data("\0\1\2\3\4\5", 6);
  CHECK(read_npy(dir.write("c", npy(dict("|u1", "(2, 3)"), data))).to_vector<std::int64_t>() ==
        Integers{0, 1, 2, 3, 4, 5});
  CHECK(read_npy(dir.write("f", npy(dict("|u1", "(2, 3)", "True"), data))).to_vector<std::int64_t>() ==
        Integers{0, 2, 4, 1, 3, 5});
  for (const int version : {1, 2, 3}) {
    const auto odd = npy("{\"shape\":(3L,2L,), 'descr' : \"|i1\",\t'fortran_order':False}  \n", data, version);
    for (const auto& content : {odd, files::gzip(odd)}) {
      const auto x = read_npy(dir.write("odd", content));
      CHECK(x.shape() == gt::Shape{3, 2});
      CHECK(x.to_vector<std::int64_t>() == Integers{0, 1, 2, 3, 4, 5});
    }
  }
}

TEST_CASE("npy: written as NumPy writes") {
  const TempDir dir;
  write_npy(dir / "x", gt::tensor({{1., 2., 3.}}));
  std::string expected = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }";
  expected += std::string(117 - expected.size(), ' ') + "\n";  // NumPy's header of 128 bytes
  CHECK(files::read(dir / "x") ==
        npy(expected, little_endian(0x3f800000, 4) + little_endian(0x40000000, 4) + little_endian(0x40400000, 4)));
  for (const auto& [name, x] : samples()) {
    write_npy(dir / "x", x);
    check_equal({{name, read_npy(dir / "x")}}, {{name, x}});
    CHECK((files::read(dir / "x").find('\n') + 1) % 64 == 0);
  }
}

TEST_CASE("npy: headers that are none") {
  const std::string data(8, '\0');
  check_fails("\x93NUMPX\1", "byte 7: the file ends, expected the magic \\x93NUMPY and a version");
  check_fails("\x93NUMPX\1\1\1", "byte 0: found another format, expected the magic \\x93NUMPY");
  check_fails(magic + "\4" + std::string(9, '\0'), "byte 6: found version 4.0, expected 1.0, 2.0 or 3.0");
  check_fails(magic + std::string("\2\0\0\0\1\1", 6),
              "byte 8: found a header of 16842752 bytes, expected at most 65536");
  check_fails(magic + std::string("\1\0\3\0{", 5), "byte 11: the file ends, expected a header of 3 bytes");
  const auto fails = [&](const std::string& header, const std::string& message) {
    check_fails(npy(header, data), message);
  };
  fails("", "byte 10: found `the end`, expected {");
  fails("{}", "byte 10: found a dict without descr, fortran_order or shape");
  fails("{descr", "byte 11: found `descr`, expected a string in quotes");
  fails("{'a': 1}", "byte 11: found key 'a', expected descr, fortran_order and shape, each once");
  fails("{'shape': (), 'shape': ()}", "byte 24: found key 'shape', expected descr, fortran_order and shape, each once");
  fails("{'shape' ()}", "byte 19: found `()}`, expected :");
  fails("{'shape': (1)}", "byte 22: found `)`, expected , after a single size");
  fails("{'shape': (1 2)}", "byte 23: found `2)}`, expected , or )");
  fails("{'shape': (-1,)}", "byte 21: found `-1,)}`, expected a size");
  fails("{'shape': (9223372036854775808,)}", "byte 21: found a size of 2^63 or more");
  fails("{'shape': (1,1,1,1,1,1,1,1,1)}", "byte 37: found `1)}`, expected at most 8 sizes");
  fails("{'fortran_order': 0}", "byte 28: found `0}`, expected True or False");
  fails(dict("<f8", "()") + "\x01",
        fmt::format("byte {}: found `?`, expected the end of the header", 10 + dict("<f8", "()").size()));
  for (const std::string type : {"<f2", "<c8", "|f4", "=f4", "f4", "", "<", "<i", "|O", "<U3", "|b2"}) {
    fails(dict(type, "()"), fmt::format("byte 20: found type '{}', expected '<' or '>' and one of f4, f8, b1, i1, i2, "
                                        "i4, i8, u1, u2, u4, u8",
                                        type));
  }
}

TEST_CASE("npy: data that are not the header's") {
  const auto header = dict("<f4", "(2,)");
  const auto at = 10 + header.size();
  check_fails(npy(header, "1234567"),
              fmt::format("byte {}: the file ends, expected 8 bytes of data for shape [2], found 7", at + 7));
  check_fails(npy(header, "12345678*"), fmt::format("byte {}: found 0x2a, expected the end after shape [2]", at + 8));
  check_fails(npy(dict("|b1", "(2,)"), "\1\2"), fmt::format("byte {}: found boolean 2, expected 0 or 1", at + 1));
  check_fails(npy(dict("<u8", "(1,)"), std::string(8, '\xff')),
              fmt::format("byte {}: found 18446744073709551615, expected at most 2^63 - 1", at));
}

TEST_CASE("npy: a header that claims more than there is allocates nothing") {
  const auto shape_at = 10 + std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ").size();
  check_fails(npy(dict("<f8", "(1152921504606846976,)"), "1234"),
              fmt::format("byte {}: found sizes [1152921504606846976], expected a product below 2^63 / 8", shape_at));
  check_fails(
      npy(dict("<f8", "(4294967296, 4294967296, 0)"), ""),
      fmt::format("byte {}: found sizes [4294967296, 4294967296, 0], expected a product below 2^63 / 8", shape_at));
  const auto header = dict("|u1", "(1152921504606846976,)");
  check_fails(npy(header, "1234"),
              fmt::format("byte {}: the file ends, expected 1152921504606846976 bytes of data for shape "
                          "[1152921504606846976], found 4",
                          14 + header.size()));
}

TEST_CASE("npy: files damaged anywhere are refused or read") {
  const TempDir dir;
  const auto content = npy(dict(">f4", "(2,1)"), "12345678");
  files::check_truncated(dir, content, read_npy);
  files::check_changed(dir, content, read_npy);
  files::check_truncated(dir, files::gzip(content), read_npy);
  files::check_changed(dir, files::gzip(content), read_npy);
}

TEST_CASE("npz: written and read, stored and compressed") {
  const TempDir dir;
  for (const bool compressed : {false, true}) {
    write_npz(dir / "all", samples(), {.compressed = compressed});
    check_equal(read_npz(dir / "all"), samples());
  }
  const NamedTensors large{{"large", gt::arange(300'000)}};
  write_npz(dir / "large", large, {.compressed = true});
  check_equal(read_npz(dir / "large"), large);
  for (const std::int64_t size : {16386, 32770, 65538}) {  // zeros: zlib takes all input while output is pending
    const NamedTensors zeros{{"zeros", gt::zeros({size})}};
    write_npz(dir / "zeros", zeros, {.compressed = true});
    check_equal(read_npz(dir / "zeros"), zeros);
  }
  write_npz(dir / "none", {});
  CHECK(read_npz(dir / "none").empty());
  CHECK_THROWS_WITH_AS(write_npz(dir / "twice", {{"a", gt::tensor(1)}, {"a", gt::tensor(2)}}),
                       "write_npz: the name \"a\" appears twice", gt::ValueError);
  CHECK_THROWS_WITH_AS(
      write_npz(dir / "no/x", {}),
      ("cannot write " + (dir / "no/x") + ": open the folder " + (dir / "no/") + ": No such file or directory").c_str(),
      gt::FileError);
  CHECK_THROWS_WITH_AS(write_npy("/dev/full", gt::zeros({1000})), "cannot write /dev/full: it is no regular file",
                       gt::FileError);
}

TEST_CASE("npz: archives that break the rules") {
  const TempDir dir;
  write_npz(dir / "a", {{"x", gt::tensor({1., 2.})}, {"y", gt::tensor(3)}});
  const std::string good = files::read(dir / "a");
  const auto directory = place(good, "PK\1\2"), end = place(good, "PK\5\6");
  const auto fails = [&](std::string content, std::size_t at, const std::string& bytes, const std::string& message) {
    content.replace(at, bytes.size(), bytes);
    const auto file = dir.write("bad", content);
    CHECK_THROWS_WITH_AS(read_npz(file), ("npz: " + file + ": " + message).c_str(), gt::FileError);
  };
  fails("PK", 0, "", "byte 2: the file ends, expected the end record of a zip archive before");
  fails(good + "*", 0, "",
        fmt::format("byte {}: the file ends, expected the end record of a zip archive before", good.size() + 1));
  fails(good, end + 4, "\1", fmt::format("byte {}: found an archive of several disks, expected one", end + 4));
  fails(good, end + 12, "\1",
        fmt::format("byte {}: found a directory of 1 bytes at byte {}, expected it to end at byte {}", end + 12,
                    directory, end));
  fails(good, end + 8, std::string("\3\0\3", 3), fmt::format("byte {}: found no entry 3 of 3 in the directory", end));
  fails(good, end + 8, std::string("\1\0\1", 3),
        fmt::format("byte {}: found 51 bytes after the directory's entries", directory + 51));
  fails(good, directory + 8, "\1", fmt::format("byte {}: x.npy is encrypted", directory + 8));
  fails(good, directory + 10, "\x0c",
        fmt::format("byte {}: found method 12 for x.npy, expected 0 (stored) or 8 (deflated)", directory + 10));
  fails(good, directory + 20, "\xff\xff\xff\xff",
        fmt::format("byte {}: x.npy needs zip64, which is not supported", directory + 20));
  fails(good, directory + 20, "\xff\xff",
        fmt::format("byte 0: found 65535 bytes of x.npy from byte 35 on, expected them before byte {}", directory));
  fails(good, directory + 24, "\1", "byte 136 of x.npy: the member ends, expected 1 bytes, as the zip archive says");
  fails(good, directory + 28, "\xff",
        fmt::format("byte {}: found an entry of 301 bytes, expected at most 102", directory + 28));
  fails(good, 0, "X", "byte 0: found no header of a file, expected one");
  fails(good, 8, "\x08", "byte 8: found another method than the directory's for x.npy");
  CHECK_FALSE(files::survives(dir, files::flip(good, directory + 16), [](const std::string& path) { read_npz(path); }));
}

TEST_CASE("npz: files damaged anywhere are refused or read") {
  const TempDir dir;
  const NamedTensors arrays{{"x", gt::tensor({1, 2})}};
  for (const bool compressed : {false, true}) {
    write_npz(dir / "a", arrays, {.compressed = compressed});
    const std::string good = files::read(dir / "a");
    const auto reader = [&](const std::string& path) {
      for (const auto& [name, x] : read_npz(path)) CHECK(gt::equal(x, arrays[0].second));  // the checksum sees to it
    };
    files::check_truncated(dir, good, reader);
    files::check_changed(dir, good, reader);
  }
}
