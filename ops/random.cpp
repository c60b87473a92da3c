#include <gradtape/core/error.hpp>
#include <gradtape/core/state.hpp>
#include <gradtape/core/strided.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/record.hpp>

#include <cmath>
#include <numbers>
#include <utility>

#include <Random123/philox.h>
#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// The stream of one thread. Every call starts at a fresh counter, so that what a call returns does not depend on how
/// much of its last block the call before it used.
class Generator {
 public:
  explicit Generator(const RandomState& state) : seed_(state.seed), counter_(state.position) {}
  RandomState state() const { return {seed_, counter_}; }

  std::uint32_t next() {
    if (used_ == 4) {
      const r123::Philox4x32::ctr_type counter{
          {static_cast<std::uint32_t>(counter_), static_cast<std::uint32_t>(counter_ >> 32), 0, 0}};
      const r123::Philox4x32::key_type key{
          {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)}};
      block_ = r123::Philox4x32()(counter, key);
      ++counter_;
      used_ = 0;
    }
    return block_[used_++];
  }
  std::uint64_t next64() {
    const std::uint64_t high = next();
    return high << 32 | next();
  }
  /// Uniform in [0, range). Draws that would make some numbers likelier than others are thrown away.
  std::uint64_t below(std::uint64_t range) {
    const std::uint64_t fair = ~std::uint64_t{0} - ~std::uint64_t{0} % range;
    std::uint64_t draw = next64();
    while (draw >= fair) draw = next64();
    return draw % range;
  }
  void start_call() { used_ = 4; }

 private:
  std::uint64_t seed_, counter_;
  r123::Philox4x32::ctr_type block_{};
  std::size_t used_ = 4;
};

Generator& generator() {
  static thread_local Generator stream(RandomState{});
  return stream;
}

/// Uniform in [0, 1): 24 bits for float, 53 for double.
template <class T>
T unit(Generator& random) {
  if constexpr (std::is_same_v<T, float>)
    return static_cast<float>(random.next() >> 8) * 0x1p-24f;
  else
    return static_cast<double>(random.next64() >> 11) * 0x1p-53;
}

/// Fills a new floating array with what `next` gives.
template <class F>
Tensor generate(const char* op, const Shape& shape, std::optional<Dtype> wanted, F next) {
  const Dtype dtype = wanted.value_or(default_dtype());
  if (!is_floating(dtype))
    throw DtypeError(fmt::format("{}: random numbers are f32 or f64, not {}", op, to_string(dtype)));
  const Array out = Array::make(dtype, shape);
  generator().start_call();
  with_floating(op, dtype, [&]<class T>(std::type_identity<T> type) {
    for (std::int64_t i = 0; i < out.numel(); ++i) out.data<T>()[i] = next(type, i);
  });
  return Tensor(out);
}

}  // namespace

Tensor uniform(const Shape& shape, const UniformOptions& options) {
  if (!(options.low <= options.high))
    throw ValueError(fmt::format("uniform: low {} is above high {}", options.low, options.high));
  return generate("uniform", shape, options.dtype, [&]<class T>(std::type_identity<T>, std::int64_t) {
    const T low = static_cast<T>(options.low), high = static_cast<T>(options.high);
    const T x = low + (high - low) * unit<T>(generator());
    return x < high || low == high ? x : std::nextafter(high, low);  // rounding may reach the open end
  });
}

Tensor randn(const Shape& shape, const TensorOptions& options) {
  double second = 0;
  return generate("randn", shape, options.dtype, [&]<class T>(std::type_identity<T>, std::int64_t i) {
    if (i % 2 == 1) return static_cast<T>(second);
    const double radius = std::sqrt(-2 * std::log(1 - unit<double>(generator()))),
                 angle = 2 * std::numbers::pi * unit<double>(generator());
    second = radius * std::sin(angle);
    return static_cast<T>(radius * std::cos(angle));
  });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape) {
  if (low >= high) throw ValueError(fmt::format("randint: low {} is not below high {}", low, high));
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const Array out = Array::make(i64, shape);
  Generator& random = generator();
  random.start_call();
  for (std::int64_t i = 0; i < out.numel(); ++i)
    out.data<std::int64_t>()[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + random.below(range));
  return Tensor(out);
}

Tensor bernoulli(const Operand& p, const Shape& wanted, const TensorOptions& options) {
  if (p.tensor()) detail::check_floating("bernoulli", {&p.tensor()->array()});
  const Tensor given = p.tensor() ? p.tensor()->detach().to(f64) : full({}, p.number(), {.dtype = f64});
  const Shape shape = broadcast("bernoulli", given.shape(), wanted);
  const Array checked = packed(given.array());
  for (std::int64_t i = 0; i < checked.numel(); ++i)
    if (const double chance = checked.data<double>()[i]; !(chance >= 0 && chance <= 1))
      throw ValueError(fmt::format("bernoulli: p is {}{}; expected 0 to 1", chance,
                                   given.rank() == 0 ? "" : " at " + index_string(given.shape(), i)));
  const Array out = Array::make(options.dtype.value_or(p.tensor() ? p.tensor()->dtype() : default_dtype()), shape);
  Generator& random = generator();
  random.start_call();
  with_type(out.dtype(), [&]<class T>(std::type_identity<T>) {
    detail::for_each_pair<T, double>(out, Array::view(checked, shape, broadcast_strides(checked, shape)),
                                     [&](T& to, double chance) { to = static_cast<T>(unit<double>(random) < chance); });
  });
  return Tensor(out);
}

Tensor permutation(std::int64_t n) {
  if (n < 0) throw ValueError(fmt::format("permutation: {} numbers; expected at least 0", n));
  const Array out = Array::make(i64, {n});
  auto* order = out.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) order[i] = i;
  Generator& random = generator();
  random.start_call();
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[random.below(static_cast<std::uint64_t>(i) + 1)]);
  return Tensor(out);
}

void manual_seed(std::uint64_t seed) { generator() = Generator(RandomState{seed}); }

void RandomState::visit(StateVisitor& visitor) {
  visitor("seed", seed);
  visitor("position", position);
}

void ThreadRandom::visit(StateVisitor& visitor) {
  RandomState state = random_state();
  state.visit(visitor);
  generator() = Generator(state);
}

RandomState random_state() { return generator().state(); }
RandomStream::RandomStream(const RandomState& state) : before_(random_state()) { generator() = Generator(state); }
RandomStream::~RandomStream() { generator() = Generator(before_); }

}  // namespace gradtape::inline v0
