#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/round.hpp>

#include <algorithm>

namespace gradtape::inline v0 {
namespace {

bool has_zero(const Operand& integers) {
  if (!integers.tensor()) return integers.number() == 0;
  const Array all = packed(integers.tensor()->array());
  const auto* first = all.data<std::int64_t>();
  return std::find(first, first + all.numel(), 0) != first + all.numel();
}

}  // namespace

Tensor floor(const Tensor& x) { return elementwise(rule::Floor{}, x); }
Tensor ceil(const Tensor& x) { return elementwise(rule::Ceil{}, x); }
Tensor round(const Tensor& x) { return elementwise(rule::Round{}, x); }
Tensor trunc(const Tensor& x) { return elementwise(rule::Trunc{}, x); }

Tensor remainder(const Operand& a, const Operand& b) {
  Tensor y = elementwise(rule::Remainder{}, a, b);
  if (y.dtype() == i64 && y.numel() > 0 && has_zero(b))
    throw ValueError(
        "remainder: integers have no remainder by 0; convert them with .to(gradtape::f32), where it is NaN");
  return y;
}

}  // namespace gradtape::inline v0
