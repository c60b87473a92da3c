#include <gradtape/core/error.hpp>
#include <gradtape/ops/position.hpp>
#include <gradtape/ops/record.hpp>

#include <cmath>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

void check_base(std::string_view op, double base) {
  if (!(base > 0)) throw ValueError(fmt::format("{}: base is {}; expected above 0", op, base));
}

/// By how much pair i of `width / 2` turns from one position to the next.
double turn(double base, std::int64_t i, std::int64_t width) {
  return std::pow(base, -2 * static_cast<double>(i) / static_cast<double>(width));
}

struct Rotary {
  static constexpr std::string_view name = "rotary_embedding";
  RotaryOptions options;
  double direction = 1;

  void attributes(AttributeVisitor& v) const {
    v("base", options.base), v("offset", static_cast<double>(options.offset));
    v("interleaved", options.interleaved), v("direction", direction);
  }
  Shape infer(const Shape& x) const { return x; }

  void value(const Array& out, const Array& x) const {
    if (x.numel() == 0) return;
    const Array from = packed(x);
    with_floating(name, x.dtype(), [&]<class T>(std::type_identity<T>) {
      const std::int64_t t = x.shape()[-2], c = x.shape()[-1], half = c / 2, rows = x.numel() / c;
      const std::int64_t step = options.interleaved ? 2 : 1, partner = options.interleaved ? 1 : half;
      const Array table = Array::make(x.dtype(), {2, t, half});
      T *const cosines = table.data<T>(), *const sines = cosines + t * half;
      for (std::int64_t i = 0; i < half; ++i) {
        const double speed = direction * turn(options.base, i, c);
        for (std::int64_t p = 0; p < t; ++p) {
          const double angle = speed * (static_cast<double>(options.offset) + static_cast<double>(p));
          cosines[p * half + i] = static_cast<T>(std::cos(angle));
          sines[p * half + i] = static_cast<T>(std::sin(angle));
        }
      }
      for (std::int64_t row = 0; row < rows; ++row) {
        const T *in = from.data<T>() + row * c, *cosine = cosines + row % t * half, *sine = sines + row % t * half;
        T* to = out.data<T>() + row * c;
        for (std::int64_t i = 0; i < half; ++i) {
          const T a = in[i * step], b = in[i * step + partner];
          to[i * step] = a * cosine[i] - b * sine[i];
          to[i * step + partner] = a * sine[i] + b * cosine[i];
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
  check_base(Rotary::name, options.base);
  return record(Rotary{options}, x);
}

Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, const SinusoidalOptions& options) {
  if (length < 0 || width < 0)
    throw ValueError(fmt::format("sinusoidal_positions: length {} and width {}; expected at least 0", length, width));
  check_base("sinusoidal_positions", options.base);
  const Dtype dtype = options.dtype.value_or(default_dtype());
  const Array out = Array::make(dtype, {length, width});
  if (out.numel() == 0) return Tensor(out);
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

}  // namespace gradtape::inline v0
