#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct z_stream_s;

/// What the readers and writers of files share.
namespace gradtape::inline v0::data::detail {

/// Bytes to fill.
using Bytes = std::span<std::uint8_t>;

/// Closes what std::fopen opened.
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }  ///< ignores errors: nothing was written
};

/// A file inside of a zip archive.
struct ZipMember {
  std::string name = {};        ///< with its folders
  std::size_t start = 0;        ///< of its packed bytes in the archive
  std::size_t packed_size = 0;  ///< bytes in the archive
  std::size_t size = 0;         ///< bytes after unpacking
  std::uint32_t crc = 0;        ///< of the unpacked bytes
  bool deflated = false;        ///< else stored as it is
};

/// The bytes of a file in order, unpacked if it is gzipped, or those of a member of a zip archive. Every error is a
/// FileError that names format, file and offset. Memory is a buffer of 64 KiB, whatever the file claims.
class Source {
 public:
  /// A file; its first bytes decide whether it is gzipped, not its name. `format` starts every message.
  Source(std::string format, std::string path);
  Source(std::string format, std::string path, const ZipMember& member);  ///< of a zip archive
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// Fills `out` and returns its size; less only where the file ends, once its checksum has been found right.
  std::size_t read(Bytes out);
  /// Fills `out`. Throws "the file ends, expected `what`" if it cannot.
  void read(Bytes out, const std::string& what);
  /// The next `count` bytes. Memory grows with what is really there, for `count` may be a header's claim.
  std::vector<std::uint8_t> read_data(std::size_t count, const std::string& what);
  std::vector<std::uint8_t> read_all();  ///< the bytes to the end
  /// Throws "found a byte, expected the end `after`" unless this is the end.
  void expect_end(const std::string& after);
  std::size_t offset() const { return offset_; }  ///< of the next byte, unpacked

  /// Throws FileError: "format: file: what".
  [[noreturn]] void fail(const std::string& what) const;
  /// The same with the offset of an unpacked byte.
  [[noreturn]] void fail_at(std::size_t offset, const std::string& what) const;

 private:
  enum class Packing { none, gzip, deflate };

  bool refill();
  void start(int window_bits);
  std::size_t copy(Bytes out);
  std::size_t unpack(Bytes out);
  void check_member() const;
  [[noreturn]] void fail_packed(const std::string& found, const std::string& expected) const;

  std::string format_, path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::vector<std::uint8_t> buffer_;
  std::unique_ptr<z_stream_s> zip_;  // its input side serves plain bytes too
  Packing packing_ = Packing::none;
  bool inside_ = false;          // of a stream that has not ended
  std::size_t position_ = 0;     // where the file was read up to
  std::size_t left_ = SIZE_MAX;  // bytes of the file that may still be read
  std::size_t offset_ = 0;       // bytes handed out
  std::unique_ptr<ZipMember> member_;
  std::uint32_t crc_ = 0;  // of a member's bytes so far
};

/// The number of elements of an array of these sizes, which stand at byte `at`. Throws FileError where the product of
/// those that are not 0 times `element` bytes is 2^63 or more: a 0 does not make the others sound.
std::size_t element_count(const Source& source, std::size_t at, std::span<const std::size_t> sizes,
                          std::size_t element = 1);

/// Writes a file, in place of an old one only when all of it is on the disk. Throws FileError.
void write_file(const std::string& path, std::span<const std::uint8_t> bytes);

/// `count` bytes from `at` on as a number, least significant byte first.
std::uint64_t little_endian(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count);
/// Appends `count` bytes of a number, least significant byte first.
void append_little_endian(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::size_t count);

}  // namespace gradtape::inline v0::data::detail
