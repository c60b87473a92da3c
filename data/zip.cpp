#include <gradtape/core/error.hpp>
#include <gradtape/data/zip.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <zlib.h>

namespace gradtape::inline v0::data::detail {
namespace {

constexpr std::uint32_t local_magic = 0x04034b50, directory_magic = 0x02014b50, end_magic = 0x06054b50;
constexpr std::size_t local_size = 30, entry_size = 46, end_size = 22, longest_comment = 0xffff;
constexpr std::size_t stored = 0, deflated = 8, zip64_sign = 0xffffffff;

/// A file that is read anywhere in it.
class Archive {
 public:
  Archive(const std::string& format, const std::string& path)
      : format_(format), path_(path), file_(std::fopen(path.c_str(), "rb")) {
    if (!file_ || fseeko(file_.get(), 0, SEEK_END) != 0) fail_by_errno("cannot be opened");
    const off_t end = ftello(file_.get());
    if (end < 0) fail_by_errno("cannot be opened");
    size_ = static_cast<std::size_t>(end);
  }

  std::size_t size() const { return size_; }

  std::vector<std::uint8_t> read(std::size_t at, std::size_t count, const std::string& what) const {
    if (at > size_ || count > size_ - at)
      fail_at(at, fmt::format("the file ends, expected {} bytes of {}", count, what));
    std::vector<std::uint8_t> bytes(count);
    if (fseeko(file_.get(), static_cast<off_t>(at), SEEK_SET) != 0 ||
        std::fread(bytes.data(), 1, count, file_.get()) < count)
      fail_by_errno(fmt::format("byte {}: cannot be read", at));
    return bytes;
  }

  [[noreturn]] void fail_at(std::size_t at, const std::string& what) const {
    fail(fmt::format("byte {}: {}", at, what));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(fmt::format("{}: {}: {}", format_, path_, what));
  }
  [[noreturn]] void fail_by_errno(const std::string& what) const {
    fail(fmt::format("{}: {}", what, std::strerror(errno)));
  }

  std::string format_, path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::size_t size_ = 0;
};

struct Directory {
  std::size_t at = 0, size = 0, count = 0;
};

/// The record at the end of the archive says where the directory stands.
Directory find_directory(const Archive& archive) {
  const std::size_t tail_size = std::min(archive.size(), end_size + longest_comment);
  const std::size_t tail_at = archive.size() - tail_size;
  const auto tail = archive.read(tail_at, tail_size, "a zip archive");
  for (std::size_t left = end_size; left <= tail_size; ++left) {
    const std::size_t at = tail_size - left;
    const auto field = [&](std::size_t offset, std::size_t size) { return little_endian(tail, at + offset, size); };
    if (field(0, 4) != end_magic || field(20, 2) != left - end_size) continue;
    const Directory directory{field(16, 4), field(12, 4), field(10, 2)};
    if (field(4, 4) != 0 || field(8, 2) != directory.count)
      archive.fail_at(tail_at + at + 4, "found an archive of several disks, expected one");
    if (directory.at == zip64_sign || directory.at + directory.size != tail_at + at) {
      archive.fail_at(tail_at + at + 12,
                      fmt::format("found a directory of {} bytes at byte {}, expected it to end at byte {}",
                                  directory.size, directory.at, tail_at + at));
    }
    return directory;
  }
  archive.fail_at(archive.size(), "the file ends, expected the end record of a zip archive before");
}

/// Adds the place of the bytes, which only the header before them knows.
void locate(const Archive& archive, ZipMember& member, std::size_t header_at, std::size_t end) {
  const auto header = archive.read(header_at, local_size, "a file's header");
  if (little_endian(header, 0, 4) != local_magic) archive.fail_at(header_at, "found no header of a file, expected one");
  if (little_endian(header, 8, 2) != (member.deflated ? deflated : stored))
    archive.fail_at(header_at + 8, fmt::format("found another method than the directory's for {}", member.name));
  member.start = header_at + local_size + little_endian(header, 26, 2) + little_endian(header, 28, 2);
  if (member.start > end || member.packed_size > end - member.start) {
    archive.fail_at(header_at, fmt::format("found {} bytes of {} from byte {} on, expected them before byte {}",
                                           member.packed_size, member.name, member.start, end));
  }
}

}  // namespace

std::vector<ZipMember> read_zip_directory(const std::string& format, const std::string& path) {
  const Archive archive(format, path);
  const Directory directory = find_directory(archive);
  const auto bytes = archive.read(directory.at, directory.size, "a directory");
  std::vector<ZipMember> members;
  std::size_t at = 0, packed_bytes = 0;
  for (std::size_t i = 0; i < directory.count; ++i) {
    const auto field = [&](std::size_t offset, std::size_t size) { return little_endian(bytes, at + offset, size); };
    const std::size_t here = directory.at + at;
    if (bytes.size() - at < entry_size || field(0, 4) != directory_magic)
      archive.fail_at(here, fmt::format("found no entry {} of {} in the directory", i + 1, directory.count));
    const std::size_t name_size = field(28, 2), size = entry_size + name_size + field(30, 2) + field(32, 2);
    if (size > bytes.size() - at)
      archive.fail_at(here + 28,
                      fmt::format("found an entry of {} bytes, expected at most {}", size, bytes.size() - at));
    ZipMember member{
        .packed_size = field(20, 4), .size = field(24, 4), .crc = static_cast<std::uint32_t>(field(16, 4))};
    const auto name = std::span(bytes).subspan(at + entry_size, name_size);
    member.name.assign(name.begin(), name.end());
    const std::size_t method = field(10, 2), header_at = field(42, 4);
    member.deflated = method == deflated;
    constexpr std::size_t encrypted = 1;
    if (field(8, 2) & encrypted) archive.fail_at(here + 8, fmt::format("{} is encrypted", member.name));
    if (method != stored && method != deflated)
      archive.fail_at(here + 10,
                      fmt::format("found method {} for {}, expected 0 (stored) or 8 (deflated)", method, member.name));
    if (member.packed_size == zip64_sign || member.size == zip64_sign || header_at == zip64_sign)
      archive.fail_at(here + 20, fmt::format("{} needs zip64, which is not supported", member.name));
    locate(archive, member, header_at, directory.at);
    packed_bytes += member.packed_size;
    if (packed_bytes > archive.size()) archive.fail_at(here, "found files that overlap");
    members.push_back(std::move(member));
    at += size;
  }
  if (at != bytes.size())
    archive.fail_at(directory.at + at, fmt::format("found {} bytes after the directory's entries", bytes.size() - at));
  return members;
}

ZipWriter::ZipWriter(std::string format, std::string path) : format_(std::move(format)), path_(std::move(path)) {}

void ZipWriter::add(const std::string& name, const std::vector<std::uint8_t>& content, bool deflate) {
  if (content.size() >= zip64_sign - std::min(zip64_sign, archive_.size()) || name.size() > 0xffff || count_ == 0xffff)
    throw FileError(fmt::format("{}: {}: {} would need zip64, which is not supported", format_, path_, name));
  std::vector<std::uint8_t> packed;
  if (deflate) {
    z_stream zip{};
    if (deflateInit2(&zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw FileError(fmt::format("{}: {}: zlib cannot start", format_, path_));
    packed.resize(deflateBound(&zip, content.size()));
    zip.next_in = const_cast<Bytef*>(content.data());
    zip.avail_in = static_cast<uInt>(content.size());
    zip.next_out = packed.data();
    zip.avail_out = static_cast<uInt>(packed.size());
    ::deflate(&zip, Z_FINISH);
    packed.resize(zip.total_out);
    deflateEnd(&zip);
  }
  const std::vector<std::uint8_t>& body = deflate ? packed : content;
  const auto header_at = archive_.size();
  const auto append_common = [&](std::vector<std::uint8_t>& to) {  // what a header and a directory's entry share
    append_little_endian(to, 20, 2);                               // the version that reads it, 2.0
    append_little_endian(to, 0x800, 2);                            // names are UTF-8
    append_little_endian(to, deflate ? deflated : stored, 2);
    append_little_endian(to, 0x00210000, 4);  // midnight of 1 January 1980: equal content makes equal files
    append_little_endian(to, crc32_z(0, content.data(), content.size()), 4);
    append_little_endian(to, body.size(), 4);
    append_little_endian(to, content.size(), 4);
    append_little_endian(to, name.size(), 2);
    append_little_endian(to, 0, 2);
  };
  append_little_endian(archive_, local_magic, 4);
  append_common(archive_);
  archive_.insert(archive_.end(), name.begin(), name.end());
  archive_.insert(archive_.end(), body.begin(), body.end());

  append_little_endian(directory_, directory_magic, 4);
  append_little_endian(directory_, 20, 2);
  append_common(directory_);
  directory_.insert(directory_.end(), 10, 0);  // no comment, first disk, no attributes
  append_little_endian(directory_, header_at, 4);
  directory_.insert(directory_.end(), name.begin(), name.end());
  ++count_;
}

void ZipWriter::write() {
  const std::size_t at = archive_.size();
  archive_.insert(archive_.end(), directory_.begin(), directory_.end());
  append_little_endian(archive_, end_magic, 4);
  append_little_endian(archive_, 0, 4);
  append_little_endian(archive_, count_, 2);
  append_little_endian(archive_, count_, 2);
  append_little_endian(archive_, directory_.size(), 4);
  append_little_endian(archive_, at, 4);
  append_little_endian(archive_, 0, 2);
  write_file(path_, archive_);
}

}  // namespace gradtape::inline v0::data::detail
