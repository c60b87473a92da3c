#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace gradtape::inline v0 {

/// How many threads an operation may take: as many as there are processors, or GRADTAPE_NUM_THREADS says, until
/// `set_num_threads`. Throws ValueError if that variable is no number of at least 1.
int num_threads();

/// From now on an operation may take `n` threads, the calling one included. Results do not depend on it, to the bit.
/// Throws ValueError unless n is at least 1.
void set_num_threads(int n);

namespace detail {

/// Calls `part(context, i)` for every i below `count`, each once, on the threads of the pool and this one; returns when
/// all are done, and throws what one of them threw. Where the pool is at work already, for another thread or around
/// this call, this thread does everything.
void run_parts(std::int64_t count, void (*part)(void* context, std::int64_t i), void* context);

/// Calls `f(i)` for every i below `count`, several at once. What the parts are must not depend on the number of
/// threads.
template <class F>
void parallel(std::int64_t count, F&& f) {
  if (count == 1) return f(std::int64_t{0});
  run_parts(
      count, [](void* context, std::int64_t i) { (*static_cast<std::remove_reference_t<F>*>(context))(i); }, &f);
}

constexpr std::int64_t divide_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// Calls `f(begin, end)` for parts of 0 … n of `grain` each, several at once; the last may be smaller.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  if (n <= grain) return f(std::int64_t{0}, n);
  parallel(divide_up(n, grain), [&](std::int64_t i) { f(i * grain, std::min(n, (i + 1) * grain)); });
}

/// A grain that is worth a thread: some ten microseconds of plain loops.
inline constexpr std::int64_t elements_a_part = 1 << 15;

/// The same in rows of n elements.
inline std::int64_t rows_a_part(std::int64_t n) {
  return std::max(std::int64_t{1}, elements_a_part / std::max(std::int64_t{1}, n));
}

}  // namespace detail
}  // namespace gradtape::inline v0
