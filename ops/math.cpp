#include <gradtape/ops/activation.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/logic.hpp>
#include <gradtape/ops/math.hpp>

namespace gradtape::inline v0 {

Tensor exp(const Tensor& x) { return elementwise(rule::Exp{}, x); }
Tensor expm1(const Tensor& x) { return elementwise(rule::Expm1{}, x); }
Tensor log(const Tensor& x) { return elementwise(rule::Log{}, x); }
Tensor log1p(const Tensor& x) { return elementwise(rule::Log1p{}, x); }
Tensor sqrt(const Tensor& x) { return elementwise(rule::Sqrt{}, x); }
Tensor rsqrt(const Tensor& x) { return elementwise(rule::Rsqrt{}, x); }
Tensor square(const Tensor& x) { return elementwise(rule::Square{}, x); }
Tensor reciprocal(const Tensor& x) { return elementwise(rule::Reciprocal{}, x); }
Tensor abs(const Tensor& x) { return elementwise(rule::Abs{}, x); }
Tensor sign(const Tensor& x) { return elementwise(rule::Sign{}, x); }
Tensor pow(const Operand& base, const Operand& exponent) { return elementwise(rule::Pow{}, base, exponent); }
Tensor hypot(const Operand& a, const Operand& b) { return elementwise(rule::Hypot{}, a, b); }
Tensor logaddexp(const Operand& a, const Operand& b) { return elementwise(rule::Logaddexp{}, a, b); }
Tensor lerp(const Operand& start, const Operand& end, const Operand& weight) {
  return elementwise(rule::Lerp{}, start, end, weight);
}

}  // namespace gradtape::inline v0
