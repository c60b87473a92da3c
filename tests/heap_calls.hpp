#pragma once

#include <gradtape/core/function.hpp>

#include <map>
#include <string>

/// Calls on the heap while `f` runs, on any thread, by "function in shared object": operator new, malloc, calloc,
/// realloc, posix_memalign, aligned_alloc and mmap are replaced in this binary by ones that count. Not under a
/// sanitizer, which has replacements of its own.
std::map<std::string, int> heap_calls_of(gradtape::FunctionRef<void()> f);
