#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/linalg.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/matrix_function.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace gradtape::inline v0 {

Tensor trace(const Tensor& a) {
  detail::require_matrices("trace", a);
  return sum(diagonal(a, {.axis1 = -2, .axis2 = -1}), {.axes = -1});
}

Tensor matrix_power(const Tensor& a, std::int64_t n) {
  detail::require_square("matrix_power", a);
  if (n == 0) return contiguous(broadcast_to(eye(a.shape()[-1], {.dtype = a.dtype()}), a.shape()));
  Tensor square = n > 0 ? a : inv(a), power;
  for (std::uint64_t left = n > 0 ? static_cast<std::uint64_t>(n) : -static_cast<std::uint64_t>(n);;
       square = matmul(square, square)) {
    if (left & 1) power = power.defined() ? matmul(power, square) : square;
    if ((left >>= 1) == 0) return power;
  }
}

Tensor matrix_exp(const Tensor& a) {
  detail::require_square("matrix_exp", a);
  if (a.numel() == 0) return a;
  // a is halved until its norm is below a bound, then the result squared as often: each matrix as often as it needs.
  const Shape each = detail::with_batch(detail::without_last(a.shape(), 2), 1, 1);
  std::vector<double> halvings, scales;
  const Tensor norms = max(sum(abs(a.detach()), {.axes = -2}), {.axes = -1});
  for (const double norm : norms.to(f64).to_vector<double>()) {
    halvings.push_back(std::isfinite(norm) && norm > 4.74 ? std::ceil(std::log2(norm / 4.74)) : 0);
    scales.push_back(std::exp2(-halvings.back()));
  }
  const Tensor x = a * tensor(std::span(scales), each).to(a.dtype());

  constexpr double c[] = {64764752532480000,
                          32382376266240000,
                          7771770303897600,
                          1187353796428800,
                          129060195264000,
                          10559470521600,
                          670442572800,
                          33522128640,
                          1323241920,
                          40840800,
                          960960,
                          16380,
                          182,
                          1};
  const Tensor one = eye(a.shape()[-1], {.dtype = a.dtype()}), x2 = matmul(x, x), x4 = matmul(x2, x2),
               x6 = matmul(x4, x2);
  const Tensor odd =
      matmul(x, matmul(x6, c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one);
  const Tensor even = matmul(x6, c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one;
  Tensor y = solve(even - odd, even + odd);

  const Tensor times = tensor(std::span(halvings), each);
  for (int done = 0; done < *std::ranges::max_element(halvings); ++done) y = where(times > done, matmul(y, y), y);
  return y;
}

}  // namespace gradtape::inline v0
