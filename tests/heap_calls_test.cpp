#include "heap_calls.hpp"

#include <doctest/doctest.h>

#ifndef GRADTAPE_PLAIN_MALLOC  // a sanitizer has replacements of its own, and pools are off under it

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

struct HeapCall {
  const char* function;
  void* caller;
};

constinit std::atomic<bool> counting = false;
constinit std::array<HeapCall, 4096> calls{};
constinit std::atomic<std::size_t> call_count = 0;

void note(const char* function, void* caller) {
  if (!counting) return;
  if (const std::size_t i = call_count++; i < calls.size()) calls[i] = {function, caller};
}

}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) noexcept {
  note("malloc", __builtin_return_address(0));
  return __libc_malloc(bytes);
}
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  note("calloc", __builtin_return_address(0));
  return __libc_calloc(n, bytes);
}
void* realloc(void* memory, std::size_t bytes) noexcept {
  note("realloc", __builtin_return_address(0));
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  note("aligned_alloc", __builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  note("posix_memalign", __builtin_return_address(0));
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}
void* mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  note("mmap", __builtin_return_address(0));
  const long result = syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
  return reinterpret_cast<void*>(result);  // -1 is MAP_FAILED
}
}

// Out of line, so that the compiler does not compare what allocates with what frees.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  note("operator new", __builtin_return_address(0));
  if (void* memory = __libc_malloc(bytes ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

std::map<std::string, int> heap_calls_of(gradtape::FunctionRef<void()> f) {
  call_count = 0;
  counting = true;
  f();
  counting = false;
  std::map<std::string, int> found;
  for (std::size_t i = 0; i < std::min(call_count.load(), calls.size()); ++i) {
    Dl_info info{};
    dladdr(calls[i].caller, &info);
    const std::string_view path = info.dli_fname ? info.dli_fname : "?";
    ++found[std::string(calls[i].function) + " in " + std::string(path.substr(path.rfind('/') + 1))];
  }
  return found;
}

TEST_CASE("heap: the counters see every kind of call") {
  const auto found = heap_calls_of([] {
    void* volatile sink = std::malloc(10);
    sink = std::realloc(sink, 20);
    std::free(sink);
    sink = std::calloc(2, 10);
    std::free(sink);
    sink = std::aligned_alloc(64, 64);
    std::free(sink);
    void* aligned = nullptr;
    if (posix_memalign(&aligned, 64, 64) == 0) std::free(aligned);
    sink = ::operator new(10);
    ::operator delete(sink);
    sink = ::operator new[](10);
    ::operator delete[](sink);
    sink = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(sink, 4096);
    std::thread([] { std::free(std::malloc(10)); }).join();
  });
  const auto count = [&](std::string_view function) {
    int n = 0;
    for (const auto& [call, times] : found) n += call.starts_with(std::string(function) + " in") ? times : 0;
    return n;
  };
  CHECK(count("malloc") >= 2);  // of two threads; the start of one needs more
  CHECK(count("realloc") == 1);
  CHECK(count("calloc") >= 1);
  CHECK(count("aligned_alloc") == 1);
  CHECK(count("posix_memalign") == 1);
  CHECK(count("operator new") >= 2);
  CHECK(count("mmap") >= 1);
}

#endif
