#include <gradtape/core/error.hpp>
#include <gradtape/data/image.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/shape.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "data/support.hpp"
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <zlib.h>

namespace gt = gradtape;
using files::TempDir;
using gt::data::read_image_folder, gt::data::read_png, gt::data::write_png;

namespace {

using Floats = std::vector<float>;

std::string word(std::uint64_t value) {
  const auto little = files::little_endian(value, 4);
  return {little.rbegin(), little.rend()};
}

std::string chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  return word(content.size()) + checked +
         word(crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size()));
}

std::string deflated(const std::string& plain) {
  std::string packed(plain.size() + 256, '\0');
  uLongf size = packed.size();
  const auto* bytes = reinterpret_cast<const Bytef*>(plain.data());
  if (compress(reinterpret_cast<Bytef*>(packed.data()), &size, bytes, plain.size()) != Z_OK) throw std::bad_alloc();
  packed.resize(size);
  return packed;
}

constexpr char gray = 0, rgb = 2, palette = 3, rgba = 6;

/// A PNG file; each row of `rows` starts with its filter.
std::string png(std::uint32_t width, std::uint32_t height, char depth, char color, const std::string& rows,
                const std::string& more = "", char interlace = 0) {
  const std::string header = word(width) + word(height) + depth + color + '\0' + '\0' + interlace;
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + more + chunk("IDAT", deflated(rows)) + chunk("IEND", "");
}

std::string text(std::initializer_list<int> bytes) {
  std::string all;
  for (const int byte : bytes) all += static_cast<char>(byte);
  return all;
}

void check_reads(const std::string& content, const gt::Shape& shape, const Floats& expected, int channels = 3) {
  const TempDir dir;
  const auto x = read_png(dir.write("x.png", content), {.channels = channels});
  CHECK(x.shape() == shape);
  CHECK(x.to_vector<float>() == expected);
}

void check_fails(const std::string& content, const std::string& message) {
  const TempDir dir;
  const auto file = dir.write("x.png", content);
  CHECK_THROWS_WITH_AS(read_png(file), ("png: " + file + ": " + message).c_str(), gt::FileError);
}

const std::string small = png(2, 1, 8, rgb, text({0, 255, 0, 51, 0, 102, 0}));

}  // namespace

TEST_CASE("png: each kind of image") {
  check_reads(small, {3, 1, 2}, {1, 0, 0, 0.4F, 0.2F, 0});
  check_reads(small, {4, 1, 2}, {1, 0, 0, 0.4F, 0.2F, 0, 1, 1}, 4);
  check_reads(small, {1, 1, 2}, {0.3218F, 0.2348F}, 1);
  check_reads(png(2, 2, 8, gray, text({0, 0, 51, 0, 102, 255})), {1, 2, 2}, {0, 0.2F, 0.4F, 1}, 1);
  check_reads(png(2, 2, 8, gray, text({0, 0, 51, 2, 102, 204})), {1, 2, 2}, {0, 0.2F, 0.4F, 1}, 1);  // filter "up"
  check_reads(png(4, 1, 2, gray, text({0, 0b00011011})), {1, 1, 4}, {0, 1 / 3.F, 2 / 3.F, 1}, 1);
  check_reads(png(1, 2, 16, gray, text({0, 0x33, 0x33, 0, 0, 1})), {1, 2, 1}, {0.2F, 1 / 65535.F}, 1);
  check_reads(png(2, 1, 8, rgba, text({0, 255, 0, 51, 102, 0, 0, 0, 255})), {4, 1, 2}, {1, 0, 0, 0, 0.2F, 0, 0.4F, 1},
              4);
  check_reads(png(2, 1, 1, palette, text({0, 0b01000000}), chunk("PLTE", text({255, 0, 0, 0, 51, 102}))), {3, 1, 2},
              {1, 0, 0, 0.2F, 0, 0.4F});
  check_reads(png(2, 2, 8, gray, text({0, 0, 0, 51, 0, 102, 255}), "", 1), {1, 2, 2}, {0, 0.2F, 0.4F, 1}, 1);  // Adam7
  check_reads(png(1, 1, 8, gray, text({0, 51}), chunk("gAMA", word(100000))), {1, 1, 1}, {0.2F}, 1);
}

TEST_CASE("png: written and read") {
  const TempDir dir;
  for (const int channels : {1, 3, 4}) {
    const auto bytes = gt::reshape(gt::arange(channels * 6, {.dtype = gt::f32}) * 10, {channels, 2, 3});
    write_png(dir / "x", bytes / 255);
    CHECK(gt::equal(read_png(dir / "x", {.channels = channels}), bytes / 255));
    write_png(dir / "x", gt::transpose(bytes / 255));
    CHECK(gt::equal(read_png(dir / "x", {.channels = channels}), gt::contiguous(gt::transpose(bytes / 255))));
  }
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  write_png(dir / "x", gt::tensor({{-0.1, 1.1, nan, inf, -inf, 0.2}}, {.dtype = gt::f64}));
  CHECK(read_png(dir / "x", {.channels = 1}).to_vector<float>() == Floats{0, 1, 0, 1, 0, 0.2F});
}

TEST_CASE("png: wrong questions") {
  const TempDir dir;
  CHECK_THROWS_WITH_AS(read_png("x", {.channels = 2}), "read_png: channels is 2, expected 1, 3 or 4", gt::ValueError);
  for (const gt::Shape& shape : {gt::Shape{2, 1, 1}, gt::Shape{3}, gt::Shape{0, 4}, gt::Shape{1, 1, 1, 1}}) {
    CHECK_THROWS_WITH_AS(
        write_png(dir / "x", gt::zeros(shape)),
        fmt::format("write_png: image has shape {}, expected [height, width] or [1, 3 or 4, height, width]",
                    gt::to_string(shape))
            .c_str(),
        gt::ShapeError);
  }
  CHECK_THROWS_AS(write_png(dir / "x", gt::zeros({1, 1}, {.dtype = gt::i64})), gt::DtypeError);
  CHECK_THROWS_AS(write_png(dir / "no/x", gt::zeros({1, 1})), gt::FileError);
}

TEST_CASE("png: files that break the rules") {
  check_fails("", "byte 0: found another format, expected the signature of a PNG file");
  check_fails("\x89PNG\r\n\x1a*" + small.substr(8),
              "byte 0: found another format, expected the signature of a PNG file");
  check_fails(small.substr(0, 20), "byte 16: the file ends, expected the rest of the image");
  check_fails(files::flip(small, 29), "byte 33: IHDR: CRC error");
  check_fails(small + "**", fmt::format("byte {}: found 2 bytes after the image", small.size()));
  const auto huge = png(900'000, 1'000'000, 16, rgba, "1");
  check_fails(huge,
              fmt::format("byte 8: found a header that claims 900000 x 1000000 pixels, more than {} bytes can hold",
                          huge.size()));
  check_fails(png(0xffffffff, 1, 8, gray, "1"), "byte 33: PNG unsigned integer out of range");
  check_fails(png(2, 2, 8, gray, text({0, 0, 51})), "byte 64: Not enough image data");
  check_fails(png(2, 1, 8, gray, text({7, 0, 51})), "byte 52: bad adaptive filter value");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they take address space as they please
TEST_CASE("png: memory grows with what is there, not with what the header claims") {
  constexpr std::uint32_t side = 20'000;  // 1.6 GB as red, green, blue and alpha
  const std::string filler = chunk("prIv", std::string(side * side / 1000, '*'));
  for (const char interlace : {'\0', '\1'}) {
    const files::MemoryLimit limit(256 << 20);
    check_fails(png(side, side, 8, gray, std::string(side + 1, '\0'), filler, interlace),
                fmt::format("byte {}: Not enough image data", interlace ? 400095 : 400107));
  }
}
#endif

TEST_CASE("png: files damaged anywhere are refused or read") {
  const TempDir dir;
  const auto reader = [](const std::string& path) { read_png(path); };
  const auto odd =
      png(3, 2, 2, palette, text({0, 0b00011011, 1, 0b11100100}),
          chunk("PLTE", text({255, 0, 0, 0, 51, 102, 9, 9, 9, 8, 8, 8})) + chunk("tRNS", text({0, 255, 9})), 1);
  for (const std::string& content : {small, odd}) {
    files::check_truncated(dir, content, reader);
    files::check_changed(dir, content, reader);
  }
}

TEST_CASE("image folder: classes are folders") {
  const TempDir dir;
  const auto one = [&](const std::string& name, int value) {
    dir.write(name, png(2, 1, 8, gray, text({0, value, 255})));
  };
  one("all/b/2.png", 51);
  one("all/b/1.PNG", 102);
  one("all/a/z.png", 153);
  dir.write("all/a/notes.txt", "no image");
  dir.write("all/.hidden/x.png", "no image");
  dir.write("all/readme", "no folder");
  const auto [images, labels, classes] = read_image_folder(dir / "all", {.channels = 1});
  CHECK(classes == std::vector<std::string>{"a", "b"});
  CHECK(labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 1});
  CHECK(images.shape() == gt::Shape{3, 1, 1, 2});
  CHECK(images.to_vector<float>() == Floats{0.6F, 1, 0.4F, 1, 0.2F, 1});

  const auto fails = [&](const std::string& message) {
    CHECK_THROWS_WITH_AS(read_image_folder(dir / "all"), ("image folder: " + (dir / "all") + message).c_str(),
                         gt::FileError);
  };
  dir.write("all/c/1.png", png(1, 1, 8, gray, text({0, 1})));
  fails("/c/1.png: found shape [3, 1, 1], expected [3, 1, 2] as of the first image");
  std::filesystem::remove_all(dir / "all/c");
  std::filesystem::create_directory(dir / "all/c");
  std::filesystem::create_symlink("1.png", dir / "all/c/1.png");  // leads to itself
  CHECK_THROWS_WITH_AS(
      read_image_folder(dir / "all"),
      ("png: " + (dir / "all/c/1.png") + ": cannot be opened: Too many levels of symbolic links").c_str(),
      gt::FileError);
  std::filesystem::remove_all(dir / "all/c");
  dir.write("all/c/notes", "");
  fails("/c: there is no PNG file in it");
  std::filesystem::remove_all(dir / "all");
  fails(": cannot be read: No such file or directory");
  std::filesystem::create_directory(dir / "all");
  fails(": there is no folder of a class in it");
}

TEST_CASE("image_grid: row by row") {
  const auto images = gt::reshape(gt::arange(6, {.dtype = gt::f32}) + 1, {3, 1, 1, 2});
  const auto grid = gt::data::image_grid(images, {.columns = 2, .gap = 0});
  CHECK(grid.shape() == gt::Shape{1, 2, 4});
  CHECK(grid.to_vector<float>() == Floats{1, 2, 3, 4, 5, 6, 0, 0});
  const auto framed = gt::data::image_grid(images);
  CHECK(framed.shape() == gt::Shape{1, 3, 12});
  CHECK(framed.to_vector<float>()[13] == 1);
  CHECK_THROWS_WITH_AS(gt::data::image_grid(gt::zeros({2, 2})),
                       "image_grid: images have shape [2, 2], expected [n, channels, height, width]", gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::data::image_grid(images, {.columns = 0}),
                       "image_grid: 0 columns with a gap of 1, expected at least 1 and 0", gt::ValueError);
}
