#include <gradtape/core/error.hpp>
#include <gradtape/core/ref.hpp>
#include <gradtape/data/prefetch.hpp>
#include <gradtape/ops/random.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0::data::detail {
namespace {

/// The seed of a batch: drawn from a stream of seeds by its place, so that batches have nothing in common.
std::uint64_t seed_of_batch(std::uint64_t seed, std::int64_t epoch, std::int64_t position) {
  constexpr int positions = 40;  // bits
  const RandomStream stream(RandomState{~seed, static_cast<std::uint64_t>(epoch << positions | position)});
  return static_cast<std::uint64_t>(randint(0, std::numeric_limits<std::int64_t>::max(), {}).item<std::int64_t>());
}

}  // namespace

struct Prefetcher::Work {
  /// A place for a batch on its way from a worker to the loop.
  struct Slot {
    bool ready = false;
    Batch batch = {};
    std::exception_ptr fault = {};
  };

  PrefetchOptions options;
  Fetch fetch;
  Dtype dtype = default_dtype();  // of the thread with the loop
  std::vector<std::int64_t> order;
  std::int64_t epoch, start, count, given = 0;
  std::int64_t passed = 0;  // examples of batches given since the sampler moved

  std::mutex mutex;  // of all below
  std::condition_variable ready, space;
  std::vector<Slot> slots;  // batch i takes place i modulo their number
  std::int64_t taken = 0;   // batches that workers have begun
  bool stop = false;
  std::optional<gradtape::detail::AtomicCounts> atomic_counts;  // a dataset may copy handles that it holds
  std::vector<std::thread> threads;

  Work(const Sampler& sampler, std::int64_t examples, const PrefetchOptions& given_options, Fetch given_fetch)
      : options(given_options),
        fetch(std::move(given_fetch)),
        order(sampler.order()),
        epoch(sampler.epoch()),
        start(sampler.position()),
        count(batch_count(sampler.size() - start, options)) {
    for (const std::int64_t row : order)
      if (row < 0 || row >= examples)
        throw IndexError(fmt::format("DataLoader: the sampler names example {} of {}", row, examples));
  }

  ~Work() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    space.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  void start_workers() {
    const std::int64_t workers = std::min(options.workers, count);
    if (workers == 0) return;
    const std::int64_t ahead = options.prefetch < count / workers ? workers * options.prefetch : count;
    slots.resize(static_cast<std::size_t>(ahead));
    atomic_counts.emplace();
    for (std::int64_t i = 0; i < workers; ++i) threads.emplace_back([this] { run(); });
  }

  std::vector<std::int64_t> rows(std::int64_t batch) const {
    const std::int64_t first = start + batch * options.batch_size,
                       last = std::min(first + options.batch_size, static_cast<std::int64_t>(order.size()));
    return {order.begin() + first, order.begin() + last};
  }

  Batch make(std::int64_t batch) const {
    const NoGrad no_grad;
    const DefaultDtype as_in_the_loop(dtype);
    const RandomStream stream(seed_of_batch(options.seed, epoch, start + batch * options.batch_size));
    return fetch(rows(batch));
  }

  Slot& slot(std::int64_t batch) { return slots[static_cast<std::size_t>(batch) % slots.size()]; }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      space.wait(lock,
                 [&] { return stop || taken == count || taken < given + static_cast<std::int64_t>(slots.size()); });
      if (stop || taken == count) return;
      const std::int64_t batch = taken++;
      lock.unlock();
      Slot made{.ready = true};
      try {
        made.batch = make(batch);
      } catch (...) {
        made.fault = std::current_exception();
      }
      lock.lock();
      slot(batch) = std::move(made);
      ready.notify_one();
    }
  }

  Batch take() {
    std::unique_lock lock(mutex);
    Slot& next = slot(given);
    ready.wait(lock, [&] { return next.ready; });
    Slot made = std::exchange(next, {});
    ++given;
    lock.unlock();
    space.notify_all();
    if (made.fault) std::rethrow_exception(made.fault);
    return std::move(made.batch);
  }
};

Prefetcher::Prefetcher(const Sampler& sampler, std::int64_t examples, const PrefetchOptions& options, Fetch fetch) {
  auto work = std::make_unique<Work>(sampler, examples, options, std::move(fetch));
  work->start_workers();
  work_ = work.release();
}

Prefetcher::~Prefetcher() { delete work_; }

Prefetcher::Batch Prefetcher::next(Sampler& sampler) {
  Work& work = *work_;
  if (work.given == work.count) {
    if (work.count == 0) sampler.next_epoch();
    return {};
  }
  work.passed += static_cast<std::int64_t>(work.rows(work.given).size());
  Batch batch = work.threads.empty() ? work.make(work.given++) : work.take();
  sampler.advance(std::exchange(work.passed, 0));
  if (work.given == work.count && sampler.epoch() == work.epoch) sampler.next_epoch();  // without a smaller last batch
  return batch;
}

void visit_size(StateVisitor& visitor, std::int64_t size) {
  std::int64_t held = size;
  visitor("examples", held);
  if (held != size)
    throw ValueError(fmt::format("DataLoader: found a state of {} examples, expected one of {}", held, size));
}

std::int64_t batch_count(std::int64_t examples, const PrefetchOptions& options) {
  if (options.batch_size < 1 || options.workers < 0 || options.prefetch < 1) {
    throw ValueError(fmt::format("DataLoader: batch_size is {}, workers {}, prefetch {}; expected at least 1, 0, 1",
                                 options.batch_size, options.workers, options.prefetch));
  }
  return examples / options.batch_size + (!options.drop_last && examples % options.batch_size > 0 ? 1 : 0);
}

}  // namespace gradtape::inline v0::data::detail
