#pragma once

#include <gradtape/core/tensor.hpp>

#include <cstdint>

namespace gradtape {

Tensor zeros(const Shape& shape, const TensorOptions& options = {});               ///< all 0
Tensor ones(const Shape& shape, const TensorOptions& options = {});                ///< all 1
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});  ///< all `value`
Tensor zeros_like(const Tensor& x);                                                ///< 0, shape and dtype of x
Tensor ones_like(const Tensor& x);                                                 ///< 1, shape and dtype of x
Tensor full_like(const Tensor& x, double value);                                   ///< `value`, shape and dtype of x

/// Options of `arange`.
struct ArangeOptions {
  double start = 0;                 ///< first number
  double step = 1;                  ///< from each to the next; not 0
  std::optional<Dtype> dtype = {};  ///< of the result; default_dtype() unless told
};

/// start, start + step, … below `end` (above, for a negative step): ceil((end - start) / step) numbers. Throws ValueError
/// for a step of 0.
Tensor arange(double end, const ArangeOptions& options = {});

/// Options of `uniform`.
struct UniformOptions {
  double low = 0;                   ///< smallest number
  double high = 1;                  ///< above the largest
  std::optional<Dtype> dtype = {};  ///< f32 or f64; default_dtype() unless told
};

/// Independent numbers uniform in [low, high), on a grid of 2⁻²⁴ (f32) or 2⁻⁵³ (f64) of the width; the same bits on every
/// machine.
Tensor uniform(const Shape& shape, const UniformOptions& options = {});

/// Independent standard normal numbers (Box and Muller 1958), from the C library's log and sincos in double: machines agree
/// to within rounding.
Tensor randn(const Shape& shape, const TensorOptions& options = {});

/// 0 … n-1 in random order, i64 (Fisher and Yates); the same on every machine.
Tensor permutation(std::int64_t n);

/// Restarts this thread's random numbers: Philox 4x32-10 (Salmon et al., Parallel Random Numbers, SC 2011), counter-based,
/// the same sequence for the same seed.
void manual_seed(std::uint64_t seed);

/// Random numbers on this thread come from a stream of their own while it lives; then the stream before goes on.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed);  ///< the stream of this seed, from its start
  ~RandomStream();
  RandomStream(const RandomStream&) = delete;
  RandomStream& operator=(const RandomStream&) = delete;

 private:
  std::uint64_t seed_, position_;
};

}  // namespace gradtape
