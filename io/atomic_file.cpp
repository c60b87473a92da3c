#include <gradtape/core/error.hpp>
#include <gradtape/io/atomic_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradtape::inline v0::io {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// The file that a link leads to.
std::string followed(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  const std::unique_ptr<char, decltype(&std::free)> end(::realpath(path.c_str(), nullptr), &std::free);
  return end ? end.get() : path;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(followed(path)) {
  struct stat old {};
  if (::stat(path_.c_str(), &old) == 0) {
    if (!S_ISREG(old.st_mode)) throw FileError(fmt::format("cannot write {}: it is no regular file", path_));
    mode_ = old.st_mode & 07777;
  }
  const std::string folder = folder_of(path_);
  folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) fail("open the folder " + folder);
  for (int n = 0; file_ < 0; ++n) {
    temporary_ = fmt::format("{}.tmp{}", path_, n);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ >= 0 || errno == EEXIST) continue;  // another process may be at work there
    const int reason = errno;
    ::close(folder_);
    errno = reason;
    fail("create " + temporary_);
  }
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) {
    ::close(file_);
    ::unlink(temporary_.c_str());
  }
  ::close(folder_);
}

void AtomicFile::write(const void* data, std::size_t size) {
  const auto* next = static_cast<const std::byte*>(data);
  constexpr std::size_t most = 1 << 30;  // Linux takes no more than 2 GiB at once
  while (size > 0) {
    const auto written = ::write(file_, next, std::min(size, most));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write " + temporary_);
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (mode_ && ::fchmod(file_, *mode_) != 0) fail("set the mode of " + temporary_);
  if (::fsync(file_) != 0) fail("fsync " + temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(fmt::format("rename {} to {}", temporary_, path_));
  ::close(std::exchange(file_, -1));
  if (::fsync(folder_) != 0) fail("fsync the folder of the new file");
}

void AtomicFile::fail(const std::string& step) const {
  throw FileError(fmt::format("cannot write {}: {}: {}", path_, step, std::strerror(errno)));
}

}  // namespace gradtape::inline v0::io
