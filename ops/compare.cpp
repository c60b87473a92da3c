#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>

namespace gradtape::inline v0 {

Tensor eq(const Operand& a, const Operand& b) { return elementwise(rule::Equal{}, a, b); }
Tensor ne(const Operand& a, const Operand& b) { return elementwise(rule::NotEqual{}, a, b); }
Tensor lt(const Operand& a, const Operand& b) { return elementwise(rule::Less{}, a, b); }
Tensor le(const Operand& a, const Operand& b) { return elementwise(rule::LessEqual{}, a, b); }
Tensor gt(const Operand& a, const Operand& b) { return elementwise(rule::Greater{}, a, b); }
Tensor ge(const Operand& a, const Operand& b) { return elementwise(rule::GreaterEqual{}, a, b); }

Tensor operator==(const Operand& a, const Operand& b) { return eq(a, b); }
Tensor operator!=(const Operand& a, const Operand& b) { return ne(a, b); }
Tensor operator<(const Operand& a, const Operand& b) { return lt(a, b); }
Tensor operator<=(const Operand& a, const Operand& b) { return le(a, b); }
Tensor operator>(const Operand& a, const Operand& b) { return gt(a, b); }
Tensor operator>=(const Operand& a, const Operand& b) { return ge(a, b); }

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) {
  return elementwise(rule::Where{}, Operand(condition), a, b);
}
Tensor maximum(const Operand& a, const Operand& b) { return elementwise(rule::Maximum{}, a, b); }
Tensor minimum(const Operand& a, const Operand& b) { return elementwise(rule::Minimum{}, a, b); }

Tensor clamp(const Tensor& x, const ClampOptions& options) {
  detail::require_whole("clamp", options.min, x.dtype());
  detail::require_whole("clamp", options.max, x.dtype());
  return elementwise(rule::Clamp{options.min, options.max}, x);
}

}  // namespace gradtape::inline v0
