#pragma once

#include <gradtape/core/function.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <vector>

namespace gradtape::inline v0::data {

/// Which examples an epoch takes and in which order, and how far it has come. The order depends on the seed and the
/// epoch alone, so that a sampler with its state restored goes on in the middle of an epoch.
class Sampler {
 public:
  /// 0 … size-1 in this order, every epoch.
  static Sampler sequential(std::int64_t size);
  /// 0 … size-1 in random order, another one each epoch.
  static Sampler random(std::int64_t size, std::uint64_t seed);
  /// `count` draws with replacement, example i with a chance of weights[i] among all. Throws ValueError for a negative
  /// weight, one that is not finite or none above 0, ShapeError unless `weights` has rank 1, DtypeError unless it is
  /// f32 or f64.
  static Sampler weighted(const Tensor& weights, std::int64_t count, std::uint64_t seed);

  std::int64_t size() const { return size_; }                               ///< examples an epoch takes
  std::int64_t epoch() const { return epoch_; }                             ///< epochs that came to their end
  std::int64_t position() const { return position_; }                       ///< examples this epoch has taken
  std::uint64_t seed() const { return static_cast<std::uint64_t>(seed_); }  ///< of the order
  std::vector<std::int64_t> order() const;                                  ///< of this epoch, from its start
  /// Takes `count` examples; after the last one the next epoch begins. Throws ValueError for more than are left.
  void advance(std::int64_t count);
  /// Begins the next epoch, whatever is left of this one.
  void next_epoch();

  void visit(StateVisitor& visitor);  ///< seed, epoch, position and size; throws ValueError for a state of another size

 private:
  using Order = Function<std::vector<std::int64_t>()>;  // from the thread's random numbers
  Sampler(std::int64_t size, std::uint64_t seed, Order order);
  std::int64_t size_, seed_, epoch_ = 0, position_ = 0;
  Order order_;
};

}  // namespace gradtape::inline v0::data
