#pragma once

#include <gradtape/core/error.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

namespace files {

/// A directory of its own for each test, gone after it.
class TempDir {
 public:
  TempDir() : path_(std::filesystem::temp_directory_path() / fmt::format("gradtape-data-{}", getpid())) {
    std::filesystem::create_directories(path_);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& content) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::remove(file);  // some file systems wait for the disk where a file is written over
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A TempDir that is the working directory while it lives.
class WorkingDir {
 public:
  WorkingDir() { std::filesystem::current_path(dir_ / "."); }
  WorkingDir(const WorkingDir&) = delete;
  WorkingDir& operator=(const WorkingDir&) = delete;
  ~WorkingDir() { std::filesystem::current_path(before_); }

 private:
  TempDir dir_;
  std::filesystem::path before_ = std::filesystem::current_path();
};

/// While it lives, the process may take `more` bytes of address space beyond what it has, and no more.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t more) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    REQUIRE(getrlimit(RLIMIT_AS, &before_) == 0);
    const rlimit low{pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + more, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_AS, &low) == 0);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
  ~MemoryLimit() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

inline std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string gzip(std::string plain) {
  std::string packed(plain.size() + 256, '\0');
  z_stream zip{};
  REQUIRE(deflateInit2(&zip, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  zip.next_in = reinterpret_cast<Bytef*>(plain.data());
  zip.avail_in = static_cast<uInt>(plain.size());
  zip.next_out = reinterpret_cast<Bytef*>(packed.data());
  zip.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&zip, Z_FINISH) == Z_STREAM_END);
  packed.resize(zip.total_out);
  deflateEnd(&zip);
  return packed;
}

inline std::string flip(std::string bytes, std::size_t at, int mask = 0xff) {
  bytes[at] = static_cast<char>(bytes[at] ^ mask);
  return bytes;
}

/// `value`, least significant byte first.
inline std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
  return text;
}

using Reader = std::function<void(const std::string& path)>;

/// A damaged file is read or refused, by a FileError that names it; nothing else. Says whether it was read.
inline bool survives(const TempDir& dir, const std::string& content, const Reader& reader) {
  const std::string path = dir.write("damaged", content);
  try {
    reader(path);
    return true;
  } catch (const gradtape::FileError& error) {
    CHECK_MESSAGE(std::string(error.what()).find(path) != std::string::npos, error.what());
  }
  return false;
}

/// Every length that is cut short is refused, but those `whole` says are sound.
inline void check_truncated(const TempDir& dir, const std::string& content, const Reader& reader,
                            const std::function<bool(std::size_t length)>& whole = {}) {
  for (std::size_t length = 0; length < content.size(); ++length) {
    CAPTURE(length);
    CHECK(survives(dir, content.substr(0, length), reader) == (whole && whole(length)));
  }
}

/// Every byte takes other values: one bit changed, every other one, all.
inline void check_changed(const TempDir& dir, const std::string& content, const Reader& reader) {
  for (std::size_t at = 0; at < content.size(); ++at) {
    CAPTURE(at);
    for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 0x55, 0xaa, 0xff})
      survives(dir, flip(content, at, mask), reader);
  }
}

}  // namespace files
