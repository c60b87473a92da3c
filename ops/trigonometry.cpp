#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/trigonometry.hpp>

namespace gradtape::inline v0 {

Tensor sin(const Tensor& x) { return elementwise(rule::Sin{}, x); }
Tensor cos(const Tensor& x) { return elementwise(rule::Cos{}, x); }
Tensor tan(const Tensor& x) { return elementwise(rule::Tan{}, x); }
Tensor asin(const Tensor& x) { return elementwise(rule::Asin{}, x); }
Tensor acos(const Tensor& x) { return elementwise(rule::Acos{}, x); }
Tensor atan(const Tensor& x) { return elementwise(rule::Atan{}, x); }
Tensor atan2(const Operand& y, const Operand& x) { return elementwise(rule::Atan2{}, y, x); }
Tensor sinh(const Tensor& x) { return elementwise(rule::Sinh{}, x); }
Tensor cosh(const Tensor& x) { return elementwise(rule::Cosh{}, x); }
Tensor tanh(const Tensor& x) { return elementwise(rule::Tanh{}, x); }
Tensor asinh(const Tensor& x) { return elementwise(rule::Asinh{}, x); }
Tensor acosh(const Tensor& x) { return elementwise(rule::Acosh{}, x); }
Tensor atanh(const Tensor& x) { return elementwise(rule::Atanh{}, x); }

}  // namespace gradtape::inline v0
