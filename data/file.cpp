#include <gradtape/core/error.hpp>
#include <gradtape/data/file.hpp>
#include <gradtape/io/atomic_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

namespace gradtape::inline v0::data::detail {
namespace {

constexpr std::size_t chunk = 1 << 16;  // memory grows by

[[noreturn]] void throw_file_error(const std::string& format, const std::string& path, const std::string& what) {
  throw FileError(fmt::format("{}: {}: {}", format, path, what));
}

}  // namespace

Source::Source(std::string format, std::string path)
    : format_(std::move(format)),
      path_(std::move(path)),
      file_(std::fopen(path_.c_str(), "rb")),
      buffer_(1 << 16),
      zip_(std::make_unique<z_stream>()) {
  if (!file_) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  if (!refill() || zip_->avail_in < 2 || buffer_[0] != 0x1f || buffer_[1] != 0x8b) return;
  packing_ = Packing::gzip;
  constexpr int gzip_only = 16;
  start(MAX_WBITS + gzip_only);
}

Source::Source(std::string format, std::string path, const ZipMember& member)
    : format_(std::move(format)),
      path_(std::move(path)),
      file_(std::fopen(path_.c_str(), "rb")),
      buffer_(1 << 16),
      zip_(std::make_unique<z_stream>()),
      position_(member.start),
      left_(member.packed_size),
      member_(std::make_unique<ZipMember>(member)) {
  if (!file_ || fseeko(file_.get(), static_cast<off_t>(member.start), SEEK_SET) != 0)
    fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  if (!member.deflated) return;
  packing_ = Packing::deflate;
  inside_ = true;
  start(-MAX_WBITS);
}

Source::~Source() { inflateEnd(zip_.get()); }

void Source::start(int window_bits) {
  if (inflateInit2(zip_.get(), window_bits) != Z_OK) fail("zlib cannot start");
}

std::size_t Source::read(Bytes out) {
  std::size_t got = 0;
  while (got < out.size() && (refill() || inside_)) {  // zlib may hold back output after the last of its input
    const Bytes rest = out.subspan(got);
    const std::size_t count = packing_ == Packing::none ? copy(rest) : unpack(rest);
    if (member_) crc_ = static_cast<std::uint32_t>(crc32_z(crc_, rest.data(), count));
    got += count;
  }
  offset_ += got;
  if (got < out.size()) check_member();
  return got;
}

void Source::read(Bytes out, const std::string& what) {
  if (read(out) < out.size()) fail_at(offset_, "the file ends, expected " + what);
}

std::vector<std::uint8_t> Source::read_data(std::size_t count, const std::string& what) {
  std::vector<std::uint8_t> data;
  while (data.size() < count) {
    const std::size_t had = data.size(), want = std::min(chunk, count - had);
    data.resize(had + want);
    const std::size_t got = read(Bytes(data).subspan(had));
    if (got < want)
      fail_at(offset_,
              fmt::format("the file ends, expected {} bytes of data for {}, found {}", count, what, had + got));
  }
  return data;
}

std::vector<std::uint8_t> Source::read_all() {
  std::vector<std::uint8_t> data;
  for (std::size_t had = 0, got = chunk; got == chunk; had += got) {
    data.resize(had + chunk);
    got = read(Bytes(data).subspan(had));
    data.resize(had + got);
  }
  return data;
}

void Source::expect_end(const std::string& after) {
  std::uint8_t extra = 0;  // reading on also checks the checksum that ends a packed stream
  if (read({&extra, 1}) > 0)
    fail_at(offset_ - 1, fmt::format("found 0x{:02x}, expected the end after {}", extra, after));
}

/// True if there is input to work on.
bool Source::refill() {
  if (zip_->avail_in > 0) return true;
  const std::size_t got = std::fread(buffer_.data(), 1, std::min(left_, buffer_.size()), file_.get());
  if (std::ferror(file_.get())) fail(fmt::format("byte {}: cannot be read: {}", position_, std::strerror(errno)));
  zip_->next_in = buffer_.data();
  zip_->avail_in = static_cast<uInt>(got);
  position_ += got;
  left_ -= got;
  return got > 0;
}

std::size_t Source::copy(Bytes out) {
  const std::size_t count = std::min<std::size_t>(out.size(), zip_->avail_in);
  std::copy_n(zip_->next_in, count, out.data());
  zip_->next_in += count;
  zip_->avail_in -= static_cast<uInt>(count);
  return count;
}

std::size_t Source::unpack(Bytes out) {
  const bool gzip = packing_ == Packing::gzip;
  if (!inside_) {  // a gzip file may have several members, and nothing else; a deflate stream is one
    if (!gzip || *zip_->next_in != 0x1f)
      fail_packed(fmt::format("found 0x{:02x}", *zip_->next_in),
                  fmt::format("the end of the {}", gzip ? "gzip file" : "deflate stream"));
    inflateReset(zip_.get());
    inside_ = true;
  }
  zip_->next_out = out.data();
  zip_->avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max()));
  const int status = inflate(zip_.get(), Z_NO_FLUSH);
  if (status == Z_BUF_ERROR)
    fail_packed(left_ == 0 ? "the member ends" : "the file ends",
                fmt::format("the rest of the {} stream", gzip ? "gzip" : "deflate"));
  if (status != Z_OK && status != Z_STREAM_END) {
    fail_packed(fmt::format("found {}", zip_->msg ? zip_->msg : zError(status)),
                fmt::format("a sound {} stream", gzip ? "gzip" : "deflate"));
  }
  inside_ = status != Z_STREAM_END;
  return static_cast<std::size_t>(zip_->next_out - out.data());
}

/// At the end of a member of a zip archive.
void Source::check_member() const {
  if (!member_) return;
  if (offset_ != member_->size)
    fail_at(offset_, fmt::format("the member ends, expected {} bytes, as the zip archive says", member_->size));
  if (crc_ != member_->crc)
    fail_at(0, fmt::format("found crc32 0x{:08x} of its bytes, expected 0x{:08x}", crc_, member_->crc));
}

void Source::fail(const std::string& what) const { throw_file_error(format_, path_, what); }

void Source::fail_at(std::size_t offset, const std::string& what) const {
  const std::string of = member_ ? " of " + member_->name : packing_ == Packing::none ? "" : " after unpacking";
  fail(fmt::format("byte {}{}: {}", offset, of, what));
}

void Source::fail_packed(const std::string& found, const std::string& expected) const {
  fail(fmt::format("byte {} before unpacking: {}, expected {}", position_ - zip_->avail_in, found, expected));
}

std::size_t element_count(const Source& source, std::size_t at, std::span<const std::size_t> sizes,
                          std::size_t element) {
  const std::size_t limit = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()) / element;
  std::size_t product = 1;
  for (const std::size_t size : sizes) {
    const std::size_t factor = std::max<std::size_t>(size, 1);
    if (product > limit / factor) {
      source.fail_at(at, fmt::format("found sizes {}, expected a product below 2^63{}", sizes,
                                     element > 1 ? fmt::format(" / {}", element) : ""));
    }
    product *= factor;
  }
  return std::ranges::count(sizes, 0U) > 0 ? 0 : product;
}

void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  io::AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

std::uint64_t little_endian(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

void append_little_endian(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

}  // namespace gradtape::inline v0::data::detail
