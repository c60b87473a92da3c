#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::inline v0::detail {

// Along the last axis, rows packed; f32 or f64.
void softmax(const Array& out, const Array& x);
void log_softmax(const Array& out, const Array& x);
/// log(Σ exp(x)) of each row of the packed matrix `x`.
void logsumexp(const Array& out, const Array& x);

/// Gradient of softmax from its output: y * (g - sum(g * y)).
void softmax_vjp(const Array& out, const Array& g, const Array& y);
/// Gradient of log_softmax from its output: g - exp(y) * sum(g).
void log_softmax_vjp(const Array& out, const Array& g, const Array& y);

/// Mean over the rows of -log_softmax(x)[label], x (n, classes), labels i64 (n).
void cross_entropy(const Array& out, const Array& x, const Array& labels);
/// Its gradient: g * (softmax(x) - one_hot(label)) / n, g of one element.
void cross_entropy_vjp(const Array& out, const Array& g, const Array& x, const Array& labels);

}  // namespace gradtape::inline v0::detail
