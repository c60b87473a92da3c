#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gradtape::inline v0 {

class Observer;

/// Bytes of one kind, or of all.
struct MemoryUse {
  std::int64_t live_bytes = 0;  ///< in use
  std::int64_t peak_bytes = 0;  ///< the most at once since reset_peak_memory, to within 16 KiB a kind and thread
};

/// What this process holds, over all threads.
struct Memory : MemoryUse {
  MemoryUse arrays;               ///< elements and headers of arrays, those among them that live for one op alone
  MemoryUse tape;                 ///< nodes
  MemoryUse buffers;              ///< what kernels work in and lists of handles
  std::int64_t live_nodes = 0;    ///< nodes of the tape, leaves included
  std::int64_t cached_bytes = 0;  ///< freed and kept for the next step, for whichever kind asks first
};

/// Current memory figures; exact when no other thread is computing.
Memory memory();

/// From now on, peaks are those since this call.
void reset_peak_memory();

/// Gives what the calling thread and ended threads have cached back to the system. The threads that ops run on follow
/// when they next wake; a thread of your own keeps its cache until it ends or calls this.
void release_cache();

namespace detail {

/// Free blocks of one size class, chained through their first word.
struct FreeList {
  void* head = nullptr;
  std::uint32_t length = 0;
  std::uint32_t limit = 0;  // 0 until the thread is registered, so the first free takes the slow path
};

inline constexpr std::size_t size_classes = 256;
inline constinit std::array<FreeList, size_classes>
    no_lists{};  // of a thread before it is registered and after it has ended

enum class MemoryKind : std::uint8_t { arrays, tape, buffers };
inline constexpr std::size_t memory_kinds = 3;

/// Everything the library keeps per thread. Trivially destructible, so that access needs no guard; what a dying thread
/// leaves behind is collected by an object that registering creates.
struct ThreadState {
  bool grad_enabled = true;
  bool watched = false;  // what ops make is looked at, by one of the next two
  bool detect_anomaly = false;
  Observer* observer = nullptr;
  int poison = -1;             // a byte that new arrays are filled with, to find ops that do not fill their output
  bool destroying = false;     // a destruction loop is running on this thread
  std::uint32_t index = 0;     // 0: not registered yet
  std::uint32_t releases = 0;  // of all threads' release_cache, those that this thread has followed
  std::uint64_t next_id = 1;   // creation order of nodes
  std::array<std::atomic<std::int64_t>, memory_kinds> bytes{};  // allocated less freed, not yet in all threads' totals
  std::atomic<std::int64_t> live_nodes{0};
  FreeList* lists = no_lists.data();

  void watch() { watched = detect_anomaly || observer; }
};

// Reached without a call from a shared library, too. There is little room for such variables where a library is loaded
// by a running program, so the lists are elsewhere.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadState thread_state;

/// Only the owning thread writes its counters; others may read them.
inline void count(std::atomic<std::int64_t>& counter, std::int64_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

inline constexpr std::size_t pool_unit = 64;

/// The size class of blocks of at least `bytes`; `size_classes` or more beyond any memory. Classes are eighths of a
/// power of two: 1 to 16 units one by one, then eight per doubling. Powers of two alone would double every power-of-two
/// array, since the header needs room too.
constexpr std::size_t size_class(std::size_t bytes) {
  const std::size_t units = (bytes + pool_unit - 1) / pool_unit;
  if (units <= 16) return units;
  const auto exponent = static_cast<std::size_t>(std::bit_width(units - 1)) - 1;
  const std::size_t eighth = std::size_t{1} << (exponent - 3);
  return 16 + (exponent - 4) * 8 + (units - (std::size_t{1} << exponent) + eighth - 1) / eighth;
}

constexpr std::size_t class_bytes(std::size_t c) {
  if (c <= 16) return c * pool_unit;
  const std::size_t exponent = 4 + (c - 17) / 8;
  return ((std::size_t{1} << exponent) + ((c - 17) % 8 + 1) * (std::size_t{1} << (exponent - 3))) * pool_unit;
}

/// Adds what this thread has counted of a kind to the totals.
void publish(ThreadState& state, std::size_t kind);
inline constexpr std::int64_t publish_from = 16 << 10;  // bytes: less is kept back, so that small blocks share nothing

inline void count_bytes(ThreadState& state, MemoryKind kind, std::int64_t change) {
  const auto k = static_cast<std::size_t>(kind);
  const std::int64_t bytes = state.bytes[k].load(std::memory_order_relaxed) + change;
  state.bytes[k].store(bytes, std::memory_order_relaxed);
  if (static_cast<std::uint64_t>(bytes + publish_from) >= 2 * publish_from) [[unlikely]]
    publish(state, k);
}

/// A block of class `c < size_classes` that this thread has at hand, else null.
inline void* take_cached(std::size_t c, MemoryKind kind) {
  ThreadState& state = thread_state;
  FreeList& list = state.lists[c];
  void* block = list.head;
  if (!block) [[unlikely]]
    return nullptr;
  list.head = *static_cast<void**>(block);
  --list.length;
  count_bytes(state, kind, static_cast<std::int64_t>(class_bytes(c)));
  return block;
}

/// One for a thread that has none, or is not registered; `bytes` of it are used. Throws std::bad_alloc.
void* refill(std::size_t c, std::size_t bytes, MemoryKind kind);

/// A block of class `c < size_classes`, of which `bytes` are used, aligned to 64. Throws std::bad_alloc.
inline void* take(std::size_t c, std::size_t bytes, MemoryKind kind) {
  void* block = take_cached(c, kind);
  return block ? block : refill(c, bytes, kind);
}

/// Takes a block for which the thread has no room.
void overflow(void* block, std::size_t c);

/// Gives a block of `take(c, …, kind)` to the pool of the calling thread, whichever took it.
inline void put(void* block, std::size_t c, MemoryKind kind) noexcept {
  ThreadState& state = thread_state;
  count_bytes(state, kind, -static_cast<std::int64_t>(class_bytes(c)));
  FreeList& list = state.lists[c];
  if (list.length >= list.limit) [[unlikely]]
    return overflow(block, c);
  *static_cast<void**>(block) = list.head;
  list.head = block;
  ++list.length;
}

/// `take` and `put` by size alone. Throws std::bad_alloc.
void* allocate(std::size_t bytes, MemoryKind kind = MemoryKind::buffers);
void deallocate(void* block, std::size_t bytes, MemoryKind kind = MemoryKind::buffers) noexcept;

/// Follows a `release_cache` of another thread, if there was one since the last call.
void follow_release();

/// This thread's number, for ownership checks; registers the thread.
std::uint32_t thread_index();
bool thread_is_alive(std::uint32_t index);

}  // namespace detail
}  // namespace gradtape::inline v0
