#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz/readers.hpp"
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

/// libFuzzer's entry: the bytes as a file in memory, read as GRADTAPE_FORMAT.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const int file = memfd_create("input", 0);
  static const std::string path = fmt::format("/proc/self/fd/{}", file);
  if (ftruncate(file, 0) != 0 || pwrite(file, bytes, size, 0) != static_cast<ssize_t>(size)) std::abort();
  fuzz::read(GRADTAPE_FORMAT, path);
  return 0;
}
