#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/math.hpp>

namespace gradtape {

Tensor exp(const Tensor& x) { return elementwise(rule::Exp{}, x); }
Tensor log(const Tensor& x) { return elementwise(rule::Log{}, x); }
Tensor sqrt(const Tensor& x) { return elementwise(rule::Sqrt{}, x); }
Tensor square(const Tensor& x) { return elementwise(rule::Square{}, x); }
Tensor sin(const Tensor& x) { return elementwise(rule::Sin{}, x); }
Tensor cos(const Tensor& x) { return elementwise(rule::Cos{}, x); }
Tensor abs(const Tensor& x) { return elementwise(rule::Abs{}, x); }
Tensor sign(const Tensor& x) { return elementwise(rule::Sign{}, x); }
Tensor pow(const Operand& base, const Operand& exponent) { return elementwise(rule::Pow{}, base, exponent); }

}  // namespace gradtape
