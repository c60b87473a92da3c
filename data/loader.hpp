#pragma once

#include <gradtape/data/dataset.hpp>
#include <gradtape/data/prefetch.hpp>
#include <gradtape/data/sampler.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace gradtape::inline v0::data {

/// Options of DataLoader.
struct LoaderOptions {
  std::int64_t batch_size = 1;          ///< examples a batch
  bool shuffle = false;                 ///< in random order, another one each epoch
  std::optional<Sampler> sampler = {};  ///< which examples and in which order, instead of `shuffle`
  std::int64_t workers = 0;             ///< threads that make batches; none: the loop makes them
  bool drop_last = false;               ///< leave out a last batch of fewer examples
  std::int64_t prefetch = 2;            ///< batches that each worker may be ahead of the loop
  std::uint64_t seed = 0;               ///< of the order and of the random numbers that datasets draw
};

/// The batches of a dataset, an epoch a loop:
///   DataLoader loader(TensorDataset(images, labels), {.batch_size = 64, .shuffle = true, .workers = 2});
///   for (const auto& [x, y] : loader) …
/// For a seed the batches are the same, whatever the number of workers: each is made with random numbers of its own,
/// and the thread's are left alone. What a dataset throws is thrown in the loop, at its batch; leaving the loop early
/// joins the workers. While workers run, all of the program's handles of Tensors are counted atomically, so that a
/// dataset may hand out Tensors that it holds. The next loop then goes on where this one stopped, as does one after
/// `load_state` with the state that `state_of` gave; `restart` begins the next epoch instead. One loop at a time.
template <Dataset D>
class DataLoader {
 public:
  /// Throws ValueError for sizes below 1, or a sampler beside shuffle.
  explicit DataLoader(D dataset, const LoaderOptions& options = {})
      : dataset_(std::move(dataset)),
        options_{options.batch_size, options.drop_last, options.workers, options.prefetch, options.seed},
        sampler_(choose(options)) {
    size();
  }

  const D& dataset() const { return dataset_; }                                         ///< what it takes from
  const Sampler& sampler() const { return sampler_; }                                   ///< where it stands
  std::int64_t size() const { return detail::batch_count(sampler_.size(), options_); }  ///< batches an epoch
  /// Batches that are left of this epoch: those of the next loop.
  std::int64_t remaining() const { return detail::batch_count(sampler_.size() - sampler_.position(), options_); }
  /// The next loop begins an epoch, though this one was left early; without, it would go on with what is left.
  void restart() {
    if (sampler_.position() > 0) sampler_.next_epoch();
  }
  /// Where it stands, for a checkpoint.
  void visit(StateVisitor& visitor) {
    detail::visit_size(visitor, dataset_.size());
    visitor("sampler", sampler_), visitor("seed", options_.seed);
  }

  /// Walks the batches that are left of the epoch.
  class Iterator {
   public:
    using value_type = Example<D>;           ///< a batch
    using difference_type = std::ptrdiff_t;  ///< of no use

    const Example<D>& operator*() const { return batch_; }           ///< the batch
    bool operator==(std::default_sentinel_t) const { return end_; }  ///< after the last
    /// To the next batch.
    Iterator& operator++() {
      std::vector<Tensor> parts = batches_.next(sampler_);
      end_ = parts.empty();
      if (!end_) std::move(parts.begin(), parts.end(), batch_.begin());
      return *this;
    }

   private:
    friend DataLoader;
    explicit Iterator(DataLoader& loader)
        : sampler_(loader.sampler_),
          batches_(sampler_, loader.dataset_.size(), loader.options_, [&loader](const auto& rows) {
            Example<D> batch = batch_of(loader.dataset_, std::span<const std::int64_t>(rows));
            return std::vector<Tensor>(std::move_iterator(batch.begin()), std::move_iterator(batch.end()));
          }) {
      ++*this;
    }
    Sampler& sampler_;
    detail::Prefetcher batches_;
    Example<D> batch_;
    bool end_ = false;
  };

  Iterator begin() { return Iterator(*this); }        ///< starts the workers
  std::default_sentinel_t end() const { return {}; }  ///< after the last batch

 private:
  Sampler choose(const LoaderOptions& options) const {
    if (options.sampler && options.shuffle)
      throw ValueError("DataLoader: shuffle is true beside a sampler; expected one of the two");
    if (options.sampler) return *options.sampler;
    return options.shuffle ? Sampler::random(dataset_.size(), options.seed) : Sampler::sequential(dataset_.size());
  }

  D dataset_;
  detail::PrefetchOptions options_;
  Sampler sampler_;
};

}  // namespace gradtape::inline v0::data
