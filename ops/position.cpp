#include <gradtape/core/error.hpp>
#include <gradtape/ops/position.hpp>
#include <gradtape/ops/record.hpp>

#include <cmath>

#include <fmt/format.h>

namespace gradtape {
namespace {

/// By how much pair i of `width / 2` turns from one position to the next.
double turn(double base, std::int64_t i, std::int64_t width) {
  return std::pow(base, -2 * static_cast<double>(i) / static_cast<double>(width));
}

struct Rotary {
  static constexpr std::string_view name = "rotary_embedding";
  RotaryOptions options;
  double direction = 1;

  Shape infer(const Shape& x) const { return x; }

  void value(const Array& out, const Array& x) const {
    const Array from = packed(x);
    with_floating(name, x.dtype(), [&]<class T>(std::type_identity<T>) {
      const std::int64_t t = x.shape()[-2], c = x.shape()[-1], half = c / 2;
      const std::int64_t step = options.interleaved ? 2 : 1, partner = options.interleaved ? 1 : half;
      for (std::int64_t i = 0; i < half; ++i) {
        const double speed = direction * turn(options.base, i, c);
        for (std::int64_t p = 0; p < t; ++p) {
          const double angle = speed * static_cast<double>(options.offset + p);
          const T cosine = static_cast<T>(std::cos(angle)), sine = static_cast<T>(std::sin(angle));
          for (std::int64_t at = p * c + i * step; at < x.numel(); at += t * c) {
            const T a = from.data<T>()[at], b = from.data<T>()[at + partner];
            out.data<T>()[at] = a * cosine - b * sine;
            out.data<T>()[at + partner] = a * sine + b * cosine;
          }
        }
      }
    });
  }

  auto vjp(Wrt<0>, Grad g) const { return tail(Rotary{options, -direction}, g); }  // a rotation's transpose turns back
  auto jvp(Wrt<0>, Grad t) const { return gradtape::record(*this, t); }
};

}  // namespace

Tensor rotary_embedding(const Tensor& x, const RotaryOptions& options) {
  detail::check_floating(Rotary::name, {&x.array()});
  if (x.rank() < 2 || x.shape()[-1] % 2 != 0)
    throw ShapeError(
        fmt::format("rotary_embedding: x {}; expected (…, t, c) with an even number c", to_string(x.shape())));
  return record(Rotary{options}, x);
}

Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, const SinusoidalOptions& options) {
  if (length < 0 || width < 0)
    throw ValueError(fmt::format("sinusoidal_positions: length {} and width {}; expected at least 0", length, width));
  const Dtype dtype = options.dtype.value_or(default_dtype());
  const Array out = Array::make(dtype, {length, width});
  with_floating("sinusoidal_positions", dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t column = 0; column < width; ++column) {
      const double speed = turn(options.base, column / 2, width);
      for (std::int64_t p = 0; p < length; ++p) {
        const double angle = static_cast<double>(p) * speed;
        out.data<T>()[p * width + column] = static_cast<T>(column % 2 == 0 ? std::sin(angle) : std::cos(angle));
      }
    }
  });
  return Tensor(out);
}

}  // namespace gradtape
