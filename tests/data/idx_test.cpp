#include <gradtape/core/error.hpp>
#include <gradtape/core/shape.hpp>
#include <gradtape/data/idx.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "data/support.hpp"
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gt = gradtape;
using files::TempDir, files::gzip, files::flip;
using gt::data::read_idx_images, gt::data::read_idx_labels, gt::data::read_idx_pair;

namespace {

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string idx(std::uint32_t magic, const std::vector<std::uint32_t>& sizes, const std::string& data) {
  std::string bytes = word(magic);
  for (const auto size : sizes) bytes += word(size);
  return bytes + data;
}

const std::string pixels("\x00\x33\xff\x66\x99\xcc\x01\xfe\x80\x00\x00\xff", 12);
const std::string images = idx(0x803, {2, 2, 3}, pixels);
const std::string labels = idx(0x801, {2}, std::string("\x09\x00", 2));

void check_images(const gt::Tensor& read) {
  CHECK(read.shape() == gt::Shape{2, 2, 3});
  const auto values = read.to_vector<float>();
  REQUIRE(values.size() == pixels.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(values[i] == static_cast<float>(static_cast<unsigned char>(pixels[i])) / 255.0F);
  }
}

void check_fails(const std::string& file, const std::string& message) {
  CHECK_THROWS_WITH_AS(read_idx_images(file), ("idx: " + file + ": " + message).c_str(), gt::FileError);
}

void check_labels_fail(const std::string& file, const std::string& message) {
  CHECK_THROWS_WITH_AS(read_idx_labels(file), ("idx: " + file + ": " + message).c_str(), gt::FileError);
}

}  // namespace

TEST_CASE("idx: images and labels, plain, gzipped and in several gzip members") {
  const TempDir dir;
  check_images(read_idx_images(dir.write("plain", images)));
  check_images(read_idx_images(dir.write("packed", gzip(images))));
  check_images(read_idx_images(dir.write("members", gzip(images.substr(0, 7)) + gzip(images.substr(7)))));

  const auto [x, y] = read_idx_pair(dir / "packed", dir.write("labels", gzip(labels)));
  check_images(x);
  CHECK(y.shape() == gt::Shape{2});
  CHECK(y.to_vector<std::int64_t>() == std::vector<std::int64_t>{9, 0});
  CHECK(read_idx_images(dir.write("none", idx(0x803, {0, 28, 28}, ""))).shape() == gt::Shape{0, 28, 28});
}

TEST_CASE("idx: data larger than any buffer") {
  const TempDir dir;
  std::string data(3'000'001, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * i % 7);
  const std::vector<std::int64_t> expected(data.begin(), data.end());
  const std::string file = idx(0x801, {3'000'001}, data);
  CHECK(read_idx_labels(dir.write("plain", file)).to_vector<std::int64_t>() == expected);
  CHECK(read_idx_labels(dir.write("packed", gzip(file))).to_vector<std::int64_t>() == expected);
}

TEST_CASE("idx: a file that cannot be read") {
  const TempDir dir;
  check_fails(dir / "absent", "cannot be opened: No such file or directory");
  std::filesystem::create_directory(dir / "folder");
  check_fails(dir / "folder", "byte 0: cannot be read: Is a directory");
}

TEST_CASE("idx: magic") {
  const TempDir dir;
  const auto file = dir.write("images", images);
  check_labels_fail(file, "byte 0: found magic 0x00000803 (images), expected magic 0x00000801 (labels)");
  check_fails(dir.write("labels", gzip(labels)),
              "byte 0 after unpacking: found magic 0x00000801 (labels), expected magic 0x00000803 (images)");
  for (std::size_t at = 0; at < 4; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto found = 0x803U ^ 1U << bit << 8 * (3 - at);
      check_fails(dir.write("flipped", flip(images, at, 1 << bit)),
                  fmt::format("byte 0: found magic 0x{:08x}{}, expected magic 0x00000803 (images)", found,
                              found == 0x801 ? " (labels)" : ""));
    }
  }
}

TEST_CASE("idx: sizes that are not the data's") {
  const TempDir dir;
  for (std::size_t at = 4; at < 16; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::uint32_t> sizes{2, 2, 3};
      sizes[at / 4 - 1] ^= 1U << bit << 8 * (3 - at % 4);
      const auto count = std::uint64_t{sizes[0]} * sizes[1] * sizes[2];
      const auto plain = dir.write("flipped", flip(images, at, 1 << bit));
      const auto packed = dir.write("packed", gzip(flip(images, at, 1 << bit)));
      if (count > 12) {
        const auto what = fmt::format("the file ends, expected {} bytes of data for sizes {}, found 12", count, sizes);
        check_fails(plain, "byte 28: " + what);
        check_fails(packed, "byte 28 after unpacking: " + what);
      } else {
        const auto what = fmt::format("found 0x{:02x}, expected the end after sizes {}",
                                      static_cast<unsigned char>(pixels[count]), sizes);
        check_fails(plain, fmt::format("byte {}: {}", 16 + count, what));
        check_fails(packed, fmt::format("byte {} after unpacking: {}", 16 + count, what));
      }
    }
  }
}

TEST_CASE("idx: a header that claims more than there is allocates nothing") {
  const TempDir dir;
  for (const std::uint32_t last : {0U, 2U}) {
    const auto message =
        fmt::format("byte 4: found sizes [4294967295, 4294967295, {}], expected a product below 2^63", last);
    check_fails(dir.write("overflow", idx(0x803, {0xffffffff, 0xffffffff, last}, pixels)), message);
  }
  check_fails(dir.write("huge", gzip(idx(0x803, {0xffffffff, 0x7fffffff, 1}, pixels))),
              "byte 28 after unpacking: the file ends, expected 9223372030412324865 bytes of data for sizes "
              "[4294967295, 2147483647, 1], found 12");
}

TEST_CASE("idx: cut short at every length") {
  const TempDir dir;
  for (std::size_t length = 0; length < images.size(); ++length) {
    const auto missing = length < 4    ? "magic 0x00000803 (images)"
                         : length < 16 ? fmt::format("size {} of 3", length / 4)
                                       : fmt::format("12 bytes of data for sizes [2, 2, 3], found {}", length - 16);
    const auto what = "the file ends, expected " + missing;
    const auto cut = images.substr(0, length);
    check_fails(dir.write("plain", cut), fmt::format("byte {}: {}", length, what));
    check_fails(dir.write("packed", gzip(cut)), fmt::format("byte {} after unpacking: {}", length, what));
  }
  const auto packed = gzip(images);
  check_fails(dir.write("one", packed.substr(0, 1)), "byte 1: the file ends, expected magic 0x00000803 (images)");
  for (std::size_t length = 2; length < packed.size(); ++length) {
    check_fails(dir.write("packed", packed.substr(0, length)),
                fmt::format("byte {} before unpacking: the file ends, expected the rest of the gzip stream", length));
  }
}

TEST_CASE("idx: a damaged gzip stream") {
  const TempDir dir;
  const auto packed = gzip(images);
  for (std::size_t back = 1; back <= 8; ++back) {  // the stream ends with crc32 and length, four bytes each
    const auto check = back > 4 ? "data" : "length";
    const auto end = packed.size() - (back > 4 ? 4 : 0);
    check_fails(
        dir.write("checksum", flip(packed, packed.size() - back)),
        fmt::format("byte {} before unpacking: found incorrect {} check, expected a sound gzip stream", end, check));
  }
  check_fails(dir.write("method", flip(packed, 2)),
              "byte 4 before unpacking: found unknown compression method, expected a sound gzip stream");
  for (std::size_t at = 10; at < packed.size(); ++at) {
    CHECK_THROWS_AS(read_idx_images(dir.write("flipped", flip(packed, at))), gt::FileError);
  }
}

TEST_CASE("idx: bytes after the data") {
  const TempDir dir;
  const auto what = "found 0x2a, expected the end after sizes [2, 2, 3]";
  check_fails(dir.write("plain", images + "*"), fmt::format("byte 28: {}", what));
  check_fails(dir.write("packed", gzip(images + "*")), fmt::format("byte 28 after unpacking: {}", what));
  check_fails(
      dir.write("after", gzip(images) + "*"),
      fmt::format("byte {} before unpacking: found 0x2a, expected the end of the gzip file", gzip(images).size()));
}

TEST_CASE("idx: labels that are no class") {
  const TempDir dir;
  const auto plain = dir.write("plain", idx(0x801, {3}, "\x09\x0a\x0b"));
  check_labels_fail(plain, "byte 9: label 1 is 10, expected 0 to 9");
  check_labels_fail(dir.write("packed", gzip(idx(0x801, {1}, "\xff"))),
                    "byte 8 after unpacking: label 0 is 255, expected 0 to 9");
  CHECK(read_idx_labels(plain, {.classes = 12}).to_vector<std::int64_t>() == std::vector<std::int64_t>{9, 10, 11});
  CHECK_THROWS_WITH_AS(read_idx_labels(plain, {.classes = 0}), "read_idx_labels: classes is 0, expected at least 1",
                       gt::ValueError);
}

TEST_CASE("idx: images and labels that differ in their count") {
  const TempDir dir;
  const auto x = dir.write("images", images), y = dir.write("labels", idx(0x801, {3}, "\1\2\3"));
  const auto message = fmt::format("idx: {}: byte 4: found 2 images, expected 3, one for each label in {}", x, y);
  CHECK_THROWS_WITH_AS(read_idx_pair(x, y), message.c_str(), gt::FileError);
}
