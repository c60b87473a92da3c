#include <gradtape/core/error.hpp>
#include <gradtape/data/sampler.hpp>
#include <gradtape/ops/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace gradtape::inline v0::data {

Sampler::Sampler(std::int64_t size, std::uint64_t seed, Order order)
    : size_(size), seed_(static_cast<std::int64_t>(seed)), order_(std::move(order)) {
  if (size < 0) throw ValueError(fmt::format("Sampler: {} examples, expected at least 0", size));
}

Sampler Sampler::sequential(std::int64_t size) {
  return {size, 0, [size] {
            std::vector<std::int64_t> order(static_cast<std::size_t>(size));
            std::iota(order.begin(), order.end(), 0);
            return order;
          }};
}

Sampler Sampler::random(std::int64_t size, std::uint64_t seed) {
  return {size, seed, [size] { return permutation(size).to_vector<std::int64_t>(); }};
}

Sampler Sampler::weighted(const Tensor& weights, std::int64_t count, std::uint64_t seed) {
  if (weights.rank() != 1)
    throw ShapeError(fmt::format("Sampler: weights have shape {}, expected [n]", to_string(weights.shape())));
  if (!is_floating(weights.dtype())) gradtape::detail::throw_not_floating("Sampler", weights.dtype());
  std::vector<double> sums;  // the chance of an example is its step in here
  double sum = 0;
  for (const double weight : weights.to(f64).to_vector<double>()) {
    if (!(weight >= 0 && std::isfinite(weight)))
      throw ValueError(fmt::format("Sampler: weight {} is {}, expected 0 or more", sums.size(), weight));
    sums.push_back(sum += weight);
  }
  if (!(sum > 0 && std::isfinite(sum)))
    throw ValueError(fmt::format("Sampler: weights add up to {}, expected a number above 0", sum));
  return {count, seed, [sums = std::move(sums), count] {
            std::vector<std::int64_t> order;
            for (const double draw : uniform({count}, {.high = sums.back(), .dtype = f64}).to_vector<double>())
              order.push_back(std::ranges::upper_bound(sums, draw) - sums.begin());
            return order;
          }};
}

std::vector<std::int64_t> Sampler::order() const {
  constexpr int numbers_an_epoch = 40;  // bits: epochs share a stream, far apart
  const RandomStream stream(RandomState{seed(), static_cast<std::uint64_t>(epoch_) << numbers_an_epoch});
  return order_();
}

void Sampler::advance(std::int64_t count) {
  if (count < 0 || count > size_ - position_)
    throw ValueError(fmt::format("Sampler: {} examples wanted, there are {} left", count, size_ - position_));
  position_ += count;
  if (position_ == size_) next_epoch();
}

void Sampler::next_epoch() {
  ++epoch_;
  position_ = 0;
}

void Sampler::visit(StateVisitor& visitor) {
  visitor("seed", seed_);
  visitor("epoch", epoch_);
  visitor("position", position_);
  std::int64_t size = size_;
  visitor("size", size);
  if (size != size_ || epoch_ < 0 || position_ < 0 || position_ >= std::max(size_, std::int64_t{1}))
    throw ValueError(fmt::format("Sampler: found a state at example {} of {} in epoch {}, expected one of {} examples",
                                 position_, size, epoch_, size_));
}

}  // namespace gradtape::inline v0::data
