#pragma once

#include <gradtape/core/array.hpp>

#include <cstdint>
#include <type_traits>

namespace gradtape::inline v0::detail {

/// `x` with two axes swapped, a view.
Array transposed(const Array& x, int axis0, int axis1);

/// The elements [begin, begin + size) along one axis of `x`, a view.
Array sliced(const Array& x, int axis, std::int64_t begin, std::int64_t size);

/// `to += from`; integers wrap around, boolean `+` is `or`.
template <class T>
void add_to(T& to, T from) {
  if constexpr (std::is_same_v<T, bool>)
    to = to || from;
  else if constexpr (std::is_integral_v<T>)
    to = static_cast<T>(static_cast<std::uint64_t>(to) + static_cast<std::uint64_t>(from));
  else
    to += from;
}

/// `add_to` for each element of two arrays of one shape and dtype. Where strides of `to` overlap, all is added.
void add_elements(const Array& to, const Array& from);

}  // namespace gradtape::inline v0::detail
