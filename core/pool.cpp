#include <gradtape/core/pool.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include <pthread.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace gradtape::inline v0 {
namespace detail {

[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadState thread_state;

namespace {

// Sanitizers see through a pool only if every block is a malloc of its own.
#ifdef GRADTAPE_PLAIN_MALLOC
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif

static_assert(class_bytes(size_class(17 * pool_unit)) == 18 * pool_unit &&
              class_bytes(size_class(32 * pool_unit)) == 32 * pool_unit);
static_assert(class_bytes(size_class(33 * pool_unit)) == 36 * pool_unit && class_bytes(size_class(1 << 20)) == 1 << 20);

// A list longer than this hands half of itself to the reservoir, so that a thread which only frees does not hoard.
constexpr std::uint32_t list_limit(std::size_t c) {
  return static_cast<std::uint32_t>(std::clamp<std::size_t>((std::size_t{32} << 20) / class_bytes(c), 8, 16384));
}

/// What all threads share: blocks handed over, the states of living threads and the figures of those that have ended.
struct Reservoir {
  std::mutex mutex;
  std::array<FreeList, size_classes> lists{};
  std::vector<ThreadState*> threads;  // by index - 1; nullptr once the thread has ended
  std::int64_t ended_nodes = 0;
};

/// Live bytes of a kind, of all threads: what each has published of its own.
struct Total {
  std::atomic<std::int64_t> live{0}, peak{0};

  void add(std::int64_t change) { raise_peak(live.fetch_add(change, std::memory_order_relaxed) + change); }
  void raise_peak(std::int64_t to) {
    for (auto seen = peak.load(std::memory_order_relaxed); seen < to && !peak.compare_exchange_weak(seen, to);) {
    }
  }
};

constinit std::array<Total, memory_kinds> total_of_kind;
constinit Total total;
constinit std::atomic<std::int64_t> reserved_bytes{0};  // of the pools' blocks, live or cached
constinit std::atomic<std::uint32_t> releases{0};

}  // namespace

[[gnu::cold]] void publish(ThreadState& state, std::size_t kind) {
  const std::int64_t change = state.bytes[kind].exchange(0, std::memory_order_relaxed);
  total_of_kind[kind].add(change);
  total.add(change);
}

namespace {

Reservoir* shared = nullptr;  // never destroyed: threads and static tensors may outlive any order of destruction

/// Everything a thread has counted, for it is the last that is heard of it.
void publish_all(ThreadState& state, Reservoir& to) {
  for (std::size_t kind = 0; kind < memory_kinds; ++kind) publish(state, kind);
  to.ended_nodes += state.live_nodes.exchange(0);
}

/// In a child that was forked: what the other threads of its parent held stays, but there are none of them.
void forget_other_threads() {
  for (ThreadState*& state : shared->threads) {
    if (!state || state == &thread_state) continue;
    publish_all(*state, *shared);
    state = nullptr;
  }
  shared->mutex.unlock();
}

Reservoir& reservoir() {
  [[maybe_unused]] static const bool made = [] {
    shared = new Reservoir;
    pthread_atfork([] { shared->mutex.lock(); }, [] { shared->mutex.unlock(); }, forget_other_threads);
    return true;
  }();
  return *shared;
}

void push(FreeList& list, void* block) {
  *static_cast<void**>(block) = list.head;
  list.head = block;
  ++list.length;
}

void* pop(FreeList& list) {
  void* block = list.head;
  list.head = *static_cast<void**>(block);
  --list.length;
  return block;
}

void move_blocks(FreeList& from, FreeList& to, std::uint32_t n) {
  for (; n > 0 && from.head; --n) push(to, pop(from));
}

/// Owns a thread's pool; hands what is in it to the reservoir when the thread dies.
struct Collector {
  std::unique_ptr<FreeList[]> lists = std::make_unique<FreeList[]>(size_classes);

  ~Collector() {
    Reservoir& r = reservoir();
    ThreadState& state = thread_state;
    const std::lock_guard lock(r.mutex);
    for (std::size_t c = 0; c < size_classes; ++c) move_blocks(lists[c], r.lists[c], lists[c].length);
    state.lists = no_lists.data();  // what this thread frees from here on goes to the reservoir at once
    publish_all(state, r);
    r.threads[state.index - 1] = nullptr;
    state.index = ended;
  }
  static constexpr std::uint32_t ended = ~0u;
};

void register_thread() {
  static thread_local Collector collector;
  Reservoir& r = reservoir();
  const std::lock_guard lock(r.mutex);
  r.threads.push_back(&thread_state);
  thread_state.index = static_cast<std::uint32_t>(r.threads.size());
  thread_state.lists = collector.lists.get();
  for (std::size_t c = 1; pooled && c < size_classes; ++c) thread_state.lists[c].limit = list_limit(c);
}

void* from_reservoir(ThreadState& state, std::size_t c) {
  Reservoir& r = reservoir();
  const std::lock_guard lock(r.mutex);
  if (!r.lists[c].head) return nullptr;
  if (state.index == Collector::ended) return pop(r.lists[c]);
  move_blocks(r.lists[c], state.lists[c], std::max<std::uint32_t>(1, state.lists[c].limit / 2));
  return pop(state.lists[c]);
}

void free_block(void* block, std::size_t c) {
  std::free(block);
  reserved_bytes.fetch_sub(static_cast<std::int64_t>(class_bytes(c)), std::memory_order_relaxed);
}

void free_blocks(FreeList& list, std::size_t c) {
  while (list.head) free_block(pop(list), c);
}

void release_lists(ThreadState& state) {
  state.releases = releases.load(std::memory_order_relaxed);
  if (state.lists == no_lists.data()) return;
  for (std::size_t c = 1; c < size_classes; ++c) free_blocks(state.lists[c], c);
}

}  // namespace

void* refill(std::size_t c, std::size_t bytes, MemoryKind kind) {
  ThreadState& state = thread_state;
  if (state.index == 0) register_thread();
  void* block = pooled ? from_reservoir(state, c) : nullptr;
  if (!block) {
    block = std::aligned_alloc(pool_unit, pooled ? class_bytes(c) : (bytes + pool_unit - 1) / pool_unit * pool_unit);
    if (!block) throw std::bad_alloc();
    reserved_bytes.fetch_add(static_cast<std::int64_t>(class_bytes(c)), std::memory_order_relaxed);
  }
  count_bytes(state, kind, static_cast<std::int64_t>(class_bytes(c)));
  if (state.index == Collector::ended) publish(state, static_cast<std::size_t>(kind));
  return block;
}

void overflow(void* block, std::size_t c) {
  ThreadState& state = thread_state;
  if (state.index == 0) register_thread();  // or what it freed would be lost from the figures
  if (!pooled && state.index != Collector::ended) return free_block(block, c);
  Reservoir& r = reservoir();
  const std::lock_guard lock(r.mutex);
  if (state.index == Collector::ended) {
    publish_all(state, r);
    return pooled ? push(r.lists[c], block) : free_block(block, c);
  }
  push(state.lists[c], block);
  if (state.lists[c].length > state.lists[c].limit) move_blocks(state.lists[c], r.lists[c], state.lists[c].limit / 2);
}

void* allocate(std::size_t bytes, MemoryKind kind) {
  const std::size_t c = size_class(bytes);
  if (c >= size_classes) throw std::bad_alloc();
  return take(c, bytes, kind);
}

void deallocate(void* block, std::size_t bytes, MemoryKind kind) noexcept { put(block, size_class(bytes), kind); }

void follow_release() {
  if (thread_state.releases != releases.load(std::memory_order_relaxed)) release_lists(thread_state);
}

std::uint32_t thread_index() {
  if (thread_state.index == 0) register_thread();
  return thread_state.index;
}

bool thread_is_alive(std::uint32_t index) {
  Reservoir& r = reservoir();
  const std::lock_guard lock(r.mutex);
  return index != Collector::ended && r.threads[index - 1] != nullptr;
}

}  // namespace detail

Memory memory() {
  using namespace detail;
  Reservoir& r = reservoir();
  const std::lock_guard lock(r.mutex);
  Memory all;
  all.live_nodes = r.ended_nodes;
  std::array<std::int64_t, memory_kinds> live{};
  for (std::size_t kind = 0; kind < memory_kinds; ++kind)
    live[kind] = total_of_kind[kind].live.load(std::memory_order_relaxed);
  for (const ThreadState* state : r.threads) {
    if (!state) continue;
    all.live_nodes += state->live_nodes.load(std::memory_order_relaxed);
    for (std::size_t kind = 0; kind < memory_kinds; ++kind)
      live[kind] += state->bytes[kind].load(std::memory_order_relaxed);
  }
  const auto use = [](std::int64_t bytes, const Total& of) {
    bytes =
        std::max<std::int64_t>(bytes, 0);  // while another thread computes, a free may be seen before its allocation
    return MemoryUse{bytes, std::max(bytes, of.peak.load(std::memory_order_relaxed))};
  };
  all.arrays = use(live[0], total_of_kind[0]);
  all.tape = use(live[1], total_of_kind[1]);
  all.buffers = use(live[2], total_of_kind[2]);
  static_cast<MemoryUse&>(all) = use(live[0] + live[1] + live[2], total);
  all.cached_bytes = std::max<std::int64_t>(reserved_bytes.load(std::memory_order_relaxed) - all.live_bytes, 0);
  return all;
}

void reset_peak_memory() {
  using namespace detail;
  const Memory now = memory();
  total.peak = now.live_bytes;
  total_of_kind[0].peak = now.arrays.live_bytes;
  total_of_kind[1].peak = now.tape.live_bytes;
  total_of_kind[2].peak = now.buffers.live_bytes;
}

void release_cache() {
  using namespace detail;
  releases.fetch_add(1, std::memory_order_relaxed);
  release_lists(thread_state);
  {
    Reservoir& r = reservoir();
    const std::lock_guard lock(r.mutex);
    for (std::size_t c = 1; c < size_classes; ++c) free_blocks(r.lists[c], c);
  }
#ifdef __GLIBC__
  malloc_trim(0);  // what is freed in the middle of its heap stays there otherwise
#endif
}

}  // namespace gradtape::inline v0
