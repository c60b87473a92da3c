#include "system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <sys/types.h>

namespace system_calls {
namespace {
Disturbed* active = nullptr;
bool fails(const char* call) { return active && active->fails(call); }
}  // namespace

Disturbed::Disturbed(int nth, int error, std::size_t most) : nth_(nth), error_(error), most_(most) { active = this; }
Disturbed::~Disturbed() { active = nullptr; }

bool Disturbed::fails(const char* call) {
  const bool now = static_cast<int>(calls.size()) == nth_;
  calls.emplace_back(call);
  if (now) errno = error_;
  return now;
}

}  // namespace system_calls

extern "C" {

int __real_open(const char* path, int flags, mode_t mode);
ssize_t __real_write(int file, const void* data, std::size_t size);
int __real_fsync(int file);
int __real_rename(const char* from, const char* to);

int __wrap_open(const char* path, int flags, mode_t mode) {
  return system_calls::fails("open") ? -1 : __real_open(path, flags, mode);
}
ssize_t __wrap_write(int file, const void* data, std::size_t size) {
  if (system_calls::fails("write")) return -1;
  return __real_write(file, data, system_calls::active ? std::min(size, system_calls::active->most()) : size);
}
int __wrap_fsync(int file) { return system_calls::fails("fsync") ? -1 : __real_fsync(file); }
int __wrap_rename(const char* from, const char* to) {
  return system_calls::fails("rename") ? -1 : __real_rename(from, to);
}

}  // extern "C"
