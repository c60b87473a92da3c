#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::inline v0::detail {

// Along one axis of packed arrays of one shape, from its start or, in reverse, from its end; f32, f64 and, wrapping
// around, i64.

/// out[k] = x[0] + … + x[k]
void cumsum(const Array& out, const Array& x, int axis, bool reverse);
/// out[k] = x[0] · … · x[k-1]
void exclusive_cumprod(const Array& out, const Array& x, int axis, bool reverse);
/// out[k] = b[k-1] + x[k-1] · out[k-1], beginning with out[0] = 0
void recurrence(const Array& out, const Array& x, const Array& b, int axis, bool reverse);

}  // namespace gradtape::inline v0::detail
