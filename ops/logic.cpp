#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/logic.hpp>

namespace gradtape::inline v0 {

Tensor isnan(const Tensor& x) { return elementwise(rule::IsNan{}, x); }
Tensor isinf(const Tensor& x) { return elementwise(rule::IsInf{}, x); }
Tensor isfinite(const Tensor& x) { return elementwise(rule::IsFinite{}, x); }
Tensor nan_to_num(const Tensor& x, const NanToNumOptions& options) { return elementwise(rule::NanToNum{options}, x); }

Tensor logical_and(const Tensor& a, const Tensor& b) { return elementwise(rule::LogicalAnd{}, a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return elementwise(rule::LogicalOr{}, a, b); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return elementwise(rule::LogicalXor{}, a, b); }
Tensor logical_not(const Tensor& x) { return elementwise(rule::LogicalNot{}, x); }

}  // namespace gradtape::inline v0
