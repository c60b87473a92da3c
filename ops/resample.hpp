#pragma once

#include <gradtape/ops/kernels/resample.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/window.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradtape::inline v0::detail {

/// floor(i · from / to), exactly.
constexpr std::int64_t scaled(std::int64_t i, std::int64_t from, std::int64_t to) {
  return i * (from / to) + i * (from % to) / to;
}

/// `f(axis, i)`: the tap of element i along an axis, 0 for the height and 1 for the width.
template <class F>
Taps taps_of(const F& f, const Pair& from, const Pair& to) {
  const Array room = Array::make(f64, {to[0] + to[1], sizeof(Tap) / sizeof(double)});
  Tap* const rows = room.data<Tap>();
  Tap* const cols = rows + to[0];
  for (std::int64_t i = 0; i < to[0]; ++i) rows[i] = f(0, i);
  for (std::int64_t i = 0; i < to[1]; ++i) cols[i] = f(1, i);
  return {from[0], from[1], {rows, cols}, {cols, cols + to[1]}, room};
}

template <class Rule>
struct ResampleAdjoint;

/// Images of the size Rule::from made ones of Rule::to, by the taps that Rule gives.
template <class Rule>
struct Resample {
  static constexpr std::string_view name = Rule::name;
  Rule rule;
  Shape from, to;

  void attributes(AttributeVisitor& v) const { rule.attributes(v); }
  Shape infer(const Shape&) const { return to; }
  void value(const Array& out, const Array& x) const {
    if (out.numel() > 0) resample(out, x, taps_of(rule, rule.from, rule.to));
  }
  auto vjp(Wrt<0>, Grad g) const { return tail(ResampleAdjoint<Rule>{rule, from, to}, g); }
  auto jvp(Wrt<0>, Grad t) const { return record(*this, t); }
};

template <class Rule>
struct ResampleAdjoint {
  static constexpr std::string_view name = Rule::adjoint_name;
  Rule rule;
  Shape from, to;

  Shape infer(const Shape&) const { return from; }
  void value(const Array& out, const Array& g, double beta = 0) const {
    if (beta == 0) fill(out, 0);
    if (g.numel() > 0) add_resampled(out, g, taps_of(rule, rule.from, rule.to));
  }
  auto vjp(Wrt<0>, Grad h) const { return record(Resample<Rule>{rule, from, to}, h); }
  auto jvp(Wrt<0>, Grad t) const { return record(*this, t); }
};

}  // namespace gradtape::inline v0::detail
