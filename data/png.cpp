#include <gradtape/core/error.hpp>
#include <gradtape/data/file.hpp>
#include <gradtape/data/png.hpp>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <new>

#include <fmt/format.h>
#include <png.h>

namespace gradtape::inline v0::data::detail {
namespace {

constexpr std::size_t signature_size = 8;
constexpr std::size_t largest_ratio = 1032;  // of deflate: 258 bytes in two bits

/// libpng on a file in memory. It reports errors by longjmp, so the methods that call it keep no objects of their own.
class Reader {
 public:
  explicit Reader(const std::string& path) : source_("png", path), bytes_(source_.read_all()) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      source_.fail("libpng cannot start");
    }
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  Png read() {
    if (bytes_.size() < signature_size || png_sig_cmp(bytes_.data(), 0, signature_size) != 0)
      source_.fail_at(0, "found another format, expected the signature of a PNG file");
    read_header();
    if (packed_row_ > largest_ratio * bytes_.size() / image_.height) {
      source_.fail_at(signature_size,
                      fmt::format("found a header that claims {} x {} pixels, more than {} bytes can hold",
                                  image_.width, image_.height, bytes_.size()));
    }
    const std::size_t row = image_.width * 4 * (image_.wide ? 2 : 1);
    for (int pass = 0; pass < passes_; ++pass)
      for (std::size_t y = 0; y < image_.height; ++y) {
        if (pass == 0) image_.rgba.resize((y + 1) * row);  // as rows are there, not as the header claims
        read_row(image_.rgba.data() + y * row);
      }
    read_end();
    if (at_ < bytes_.size()) source_.fail_at(at_, fmt::format("found {} bytes after the image", bytes_.size() - at_));
    return std::move(image_);
  }

 private:
  void read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) fail();
    png_set_read_fn(png_, this, on_read);
    png_read_info(png_, info_);
    image_.width = png_get_image_width(png_, info_);
    image_.height = png_get_image_height(png_, info_);
    packed_row_ = png_get_rowbytes(png_, info_);
    png_set_expand(png_);  // palettes, less than 8 bits, a transparent colour
    png_set_gray_to_rgb(png_);
    png_set_add_alpha(png_, 0xffff, PNG_FILLER_AFTER);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    image_.wide = png_get_bit_depth(png_, info_) == 16;
  }

  void read_row(std::uint8_t* row) {
    if (setjmp(png_jmpbuf(png_)) != 0) fail();
    png_read_row(png_, row, nullptr);
  }

  void read_end() {
    if (setjmp(png_jmpbuf(png_)) != 0) fail();
    png_read_end(png_, nullptr);
  }

  [[noreturn]] void fail() const { source_.fail_at(at_, message_.data()); }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto& message_of = static_cast<Reader*>(png_get_error_ptr(png))->message_;
    std::strncpy(message_of.data(), message, message_of.size() - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto& self = *static_cast<Reader*>(png_get_io_ptr(png));
    const std::size_t left = self.bytes_.size() - self.at_;
    if (size > left) png_error(png, "the file ends, expected the rest of the image");
    std::copy_n(self.bytes_.data() + self.at_, size, out);
    self.at_ += size;
  }

  Source source_;
  std::vector<std::uint8_t> bytes_;
  std::size_t at_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::size_t packed_row_ = 0;  // bytes of a row in the file, unpacked
  int passes_ = 1;              // more if it is interlaced
  Png image_;
  std::array<char, 128> message_{};
};

}  // namespace

Png read_png_file(const std::string& path) {
  try {
    return Reader(path).read();
  } catch (const std::bad_alloc&) {
    throw FileError(fmt::format("png: {}: more pixels than memory holds", path));
  }
}

void write_png_file(const std::string& path, std::size_t width, std::size_t height, std::size_t channels,
                    std::span<const std::uint8_t> samples) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  std::vector<std::uint8_t> bytes;
  png_alloc_size_t size = 0;
  for (int pass = 0; pass < 2; ++pass) {  // the first one counts
    bytes.resize(size);
    if (!png_image_write_to_memory(&image, pass == 0 ? nullptr : bytes.data(), &size, 0, samples.data(), 0, nullptr))
      throw FileError(fmt::format("png: {}: {}", path, image.message));
  }
  bytes.resize(size);
  write_file(path, bytes);
}

}  // namespace gradtape::inline v0::data::detail
