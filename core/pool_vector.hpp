#pragma once

#include <gradtape/core/pool.hpp>

#include <cstddef>
#include <vector>

namespace gradtape::inline v0::detail {

/// std::allocator, from the pool.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(detail::allocate(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { detail::deallocate(memory, n * sizeof(T)); }
  friend bool operator==(PoolAllocator, PoolAllocator) { return true; }
};

/// A vector that asks nothing of the heap in a steady loop.
template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

}  // namespace gradtape::inline v0::detail
