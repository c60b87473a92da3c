#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace gradtape::inline v0::detail {

/// A count of handles. Plain while one thread owns the object, since atomic counts double the cost of small ops; atomic
/// while the object is shared (see gradtape::share) or an AtomicCounts lives.
class Count {
 public:
  bool unique() const { return n_.load(std::memory_order_acquire) == 1; }
  bool shared() const { return n_.load(std::memory_order_relaxed) & shared_bit; }

  [[gnu::always_inline]] void add() {
    const std::uint32_t n = n_.load(std::memory_order_relaxed);
    if (is_atomic(n)) [[unlikely]]
      return add_atomically();
    n_.store(n + 1, std::memory_order_relaxed);
  }

  /// True when the last handle has gone.
  [[gnu::always_inline]] bool drop() {
    const std::uint32_t n = n_.load(std::memory_order_relaxed);
    if (is_atomic(n)) [[unlikely]]
      return drop_atomically();
    n_.store(n - 1, std::memory_order_relaxed);
    return n == 1;
  }

  void set_shared(bool on) {
    if (on)
      n_.fetch_or(shared_bit);
    else
      n_.fetch_and(~shared_bit);
  }

 private:
  friend class AtomicCounts;
  static constexpr std::uint32_t shared_bit = 1u << 31;
  static inline constinit std::atomic<std::uint32_t> atomic_counts{0};  // 0 less those that live: the shared bit is set
  static bool is_atomic(std::uint32_t n) {
    return ((n | atomic_counts.load(std::memory_order_relaxed)) & shared_bit) != 0;
  }
  // Apart, so that the plain way is short enough to be inlined.
  [[gnu::cold, gnu::noinline]] void add_atomically() { n_.fetch_add(1, std::memory_order_relaxed); }
  [[gnu::cold, gnu::noinline]] bool drop_atomically() {
    return (n_.fetch_sub(1, std::memory_order_acq_rel) & ~shared_bit) == 1;
  }

  std::atomic<std::uint32_t> n_{1};
};

/// While one lives, every count of the process is atomic: for threads that run code which copies handles unseen. Made
/// before they start, dropped after they have joined.
class AtomicCounts {
 public:
  AtomicCounts() { --Count::atomic_counts; }
  ~AtomicCounts() { ++Count::atomic_counts; }
  AtomicCounts(const AtomicCounts&) = delete;
  AtomicCounts& operator=(const AtomicCounts&) = delete;
};

/// Counted pointer to a T that has a `Count count` and a static `T::destroy(T*)`.
template <class T>
class Ref {
 public:
  constexpr Ref() noexcept = default;
  /// Takes over one count.
  static Ref adopt(T* p) noexcept { return Ref(p); }
  /// Adds one count.
  static Ref of(T* p) noexcept {
    if (p) p->count.add();
    return Ref(p);
  }

  [[gnu::always_inline]] Ref(const Ref& other) noexcept : p_(other.p_) {
    if (p_) p_->count.add();
  }
  Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  [[gnu::always_inline]] ~Ref() {
    if (p_ && p_->count.drop()) T::destroy(p_);
  }

  void reset() noexcept {
    T* p = std::exchange(p_, nullptr);
    if (p && p->count.drop()) T::destroy(p);
  }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.p_ == b.p_; }

 private:
  constexpr explicit Ref(T* p) noexcept : p_(p) {}
  T* p_ = nullptr;
};

}  // namespace gradtape::inline v0::detail
