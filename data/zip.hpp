#pragma once

#include <gradtape/data/file.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gradtape::inline v0::data::detail {

/// What a zip archive holds, in the order of its directory. Throws FileError with format, file and offset on anything
/// but stored and deflated files: encryption, zip64, several disks, and on a directory that does not fit the file.
/// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
std::vector<ZipMember> read_zip_directory(const std::string& format, const std::string& path);

/// A zip archive in the making, in memory until it is written.
class ZipWriter {
 public:
  ZipWriter(std::string format, std::string path);  ///< where it shall go; `format` starts every message
  /// Adds a file. Throws FileError where the archive would reach 4 GiB or 65,535 files, and so need zip64.
  void add(const std::string& name, const std::vector<std::uint8_t>& content, bool deflate);
  /// Writes the archive with its directory. Throws FileError if it cannot.
  void write();

 private:
  std::string format_, path_;
  std::vector<std::uint8_t> archive_, directory_;
  std::size_t count_ = 0;
};

}  // namespace gradtape::inline v0::data::detail
