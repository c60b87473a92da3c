#include <gradtape/core/error.hpp>
#include <gradtape/core/shape.hpp>
#include <gradtape/data/idx.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

namespace gradtape::data {
namespace {

using Bytes = std::span<std::uint8_t>;

/// The bytes of a file, unpacked if it is gzipped. Its offsets count unpacked bytes.
class Source {
 public:
  explicit Source(const std::string& path) : name_(path), file_(std::fopen(name_.c_str(), "rb")) {
    if (!file_) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
    packed_ = refill() && zip_.avail_in >= 2 && buffer_[0] == 0x1f && buffer_[1] == 0x8b;
    constexpr int gzip_only = 16;
    if (packed_ && inflateInit2(&zip_, MAX_WBITS + gzip_only) != Z_OK) fail("zlib cannot start");
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source() { inflateEnd(&zip_); }

  /// Fills `out` and returns its size; less only where the file ends.
  std::size_t read(Bytes out) {
    std::size_t got = 0;
    while (got < out.size() && refill()) got += packed_ ? unpack(out.subspan(got)) : copy(out.subspan(got));
    offset_ += got;
    return got;
  }

  std::size_t offset() const { return offset_; }

  [[noreturn]] void fail(const std::string& what) const { throw FileError(fmt::format("idx: {}: {}", name_, what)); }
  [[noreturn]] void fail_at(std::size_t offset, const std::string& what) const {
    fail(fmt::format("byte {}{}: {}", offset, packed_ ? " after unpacking" : "", what));
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  /// True if there is input to work on.
  bool refill() {
    if (zip_.avail_in > 0) return true;
    const std::size_t got = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (std::ferror(file_.get())) fail(fmt::format("byte {}: cannot be read: {}", position_, std::strerror(errno)));
    if (got == 0 && in_member_) fail_gzip("the file ends", "the rest of the gzip stream");
    zip_.next_in = buffer_.data();
    zip_.avail_in = static_cast<uInt>(got);
    position_ += got;
    return got > 0;
  }

  std::size_t copy(Bytes out) {
    const std::size_t count = std::min<std::size_t>(out.size(), zip_.avail_in);
    std::copy_n(zip_.next_in, count, out.data());
    zip_.next_in += count;
    zip_.avail_in -= static_cast<uInt>(count);
    return count;
  }

  std::size_t unpack(Bytes out) {
    if (!in_member_) {  // a gzip file may have several members, and nothing else
      if (*zip_.next_in != 0x1f) fail_gzip(fmt::format("found 0x{:02x}", *zip_.next_in), "the end of the gzip file");
      inflateReset(&zip_);
      in_member_ = true;
    }
    zip_.next_out = out.data();
    zip_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max()));
    const int status = inflate(&zip_, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      fail_gzip(fmt::format("found {}", zip_.msg ? zip_.msg : zError(status)), "a sound gzip stream");
    }
    in_member_ = status != Z_STREAM_END;
    return static_cast<std::size_t>(zip_.next_out - out.data());
  }

  [[noreturn]] void fail_gzip(const std::string& found, const std::string& expected) const {
    fail(fmt::format("byte {} before unpacking: {}, expected {}", position_ - zip_.avail_in, found, expected));
  }

  std::string name_;
  std::unique_ptr<std::FILE, Close> file_;
  std::array<std::uint8_t, 1 << 16> buffer_{};
  z_stream zip_{};  // its input side serves plain files too
  bool packed_ = false;
  bool in_member_ = false;
  std::size_t position_ = 0;  // bytes taken from the file
  std::size_t offset_ = 0;    // bytes handed out
};

std::string describe(std::uint32_t magic) {
  return fmt::format("magic 0x{:08x}{}", magic, magic == 0x803 ? " (images)" : magic == 0x801 ? " (labels)" : "");
}

struct Idx {
  std::vector<std::size_t> sizes;
  std::vector<std::uint8_t> data;
};

/// Magic and sizes, big endian.
std::vector<std::size_t> read_header(Source& source, std::uint32_t magic) {
  const std::size_t rank = magic & 0xff;
  const auto read_word = [&](const std::string& what) {
    std::array<std::uint8_t, 4> b{};
    if (source.read(b) < b.size()) source.fail_at(source.offset(), "the file ends, expected " + what);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]};
  };
  const std::uint32_t found = read_word(describe(magic));
  if (found != magic) source.fail_at(0, fmt::format("found {}, expected {}", describe(found), describe(magic)));
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < rank; ++i) sizes.push_back(read_word(fmt::format("size {} of {}", i + 1, rank)));
  return sizes;
}

Idx read(Source& source, std::uint32_t magic) {
  Idx idx{read_header(source, magic), {}};
  const std::size_t start = source.offset();
  constexpr std::size_t limit = std::numeric_limits<std::int64_t>::max();
  std::size_t product = 1;  // of the sizes that are not 0: a 0 does not make the others sound
  for (const std::size_t size : idx.sizes) {
    const std::size_t factor = std::max<std::size_t>(size, 1);
    if (product > limit / factor)
      source.fail_at(4, fmt::format("found sizes {}, expected a product below 2^63", idx.sizes));
    product *= factor;
  }
  const std::size_t count = std::ranges::count(idx.sizes, 0U) > 0 ? 0 : product;
  constexpr std::size_t chunk = 1 << 20;
  while (idx.data.size() < count) {
    const std::size_t had = idx.data.size(), want = std::min(chunk, count - had);
    idx.data.resize(had + want);
    if (source.read(Bytes(idx.data).subspan(had)) < want) {
      source.fail_at(source.offset(), fmt::format("the file ends, expected {} bytes of data for sizes {}, found {}",
                                                  count, idx.sizes, source.offset() - start));
    }
  }
  std::uint8_t extra = 0;  // reading on also checks the checksum that ends a gzip stream
  if (source.read({&extra, 1}) > 0) {
    source.fail_at(start + count, fmt::format("found 0x{:02x}, expected the end after sizes {}", extra, idx.sizes));
  }
  return idx;
}

constexpr std::uint32_t images_magic = 0x803, labels_magic = 0x801;  // u8 in three dimensions, in one

}  // namespace

Tensor read_idx_images(const std::string& path) {
  Source source(path);
  const Idx idx = read(source, images_magic);
  std::vector<float> values(idx.data.size());
  std::ranges::transform(idx.data, values.begin(), [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
  return tensor(std::span<const float>(values), Shape{idx.sizes[0], idx.sizes[1], idx.sizes[2]});
}

Tensor read_idx_labels(const std::string& path, const IdxOptions& options) {
  if (options.classes < 1) {
    throw ValueError(fmt::format("read_idx_labels: classes is {}, expected at least 1", options.classes));
  }
  Source source(path);
  const Idx idx = read(source, labels_magic);
  const auto no_class = [&](std::uint8_t label) { return label >= options.classes; };
  if (const auto bad = std::ranges::find_if(idx.data, no_class); bad != idx.data.end()) {
    const auto index = static_cast<std::size_t>(bad - idx.data.begin());
    const std::size_t header = source.offset() - idx.data.size();
    source.fail_at(header + index, fmt::format("label {} is {}, expected 0 to {}", index, *bad, options.classes - 1));
  }
  const std::vector<std::int64_t> values(idx.data.begin(), idx.data.end());
  return tensor(std::span<const std::int64_t>(values), Shape{values.size()});
}

Labelled read_idx_pair(const std::string& images, const std::string& labels, const IdxOptions& options) {
  Labelled read{read_idx_images(images), read_idx_labels(labels, options)};
  if (const auto found = read.images.shape()[0], expected = read.labels.shape()[0]; found != expected) {
    throw FileError(fmt::format("idx: {}: byte 4: found {} images, expected {}, one for each label in {}", images,
                                found, expected, labels));
  }
  return read;
}

}  // namespace gradtape::data
