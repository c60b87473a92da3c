#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/special.hpp>

#include <fmt/format.h>

namespace gradtape::inline v0 {

Tensor erf(const Tensor& x) { return elementwise(rule::Erf{}, x); }
Tensor erfc(const Tensor& x) { return elementwise(rule::Erfc{}, x); }
Tensor lgamma(const Tensor& x) { return elementwise(rule::Lgamma{}, x); }
Tensor digamma(const Tensor& x) { return elementwise(rule::Digamma{}, x); }

Tensor polygamma(int n, const Tensor& x) {
  if (n < 0) throw ValueError(fmt::format("polygamma: n is {}; a derivative of digamma has n >= 0", n));
  return elementwise(rule::Polygamma{n}, x);
}

}  // namespace gradtape::inline v0
