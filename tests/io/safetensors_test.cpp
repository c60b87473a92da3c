#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/support.hpp"

namespace gt = gradtape;
using files::flip, files::little_endian, files::TempDir;
using gt::io::read_safetensors, gt::io::Safetensors, gt::io::write_safetensors;

namespace {

std::string file(const std::string& header, const std::string& data = "") {
  return little_endian(header.size(), 8) + header + data;
}

/// A tensor "x" and nothing else.
std::string one(const std::string& dtype, const std::string& shape, const std::string& data) {
  return file(fmt::format(R"({{"x":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})", dtype, shape, data.size()),
              data);
}

/// The numbers' low bytes.
std::string words(const std::vector<std::uint64_t>& numbers, std::size_t bytes) {
  std::string out;
  for (const auto number : numbers) out += little_endian(number, bytes);
  return out;
}

void check_fails(const TempDir& dir, const std::string& content, const std::string& message) {
  const std::string path = dir.write("broken", content);
  CHECK_THROWS_WITH_AS(read_safetensors(path), ("safetensors: " + path + ": " + message).c_str(), gt::FileError);
}

gt::Tensor read_one(const TempDir& dir, const std::string& dtype, const std::string& shape, const std::string& data) {
  const Safetensors content = read_safetensors(dir.write("one", one(dtype, shape, data)));
  REQUIRE(content.tensors.size() == 1);
  CHECK(content.tensors[0].first == "x");
  return content.tensors[0].second;
}

const files::Reader reader = [](const std::string& path) { read_safetensors(path); };

/// Two tensors, metadata, and data that tell their places.
const std::string small =
    file(R"({"__metadata__":{"format":"pt"},"a.b":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]},)"
         R"("c":{"dtype":"BOOL","shape":[3],"data_offsets":[16,19]}} )",
         words({0x3ff0000000000000, 0x4000000000000000}, 8) + std::string("\1\0\1", 3));

}  // namespace

TEST_CASE("safetensors: bytes of the format") {
  const TempDir dir;
  const std::string path = dir / "file";
  write_safetensors(path, {});
  CHECK(files::read(path) == file("{}      "));
  write_safetensors(path, {{}, {{"framework", "pt"}}});
  CHECK(files::read(path) == file(R"({"__metadata__":{"framework":"pt"}}     )"));
  const gt::Tensor x = gt::reshape(gt::arange(6).to(gt::f32), {1, 1, 2, 3});
  write_safetensors(path, {{{"attn0", x}}, {}});
  CHECK(files::read(path) == file(R"({"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       )",
                                  words({0, 0x3f800000, 0x40000000, 0x40400000, 0x40800000, 0x40a00000}, 4)));
}

TEST_CASE("safetensors: what is written is read, to the bit") {
  const TempDir dir;
  const double infinity = std::numeric_limits<double>::infinity();
  const gt::Tensor matrix = gt::reshape(gt::linspace(-1, 1, 15, {.dtype = gt::f64}), {3, 5});
  const Safetensors content{
      {{"flags", gt::tensor({1., 0., 1.}).to(gt::boolean)},
       {"special", gt::tensor({-0., infinity, -infinity, 1e-45, 1.})},
       {"count", gt::tensor(std::span<const std::int64_t>(std::vector<std::int64_t>{INT64_MIN, INT64_MAX}), {2})},
       {"transposed", gt::transpose(matrix)},
       {"slice", matrix[{gt::Slice{1, 3}, 2}]},
       {"stretched", gt::broadcast_to(gt::tensor({1., 2.}), {3, 2})},
       {"scalar", gt::tensor(2.5)},
       {"none", gt::zeros({0, 4})},
       {"leaf", gt::parameter(matrix)},
       {"\"quoted\\\"\n\t\u00e4\u20ac", gt::tensor({7.})},
       {"", gt::tensor({8.})}},
      {{"a", "1"}, {"\"", "\u00e9\\"}}};
  const std::string path = dir / "file";
  write_safetensors(path, content);
  const Safetensors found = read_safetensors(path);
  CHECK(found.metadata == content.metadata);
  REQUIRE(found.tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) {
    CAPTURE(name);
    const auto at = std::ranges::find(found.tensors, name, [](const auto& named) { return named.first; });
    REQUIRE(at != found.tensors.end());
    CHECK(gt::equal(at->second, tensor.detach()));
    CHECK_FALSE(at->second.requires_grad());
  }
  CHECK(files::read(path).size() % 4 != 0);  // the flags come last

  write_safetensors(path, {{{"nan", gt::tensor({std::nan("")})}}, {}});
  CHECK(std::isnan(read_safetensors(path).tensors[0].second.item()));
}

TEST_CASE("safetensors: the order of the data is the order of the tensors") {
  const TempDir dir;
  const std::string data = words({1, 2, 3}, 8);
  const auto found = read_safetensors(
      dir.write("file", file(R"({"c":{"data_offsets":[16,24],"dtype":"I64","shape":[]},"a":{"shape":[1],"dtype":"I64",)"
                             R"("data_offsets":[0,8]},"e":{"dtype":"I64","shape":[0,3],"data_offsets":[8,8]},)"
                             R"("b":{"dtype":"I64","shape":[1,1],"data_offsets":[8,16]}})",
                             data)));
  REQUIRE(found.tensors.size() == 4);
  CHECK(found.tensors[0].first == "a");
  CHECK(found.tensors[1].first == "e");
  CHECK(found.tensors[1].second.shape() == gt::Shape{0, 3});
  CHECK(found.tensors[2].first == "b");
  CHECK(found.tensors[2].second.item<std::int64_t>() == 2);
  CHECK(found.tensors[3].first == "c");
  CHECK(found.tensors[3].second.shape() == gt::Shape{});
}

TEST_CASE("safetensors: other dtypes are read as the same numbers") {
  const TempDir dir;
  using Whole = std::vector<std::int64_t>;
  const auto whole = [&](const std::string& dtype, const std::vector<std::uint64_t>& bits, std::size_t bytes) {
    return read_one(dir, dtype, fmt::format("[{}]", bits.size()), words(bits, bytes)).to_vector<std::int64_t>();
  };
  CHECK(whole("I8", {0x7f, 0x80, 0xff}, 1) == Whole{127, -128, -1});
  CHECK(whole("U8", {0x7f, 0x80, 0xff}, 1) == Whole{127, 128, 255});
  CHECK(whole("I16", {0x7fff, 0x8000, 0xffff}, 2) == Whole{32767, -32768, -1});
  CHECK(whole("U16", {0x7fff, 0x8000, 0xffff}, 2) == Whole{32767, 32768, 65535});
  CHECK(whole("I32", {0x7fffffff, 0x80000000, 0xffffffff}, 4) == Whole{INT32_MAX, INT32_MIN, -1});
  CHECK(whole("U32", {0x7fffffff, 0x80000000, 0xffffffff}, 4) == Whole{INT32_MAX, 1LL << 31, UINT32_MAX});
  CHECK(whole("U64", {0, 0x7fffffffffffffff}, 8) == Whole{0, INT64_MAX});
  check_fails(dir, one("U64", "[2,1]", words({1, 0x8000000000000000}, 8)), "key \"x\": the U64 at [1, 0] is no i64");
  check_fails(dir, one("BOOL", "[3]", words({1, 0, 2}, 1)), "key \"x\": the BOOL at [2] is no boolean");

  // Every half: sign, exponent and mantissa by their definition.
  std::vector<std::uint64_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = i;
  const auto halves = read_one(dir, "F16", "[65536]", words(bits, 2)).to_vector<float>();
  const auto brains = read_one(dir, "BF16", "[65536]", words(bits, 2)).to_vector<float>();
  const auto number = [](std::size_t i, int mantissa_bits, int bias) {
    const int exponent = static_cast<int>(i >> mantissa_bits) & (2 * bias + 1);
    const double fraction = std::ldexp(static_cast<double>(i & ((1U << mantissa_bits) - 1)), -mantissa_bits);
    double x = std::ldexp(exponent == 0 ? fraction : 1 + fraction, std::max(exponent, 1) - bias);
    if (exponent == 2 * bias + 1) x = fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
    return i >> 15 != 0 ? -x : x;
  };
  int wrong = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const auto differs = [](float found, double expected) {
      return std::isnan(expected) ? !std::isnan(found)
                                  : found != expected || std::signbit(found) != std::signbit(expected);
    };
    wrong += differs(halves[i], number(i, 10, 15)) + differs(brains[i], number(i, 7, 127));
  }
  CHECK(wrong == 0);
}

TEST_CASE("safetensors: a file that cannot be read") {
  const TempDir dir;
  const std::string absent = dir / "absent";
  CHECK_THROWS_WITH_AS(read_safetensors(absent),
                       ("safetensors: " + absent + ": cannot be opened: No such file or directory").c_str(),
                       gt::FileError);
  const std::string folder = dir / "";
  CHECK_THROWS_WITH_AS(read_safetensors(folder), ("safetensors: " + folder + ": is no regular file").c_str(),
                       gt::FileError);
  const std::string path = folder + "no/folder";
  CHECK_THROWS_WITH_AS(
      write_safetensors(path, {}),
      fmt::format("cannot write {0}: open the folder {1}no/: No such file or directory", path, folder).c_str(),
      gt::FileError);
}

TEST_CASE("safetensors: sizes of the header") {
  const TempDir dir;
  check_fails(dir, "1234567", "byte 7: the file ends, expected 8 bytes for the size of the header");
  check_fails(dir, little_endian(100'000'001, 8), "byte 0: a header of 100000001 bytes; at most 100000000 are allowed");
  check_fails(dir, little_endian(~0ULL, 8) + "{}",
              "byte 0: a header of 18446744073709551615 bytes; at most 100000000 are allowed");
  check_fails(dir, little_endian(100'000'000, 8) + "{}",
              "byte 10: the file ends, expected a header of 100000000 bytes");
  check_fails(dir, file(""), "byte 8: expected the '{' of a header");
  check_fails(dir, file(" {}"), "byte 8: expected the '{' of a header");
  check_fails(dir, file("\xef\xbb\xbf{}"), "byte 8: expected the '{' of a header");
  check_fails(dir, file("[]"), "byte 8: expected the '{' of a header");
}

TEST_CASE("safetensors: headers that are no JSON") {
  const TempDir dir;
  check_fails(dir, file("{} x"),
              "byte 12: the header is no JSON: syntax error while parsing value - invalid literal; last read: '{} x'; "
              "expected end of input");
  check_fails(dir, file(std::string("{}\0{}", 5)), "byte 10: the header is no JSON: found a zero byte");
  const auto start = [&](const std::string& header) {
    const std::string path = dir.write("broken", file(header));
    try {
      read_safetensors(path);
    } catch (const gt::FileError& error) {
      return std::string(error.what()).substr(path.size() + 15, 30);
    }
    return std::string();
  };
  CHECK(start("{\"a\xff\":1}") == "byte 12: the header is no JSON");
  CHECK(start("{'a':1}") == "byte 10: the header is no JSON");
  CHECK(start("{\"a\":") == "byte 14: the header is no JSON");
  CHECK(start("{,}") == "byte 10: the header is no JSON");
  CHECK(start("{}//") == "byte 11: the header is no JSON");
}

TEST_CASE("safetensors: headers that say something else") {
  const TempDir dir;
  const auto fails = [&](const std::string& header, const std::string& message) {
    check_fails(dir, file(header, "12345678"), message);
  };
  const std::string rest = R"("shape":[2],"data_offsets":[0,8])";
  fails(R"({"x":1})", R"(key "x": found a number, expected an object)");
  fails(R"({"x":null})", R"(key "x": found null, expected an object)");
  fails(R"({"x":[]})", R"(key "x": found a list, expected an object)");
  fails(R"({"x":"F32"})", R"(key "x": found a string, expected an object)");
  fails(R"({"x":true})", R"(key "x": found a boolean, expected an object)");
  fails(R"({"x":{}})", R"(key "x": no dtype)");
  fails(R"({"x":{"dtype":"F32","data_offsets":[0,8]}})", R"(key "x": no shape)");
  fails(R"({"x":{"dtype":"F32","shape":[2]}})", R"(key "x": no data_offsets)");
  fails(R"({"x":{"dtype":"F33",)" + rest + "}}", R"(key "x": unknown dtype "F33")");
  fails(R"({"x":{"dtype":"f32",)" + rest + "}}", R"(key "x": unknown dtype "f32")");
  fails(R"({"x":{"dtype":"F8_E4M3",)" + rest + "}}", R"(key "x": unknown dtype "F8_E4M3")");
  fails(R"({"x":{"dtype":4,)" + rest + "}}", R"(key "x": field "dtype": found a number, expected a string)");
  fails(R"({"x":{"dtype":["F32"],)" + rest + "}}", R"(key "x": field "dtype": found a list, expected a string)");
  fails(R"({"x":{"type":"F32",)" + rest + "}}", R"(key "x": field "type": expected dtype, shape, data_offsets)");
  fails(R"({"x":{"shape":2}})", R"(key "x": field "shape": found a number, expected a list of whole numbers)");
  fails(R"({"x":{"shape":{}}})", R"(key "x": field "shape": found an object, expected a list of whole numbers)");
  fails(R"({"x":{"shape":[[2]]}})", R"(key "x": field "shape": found a list, expected a whole number)");
  fails(R"({"x":{"shape":[{}]}})", R"(key "x": field "shape": found an object, expected a whole number)");
  fails(R"({"x":{"shape":[2.0]}})",
        R"(key "x": field "shape": found a fraction or a number of 2^64 or more, expected a whole number)");
  fails(R"({"x":{"shape":[18446744073709551616]}})",
        R"(key "x": field "shape": found a fraction or a number of 2^64 or more, expected a whole number)");
  fails(R"({"x":{"shape":[-2]}})", R"(key "x": field "shape": found a negative number, expected a whole number)");
  fails(R"({"x":{"shape":[9223372036854775808]}})",
        R"(key "x": a size of 9223372036854775808 is larger than any memory)");
  fails(R"({"x":{"shape":[1,1,1,1,1,1,1,1,1]}})", R"(key "x": more than 8 axes)");
  fails(R"({"x":{"data_offsets":[0,8,8]}})", R"(key "x": more than two data_offsets)");
  fails(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", R"(key "x": fewer than two data_offsets)");
  fails(R"({"__metadata__":{"a":1}})", R"(key "__metadata__": field "a": found a number, expected a string)");
  fails(R"({"__metadata__":{"a":{}}})", R"(key "__metadata__": field "a": found an object, expected a string)");
  fails(R"({"__metadata__":{"a":["b"]}})", R"(key "__metadata__": field "a": found a list, expected a string)");
  fails(R"({"__metadata__":"a"})", R"(key "__metadata__": found a string, expected an object)");

  const std::string x = R"("x":{"dtype":"F32",)" + rest + "}";
  fails("{" + x + "," + x + "}", R"(key "x" stands twice)");
  fails("{" + x + R"(,"\u0078":{}})", R"(key "x" stands twice)");
  fails(R"({"__metadata__":{},"__metadata__":{}})", R"(key "__metadata__" stands twice)");
  fails(R"({"__metadata__":{"a":"","a":""}})", R"(key "__metadata__": field "a" stands twice)");
  fails(R"({"x":{"dtype":"F32","dtype":"F32"}})", R"(key "x": field "dtype" stands twice)");
  fails("{\"" + std::string(200, 'k') + "\":1}",
        "key \"" + std::string(100, 'k') + "\"\u2026: found a number, expected an object");
  fails(std::string(100'000, '[').insert(0, R"({"x":{"shape":)"),
        R"(key "x": field "shape": found a list, expected a whole number)");
}

TEST_CASE("safetensors: data that do not fit") {
  const TempDir dir;
  const auto fails = [&](const std::string& shape, const std::string& offsets, const std::string& message) {
    const std::string x = R"({"x":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}}";
    check_fails(dir, file(x, "12345678"), message);
  };
  fails("2", "8,0", R"(key "x": data_offsets [8, 0] end before they begin)");
  fails("1", "4,8", R"(key "x": data_offsets [4, 8] leave a hole of 4 bytes)");
  fails("1", "0,8", R"(key "x": data_offsets [0, 8] hold 8 bytes; F32 [1] takes 4)");
  fails("3", "0,8", R"(key "x": data_offsets [0, 8] hold 8 bytes; F32 [3] takes 12)");
  fails("0", "0,8", R"(key "x": data_offsets [0, 8] hold 8 bytes; F32 [0] takes 0)");
  fails("1", "0,4", "the header describes 4 bytes of data; the file holds 8");
  fails("4", "0,16", "the header describes 16 bytes of data; the file holds 8");
  fails(
      "2", "18446744073709551608,18446744073709551615",
      R"(key "x": data_offsets [18446744073709551608, 18446744073709551615] leave a hole of 18446744073709551608 bytes)");
  for (const char* shape : {"4294967296, 4294967296", "4611686018427387904", "4294967297, 0, 4294967296"})
    fails(shape, "0,0", fmt::format(R"(key "x": data_offsets [0, 0]: F32 [{}] is larger than any memory)", shape));

  const auto two = [](const std::string& a, const std::string& b) {
    return file(fmt::format(R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":[{}]}},"b":{{"dtype":"U8","shape":[4],)"
                            R"("data_offsets":[{}]}}}})",
                            a, b),
                "12345678");
  };
  CHECK(read_safetensors(dir.write("sound", two("4,8", "0,4"))).tensors.size() == 2);
  check_fails(dir, two("0,4", "0,4"), R"(key "b": data_offsets [0, 4] overlap data that end at 4)");
  check_fails(dir, two("0,4", "3,7"), R"(key "b": data_offsets [3, 7] overlap data that end at 4)");
  check_fails(dir, two("5,9", "0,4"), R"(key "a": data_offsets [5, 9] leave a hole of 1 bytes)");
}

TEST_CASE("safetensors: names that cannot be written") {
  const TempDir dir;
  const gt::Tensor x = gt::tensor({1.});
  const auto fails = [&](const Safetensors& content, const char* message) {
    CHECK_THROWS_WITH_AS(write_safetensors(dir / "file", content), message, gt::ValueError);
    CHECK_THROWS_AS(read_safetensors(dir / "file"), gt::FileError);  // there is none
  };
  fails({{{"x", x}, {"x", x}}, {}}, "safetensors: \"x\" stands twice");
  fails({{{"__metadata__", x}}, {}}, "safetensors: \"__metadata__\" is no name for a tensor");
  fails({{{"a\xff", x}}, {}}, "safetensors: the name \"a\\ufffd\" is no UTF-8");
  fails({{}, {{"a", ""}, {"a", ""}}}, "safetensors: metadata \"a\" stands twice");
  fails({{}, {{"a", "\xc3"}}}, "safetensors: the name \"\\ufffd\" is no UTF-8");
}

TEST_CASE("safetensors: the fuzzer's corpus") {
  std::vector<std::string> sound;
  for (const auto& entry : std::filesystem::directory_iterator(GRADTAPE_CORPUS "/safetensors")) {
    CAPTURE(entry.path().string());
    try {
      read_safetensors(entry.path());
      sound.push_back(entry.path().filename());
    } catch (const gt::FileError&) {
    }
  }
  std::ranges::sort(sound);
  CHECK(sound == std::vector<std::string>{"dtypes", "empty", "halves", "none", "whole"});
}

TEST_CASE("safetensors: damaged files are read or refused") {
  const TempDir dir;
  files::check_truncated(dir, small, reader);
  files::check_changed(dir, small, reader);
  check_fails(dir, small + "x", "the header describes 19 bytes of data; the file holds 20");
}
