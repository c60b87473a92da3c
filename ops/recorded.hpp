#pragma once

#include <gradtape/ops/kernels/from_rule.hpp>
#include <gradtape/ops/rule.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

namespace gradtape::inline v0::detail {

template <class Op, std::size_t N, std::size_t I>
struct RecordedRule;

template <class Op>
inline constexpr bool is_recorded_rule = false;
template <class Op, std::size_t N, std::size_t I>
inline constexpr bool is_recorded_rule<RecordedRule<Op, N, I>> = true;

/// The rule of an elementwise op of N inputs, for input I, as an elementwise op itself: a function of the gradient and
/// of the values that it reads, in the order of their numbers (see ElementwiseTraits). Its own rule comes from dual
/// numbers, so a recorded gradient is one fused op, and so is a recorded gradient of it; from the third order on, rules
/// are read on Tensors.
template <class Op, std::size_t N, std::size_t I>
struct RecordedRule {
  static constexpr unsigned reads = static_cast<unsigned>(ElementwiseTraits<Op, N>::reads[I]);
  static constexpr std::size_t arity = std::popcount(reads);

  static constexpr auto text = [] {
    std::array<char, Op::name.size() + 4> joined{};
    std::ranges::copy(std::string_view("_vjp"), std::ranges::copy(Op::name, joined.begin()).out);
    return joined;
  }();
  static constexpr std::string_view name{text.data(), text.size()};

  static constexpr bool records_whole = !is_recorded_rule<Op>;

  Op op;

  auto value(auto... v) const {
    const auto all = std::make_tuple(v...);
    const auto pick = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
      if constexpr (reads >> K & 1)
        return std::get<static_cast<std::size_t>(std::popcount(reads & ((1u << K) - 1)))>(all);
      else
        return rule::Probe<0>{};
    };
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      return std::get<I>(call_vjp(op, pick(std::integral_constant<std::size_t, 0>{}),
                                  std::make_tuple(pick(std::integral_constant<std::size_t, K + 1>{})...),
                                  pick(std::integral_constant<std::size_t, N + 1>{})));
    }(std::make_index_sequence<N>{});
  }
  auto vjp(auto g, auto... v) const
    requires(sizeof...(v) == arity)
  {
    return rule::detail::derivatives([&](auto... in) { return value(in...); }, g, v...);
  }
};

/// Ops say `static constexpr bool records_whole = true` where their rule is of several operations, which one loop does
/// faster than as many ops, and which is worth compiling twice. Each gradient must read g, and no input be a condition.
template <class Op>
concept RecordsWhole = requires { requires Op::records_whole; };

}  // namespace gradtape::inline v0::detail
