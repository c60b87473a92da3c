#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>
#include <optional>

namespace gradtape::inline v0 {

class StateVisitor;

/// Options of `uniform`.
struct UniformOptions {
  double low = 0;                   ///< smallest number
  double high = 1;                  ///< above the largest
  std::optional<Dtype> dtype = {};  ///< f32 or f64; default_dtype() unless told
};

/// Independent numbers uniform in [low, high), on a grid of 2⁻²⁴ (f32) or 2⁻⁵³ (f64) of the width; the same bits on
/// every machine.
Tensor uniform(const Shape& shape, const UniformOptions& options = {});

/// Independent standard normal numbers (Box and Muller 1958), from the C library's log and sincos in double: machines
/// agree to within rounding.
Tensor randn(const Shape& shape, const TensorOptions& options = {});

/// Independent whole numbers, each in [low, high) as likely as any other, i64; the same on every machine. Throws
/// ValueError unless low < high.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape);

/// Independent draws of 1 with probability p, else 0; the same bits on every machine. p, a number or a tensor,
/// stretches to `shape`, or `shape` to it: `bernoulli(0.5, {3, 4})`, `bernoulli(p)`. Of p's dtype if it is a tensor,
/// else default_dtype(), unless told. No gradient. Throws ValueError for a p outside [0, 1], ShapeError if the shapes
/// do not broadcast.
Tensor bernoulli(const Operand& p, const Shape& shape = {}, const TensorOptions& options = {});

/// 0 … n-1 in random order, i64 (Fisher and Yates); the same on every machine. Throws ValueError if n < 0.
Tensor permutation(std::int64_t n);

/// Restarts this thread's random numbers: Philox 4x32-10 (Salmon et al., Parallel Random Numbers, SC 2011),
/// counter-based, the same sequence for the same seed.
void manual_seed(std::uint64_t seed);

/// Where a stream of random numbers stands.
struct RandomState {
  std::uint64_t seed = 0;      ///< which stream
  std::uint64_t position = 0;  ///< how far it has come
  /// Names the state; see state_of and load_state.
  void visit(StateVisitor& visitor);
};

/// Where this thread's random numbers stand: a RandomStream of it repeats those that come next.
RandomState random_state();

/// This thread's random numbers as something with state: a file keeps where they stand, and whoever loads it goes on
/// from there. See StateVisitor.
struct ThreadRandom {
  /// Names the state; see state_of and load_state.
  void visit(StateVisitor& visitor);
};

/// Random numbers on this thread come from a stream of their own while it lives; then the stream before goes on.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed)
      : RandomStream(RandomState{seed}) {}          ///< the stream of this seed, from its start
  explicit RandomStream(const RandomState& state);  ///< from where `state` stands
  ~RandomStream();
  RandomStream(const RandomStream&) = delete;
  RandomStream& operator=(const RandomStream&) = delete;

 private:
  RandomState before_;
};

}  // namespace gradtape::inline v0
