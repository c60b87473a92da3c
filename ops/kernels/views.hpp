#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::detail {

/// `x` with two axes swapped, a view.
Array transposed(const Array& x, int axis0, int axis1);

/// `to += from` element by element; same shape and floating dtype, any strides.
void add_elements(const Array& to, const Array& from);

}  // namespace gradtape::detail
