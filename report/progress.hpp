#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradtape::inline v0::report {

/// Options of `progress`.
struct ProgressOptions {
  std::string label = {};    ///< stands first, such as "epoch 3/10"
  std::FILE* out = nullptr;  ///< where to write; stderr unless told
  double every = 10;         ///< seconds between lines where `out` is no terminal; 0 for a line at the end alone
};

/// The line that tells how a pass gets on: step, what `set` was told, steps a second and the time left. On a terminal
/// it is rewritten in place, at most ten times a second; elsewhere, and where TERM is "dumb", lines follow each other.
/// The end of a pass leaves a line behind, an early one too. It belongs to one thread; its steps do not allocate.
class ProgressLine {
 public:
  /// A pass of `steps`, -1 if nobody knows how many.
  explicit ProgressLine(std::int64_t steps, const ProgressOptions& options = {});
  ~ProgressLine() { finish(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Shows `name value` from now on; a tensor has one element. The order is that of the first calls.
  void set(std::string_view name, const Operand& value);
  void start();                    ///< begins a pass; the one before is over
  void start(std::int64_t steps);  ///< begins a pass of so many steps, -1 if nobody knows
  void step();                     ///< one more step is done
  void finish();                   ///< ends the pass, and leaves its line behind

 private:
  struct Entry {
    std::string name;
    double value;
  };
  void write(double now, bool last);
  void compose(double now, bool last);

  std::int64_t steps_, step_ = 0;
  std::string label_;
  std::FILE* out_;
  double interval_;  // seconds from one line to the next
  bool live_;        // rewritten in place
  bool running_ = false;
  double started_ = 0, written_ = 0;
  std::vector<Entry> entries_;
  std::string line_, rest_;  // kept, so that writing does not allocate
};

/// What `progress` returns: the elements of a range, and a line that is stepped after each.
template <class Range>
class Progress : public ProgressLine {
 public:
  /// Refers to an lvalue, owns a temporary.
  explicit Progress(Range&& range, const ProgressOptions& options)
      : ProgressLine(steps_of(range), options), range_(std::forward<Range>(range)) {}

  /// Past the last element.
  struct End {};
  /// Goes through a pass.
  class Iterator {
   public:
    /// From the first element on; made in place, for the iterators of a range may be unable to move.
    Iterator(Range& range, ProgressLine& line) : at_(std::begin(range)), last_(std::end(range)), line_(line) {}
    decltype(auto) operator*() const { return *at_; }  ///< what the range gives
    Iterator& operator++() {                           ///< the element is done with
      line_.step();
      ++at_;
      if (at_ == last_) line_.finish();
      return *this;
    }
    bool operator==(End) const { return at_ == last_; }  ///< nothing is left

   private:
    decltype(std::begin(std::declval<Range&>())) at_;
    decltype(std::end(std::declval<Range&>())) last_;
    ProgressLine& line_;
  };

  Iterator begin() {  ///< begins a pass
    start(steps_of(range_));
    return Iterator(range_, *this);
  }
  End end() const { return {}; }  ///< what a pass compares with

 private:
  static std::int64_t steps_of(const std::remove_reference_t<Range>& range) {
    if constexpr (requires { range.remaining(); })
      return range.remaining();
    else if constexpr (requires { std::size(range); })
      return static_cast<std::int64_t>(std::size(range));
    else
      return -1;
  }
  Range range_;
};

/// Goes through a range and shows how it gets on, on stderr unless told otherwise:
///   for (auto bar = progress(loader, {.label = "epoch 1"}); auto& batch : bar) { …; bar.set("loss", loss); }
///   for (auto& batch : progress(loader)) …
/// A range with a size shows the time left; one with `remaining()`, such as a DataLoader, counts what is left of it. A
/// range that is no temporary must outlive the result.
template <class Range>
Progress<Range> progress(Range&& range, const ProgressOptions& options = {}) {
  return Progress<Range>(std::forward<Range>(range), options);
}

}  // namespace gradtape::inline v0::report
