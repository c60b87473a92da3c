#pragma once

#include <gradtape/core/parallel.hpp>
#include <gradtape/ops/rule.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

/// The loops of a recurrent cell. Its inputs are rows that hold one or several gates next to each other, (rows,
/// gates·width); its rule is an elementwise one of all these gates:
///   static constexpr std::array<std::size_t, inputs> gates;    how many each input holds
///   static constexpr std::size_t outputs;
///   auto value(auto gate…) const;                              a std::tuple of the outputs
///   auto vjp(auto g…, auto gate…) const;                       one gradient for each gate: grads(…)
/// Outputs are (rows, width) each, one after the other.
namespace gradtape::inline v0::detail {

template <class Cell>
inline constexpr std::size_t cell_inputs = Cell::gates.size();

struct GatePlace {
  std::size_t input, gate;
};

/// Of each gate, counted through all inputs: which input holds it, and as which of its own.
template <class Cell>
inline constexpr auto gate_places = [] {
  constexpr std::size_t total = [] {
    std::size_t sum = 0;
    for (const std::size_t n : Cell::gates) sum += n;
    return sum;
  }();
  std::array<GatePlace, total> places{};
  for (std::size_t input = 0, k = 0; input < cell_inputs<Cell>; ++input)
    for (std::size_t gate = 0; gate < Cell::gates[input]; ++gate) places[k++] = {input, gate};
  return places;
}();

template <class Cell>
using GateIndices = std::make_index_sequence<gate_places<Cell>.size()>;

/// Where each gate of a row starts, nullptr in an input that is not there.
template <class Cell, class Pointer>
auto gates_of_row(const std::array<Pointer, cell_inputs<Cell>>& x, std::int64_t row, std::int64_t width) {
  std::array<Pointer, gate_places<Cell>.size()> out;
  for (std::size_t k = 0; k < out.size(); ++k) {
    const auto [input, gate] = gate_places<Cell>[k];
    const auto before = row * static_cast<std::int64_t>(Cell::gates[input]) + static_cast<std::int64_t>(gate);
    out[k] = x[input] ? x[input] + before * width : nullptr;
  }
  return out;
}

constexpr std::int64_t gate_work = 8;  // a gate costs so many plain operations an element

template <class T>
using GateLane = rule::Lane<T, xsimd::default_arch>;

template <class T>
GateLane<T> load_lane(const T* from) {
  return {decltype(GateLane<T>::v)::load_unaligned(from)};
}

/// Stores what fits into `n` elements: behind them stands another gate.
template <class T>
void store_lane(GateLane<T> lane, T* to, std::int64_t n) {
  if (n >= static_cast<std::int64_t>(GateLane<T>::size)) return lane.v.store_unaligned(to);
  lanes::First<decltype(lane.v)>(n).store(to, lane.v);
}

template <class Cell, class T>
void gates_value(const Cell& cell, T* out, const std::array<const T*, cell_inputs<Cell>>& x, std::int64_t rows,
                 std::int64_t width) {
  parallel_for(rows, rows_a_part(width * gate_work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto from = gates_of_row<Cell>(x, row, width);
      for (std::int64_t at = 0; at < width; at += static_cast<std::int64_t>(GateLane<T>::size)) {
        const auto results = [&]<std::size_t... I>(std::index_sequence<I...>) {
          return cell.value(load_lane(from[I] + at)...);
        }(GateIndices<Cell>{});
        [&]<std::size_t... O>(std::index_sequence<O...>) {
          (store_lane(std::get<O>(results), out + (static_cast<std::int64_t>(O) * rows + row) * width + at, width - at),
           ...);
        }(std::make_index_sequence<Cell::outputs>{});
      }
    }
  });
}

/// Fills those of `out`, gradients of the inputs, that are not null.
template <class Cell, class T>
void gates_vjp(const Cell& cell, const std::array<T*, cell_inputs<Cell>>& out, const T* g,
               const std::array<const T*, cell_inputs<Cell>>& x, std::int64_t rows, std::int64_t width) {
  parallel_for(rows, rows_a_part(width * gate_work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto from = gates_of_row<Cell>(x, row, width);
      const auto to = gates_of_row<Cell>(out, row, width);
      for (std::int64_t at = 0; at < width; at += static_cast<std::int64_t>(GateLane<T>::size)) {
        [&]<std::size_t... O, std::size_t... I>(std::index_sequence<O...>, std::index_sequence<I...>) {
          const auto gradients = cell.vjp(load_lane(g + (static_cast<std::int64_t>(O) * rows + row) * width + at)...,
                                          load_lane(from[I] + at)...);
          const auto store = [&](T* gate, GateLane<T> lane) {
            if (gate) store_lane(lane, gate + at, width - at);
          };
          (store(to[I], std::get<I>(gradients.all)), ...);
        }(std::make_index_sequence<Cell::outputs>{}, GateIndices<Cell>{});
      }
    }
  });
}

}  // namespace gradtape::inline v0::detail
