#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/data/sampler.hpp>

#include <cstdint>
#include <vector>

namespace gradtape::inline v0::data::detail {

/// How batches are made ahead of their use.
struct PrefetchOptions {
  std::int64_t batch_size = 1;  ///< examples a batch
  bool drop_last = false;       ///< leave out a last batch of fewer
  std::int64_t workers = 0;     ///< threads; none: a batch is made when it is asked for
  std::int64_t prefetch = 2;    ///< batches a worker may be ahead
  std::uint64_t seed = 0;       ///< of the random numbers that making a batch draws
};

/// The batches of an epoch from where its sampler stands, in order, made by worker threads. A batch has random numbers
/// of its own, whichever thread makes it.
class Prefetcher {
 public:
  using Batch = std::vector<Tensor>;                                     ///< one Tensor a part
  using Fetch = Function<Batch(const std::vector<std::int64_t>& rows)>;  ///< runs in several threads at once

  /// `fetch` makes a batch; rows are below `examples`. Throws IndexError where the sampler's are not.
  Prefetcher(const Sampler& sampler, std::int64_t examples, const PrefetchOptions& options, Fetch fetch);
  ~Prefetcher();  ///< stops the workers and waits for what they are at
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// Makes or takes the next batch and moves the sampler past it, past its epoch with the last one; empty after that.
  /// Throws what `fetch` threw for this batch.
  Batch next(Sampler& sampler);

 private:
  struct Work;
  Work* work_;
};

/// Puts the size of a dataset into a state. Throws ValueError for a state of another size.
void visit_size(StateVisitor& visitor, std::int64_t size);
/// Number of batches. Throws ValueError for options that cannot be.
std::int64_t batch_count(std::int64_t examples, const PrefetchOptions& options);

}  // namespace gradtape::inline v0::data::detail
