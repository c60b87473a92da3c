#include <gradtape/core/error.hpp>
#include <gradtape/core/parallel.hpp>
#include <gradtape/core/pool.hpp>
#include <gradtape/core/ref.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>

namespace gradtape::inline v0 {
namespace {

void relax() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

int threads_at_first() {
  const char* text = std::getenv("GRADTAPE_NUM_THREADS");
  if (!text) return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const std::string_view number = text;
  int n = 0;
  const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), n);
  if (fault != std::errc() || end != number.data() + number.size() || n < 1)
    throw ValueError(fmt::format("GRADTAPE_NUM_THREADS is \"{}\"; expected a whole number of at least 1", number));
  return n;
}

thread_local bool in_a_part = false;

// A thread goes through the parts of every other operation from last to first: what the one before touched last is
// still in the cache.
thread_local bool last_first = false;

std::int64_t in_turn(std::int64_t i, std::int64_t count, bool from_last) { return from_last ? count - 1 - i : i; }

/// Threads that wait for parts. They are never joined: a process may end, or fork, at any time.
class Pool {
 public:
  int threads() {  // without the lock, which an op holds while it runs
    if (threads_ == 0) {
      int none = 0;
      threads_.compare_exchange_strong(none, threads_at_first());
    }
    return threads_;
  }

  void resize(int n) { threads_ = n; }

  void run(std::int64_t count, void (*part)(void*, std::int64_t), void* context) {
    std::unique_lock lock(mutex_, std::defer_lock);
    const int n = threads();
    const bool from_last = last_first = !last_first;
    if (in_a_part || n == 1 || !lock.try_lock()) {
      for (std::int64_t i = 0; i < count; ++i) part(context, in_turn(i, count, from_last));
      return;
    }
    call_workers(n - 1);
    const detail::AtomicCounts shared;  // parts copy handles of the arrays that they work on
    count_ = count, part_ = part, context_ = context, from_last_ = from_last, next_ = 0;
    ++round_;
    round_.notify_all();
    take_parts();
    ++round_;
    for (int i = 0; inside_ != 0;) i < spins ? (++i, relax()) : std::this_thread::yield();
    if (fault_) std::rethrow_exception(std::exchange(fault_, {}));
  }

 private:
  static constexpr int spins = 2000;  // some ten microseconds: kernels follow each other, and waking takes as long

  /// Makes those that are missing, and sends to sleep those that are too many.
  void call_workers(int n) {
    try {
      for (; alive_ < n; ++alive_) std::thread([this, index = alive_] { work(index); }).detach();
    } catch (const std::system_error&) {  // the system gives no more: those that are there do the work
    }
    if (wanted_ == n) return;
    wanted_ = n;
    wanted_.notify_all();
  }

  void work(int index) {
    in_a_part = true;
    for (std::uint32_t seen = round_;;) {
      for (int wanted; index >= (wanted = wanted_);) wanted_.wait(wanted);
      for (int i = 0; i < spins && round_ == seen; ++i) relax();
      round_.wait(seen);
      seen = round_;
      ++inside_;
      detail::follow_release();
      if (seen % 2 == 1 && round_ == seen && index < wanted_) take_parts();
      --inside_;
    }
  }

  void take_parts() {
    const bool before = std::exchange(in_a_part, true);
    try {
      for (std::int64_t i; (i = next_++) < count_;) part_(context_, in_turn(i, count_, from_last_));
    } catch (...) {
      next_ = count_;
      const std::lock_guard lock(fault_mutex_);
      if (!fault_) fault_ = std::current_exception();
    }
    in_a_part = before;
  }

  std::mutex mutex_, fault_mutex_;
  std::atomic<int> threads_{0};
  int alive_ = 0;
  std::atomic<int> wanted_{0};           // workers of higher numbers sleep
  std::atomic<int> inside_{0};           // workers that may be taking parts
  std::atomic<std::uint32_t> round_{0};  // odd while there are parts to take
  std::atomic<std::int64_t> next_{0};
  std::int64_t count_ = 0;
  void (*part_)(void*, std::int64_t) = nullptr;
  void* context_ = nullptr;
  bool from_last_ = false;
  std::exception_ptr fault_;
};

Pool* the_pool = nullptr;

Pool& pool() {
  [[maybe_unused]] static const bool made = [] {
    the_pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] { the_pool = new Pool; });  // the child has none of the threads
    return true;
  }();
  return *the_pool;
}

}  // namespace

int num_threads() { return pool().threads(); }

void set_num_threads(int n) {
  if (n < 1) throw ValueError(fmt::format("set_num_threads: {} threads, expected at least 1", n));
  pool().resize(n);
}

void detail::run_parts(std::int64_t count, void (*part)(void*, std::int64_t), void* context) {
  pool().run(count, part, context);
}

}  // namespace gradtape::inline v0
