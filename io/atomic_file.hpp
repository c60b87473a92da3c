#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace gradtape::inline v0::io {

/// A file that appears as a whole or not at all: whatever happens to the process or the machine, `path` names what it
/// named before or, once `commit` has renamed the new file, that. A link is followed, and an old file's mode is kept;
/// what is there and no regular file is refused. What is written goes to a new file "path.tmpN" in the same folder; one
/// that a killed process left behind may be deleted. Every member throws FileError that names the step and the system's
/// reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);  ///< of what it will be; nothing is there yet
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();  ///< removes what was written unless it was committed

  void write(const void* data, std::size_t size);  ///< appends
  /// Makes `path` name what was written: fsync, rename, fsync of the folder. If the last of them fails, the new file is
  /// there, but might not outlive a crash of the machine.
  void commit();

 private:
  [[noreturn]] void fail(const std::string& step) const;

  std::string path_, temporary_;
  std::optional<unsigned> mode_;  // of the file that is replaced
  int folder_ = -1, file_ = -1;
};

}  // namespace gradtape::inline v0::io
