#pragma once

#include <gradtape/gradtape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace oracle {

namespace gt = gradtape;

/// Random operands of one dtype: odd shapes, some without elements, and every kind of view.
class Random {
 public:
  Random(unsigned seed, gt::Dtype dtype, bool zero) : generator_(seed), dtype_(dtype), zero_(zero) {}

  int integer(int low, int high) { return std::uniform_int_distribution(low, high)(generator_); }
  int axis(const gt::Tensor& x) { return integer(-x.rank(), x.rank() - 1); }
  bool coin() { return integer(0, 1) == 1; }

  gt::Shape filled_shape(int min_rank = 1, int max_rank = 4) {
    constexpr std::array dims{1, 2, 3, 5, 7, 11, 17};
    gt::Shape shape;
    for (int n = integer(min_rank, max_rank); n > 0; --n)
      shape.push_back(dims[static_cast<std::size_t>(integer(0, 6))]);
    return shape;
  }
  /// Without elements where the case asks for that.
  gt::Shape shape(int min_rank = 1, int max_rank = 4) {
    gt::Shape shape = filled_shape(min_rank, max_rank);
    if (zero_ && shape.rank() > 0) shape.set(integer(0, shape.rank() - 1), 0);
    return shape;
  }
  std::int64_t dim() { return zero_ && coin() ? 0 : integer(1, 23); }
  /// A shape that broadcasts to `shape`: axes of 1, or missing in front.
  gt::Shape stretchable(const gt::Shape& shape) {
    gt::Shape small;
    for (int i = integer(0, shape.rank()); i < shape.rank(); ++i) small.push_back(coin() ? shape[i] : 1);
    return small;
  }

  gt::Tensor positive(const gt::Shape& shape) { return strided(shape, 0.5, 2); }
  gt::Tensor any(const gt::Shape& shape) { return strided(shape, -2, 2); }
  /// At least 0.1 from 0.
  gt::Tensor away_from_zero(const gt::Shape& shape) {
    const gt::Tensor x = strided(shape, -2, 2);
    return gt::where(x < 0, x - 0.1, x + 0.1);
  }
  /// Whole numbers, of which many are equal.
  gt::Tensor tied(const gt::Shape& shape) {
    return fill(shape, [&] { return integer(-2, 2); });
  }
  gt::Tensor distinct(const gt::Shape& shape) {
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    std::iota(values.begin(), values.end(), 0);
    std::shuffle(values.begin(), values.end(), generator_);
    return fill(shape, [&, i = 0u]() mutable { return 0.1 * values[i++]; });
  }
  gt::Tensor below(std::int64_t n, const gt::Shape& shape) {
    return fill(shape, [&] { return integer(0, static_cast<int>(n) - 1); }).to(gt::i64);
  }

 private:
  template <class F>
  gt::Tensor fill(const gt::Shape& shape, F next) {
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    std::generate(values.begin(), values.end(), next);
    return gt::tensor(std::span<const double>(values), shape).to(dtype_);
  }

  gt::Tensor strided(const gt::Shape& shape, double low, double high) {
    const auto packed = [&](const gt::Shape& s) {
      return fill(s, [&] { return std::uniform_real_distribution(low, high)(generator_); });
    };
    gt::Shape base = shape;
    const int view = shape.rank() == 0 ? 0 : integer(0, 3), at = shape.rank() == 0 ? 0 : integer(0, shape.rank() - 1);
    if (view == 1) {
      base.set(at, shape[-1]);
      base.set(-1, shape[at]);
      return shape.rank() == 1 ? packed(shape) : gt::transpose(packed(base), {at, -1});
    }
    if (view == 2) {
      base.set(at, shape[at] + 3);
      return gt::slice(packed(base), {.axis = at, .begin = 1, .end = 1 + shape[at]});
    }
    if (view == 3) {
      base.set(at, 1);
      return gt::broadcast_to(packed(base), shape);
    }
    return packed(shape);
  }

  std::mt19937 generator_;
  gt::Dtype dtype_;
  bool zero_;
};

}  // namespace oracle
