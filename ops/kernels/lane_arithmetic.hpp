#pragma once

#include <gradtape/ops/kernels/lane_core.hpp>

#include <cstdint>
#include <type_traits>

/// Arithmetic where the operator of a register would not do.
namespace gradtape::inline v0::detail::lanes {

/// x · y; integers wrap around. xsimd multiplies 64-bit ones as signed numbers, in which the overflow of what stands
/// behind the last element would be undefined.
template <class B>
B mul(const B& x, const B& y) {
  if constexpr (std::is_same_v<typename B::value_type, std::int64_t>) {
    using Unsigned = xsimd::batch<std::uint64_t, typename B::arch_type>;
    alignas(64) std::int64_t product[B::size];
    (Unsigned(xsimd::bitwise_cast<Unsigned>(x)) * Unsigned(xsimd::bitwise_cast<Unsigned>(y)))
        .store_aligned(reinterpret_cast<std::uint64_t*>(product));
    return B::load_aligned(product);
  } else {
    return x * y;
  }
}

}  // namespace gradtape::inline v0::detail::lanes
