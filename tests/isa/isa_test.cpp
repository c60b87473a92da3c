#include <gradtape/gradtape.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#ifdef GRADTAPE_TEST_ISA  // both copies of op.cpp are linked in

namespace gradtape::inline v0::test {
namespace x86_64_v2 {
Tensor wave(const Tensor& a, const Tensor& b);
Tensor triple(const Tensor& x);
std::size_t lane_bytes();
}  // namespace x86_64_v2
namespace native {
Tensor wave(const Tensor& a, const Tensor& b);
Tensor triple(const Tensor& x);
std::size_t lane_bytes();
}  // namespace native
}  // namespace gradtape::inline v0::test

namespace gt = gradtape;

namespace {

/// e^-a·sin(b) + a/2 over (rows, columns) and (columns), and the gradients of its sum, by plain loops.
void check_wave(gt::Tensor (*wave)(const gt::Tensor&, const gt::Tensor&)) {
  const std::size_t rows = 37, columns = 53;
  const auto a = gt::parameter(gt::randn({rows, columns}, {.dtype = gt::f64})),
             b = gt::parameter(gt::randn({columns}, {.dtype = gt::f64}));
  const auto y = wave(a, b);
  const auto [da, db] = gt::grad(gt::sum(y), {a, b});
  const auto av = a.to_vector<double>(), bv = b.to_vector<double>();
  std::vector<double> value(av), by_a(av), by_b(columns, 0.);
  for (std::size_t i = 0; i < av.size(); ++i) {
    const double e = std::exp(-av[i]), beta = bv[i % columns];
    value[i] = e * std::sin(beta) + av[i] / 2;
    by_a[i] = 0.5 - e * std::sin(beta);
    by_b[i % columns] += e * std::cos(beta);
  }
  CHECK(y.detach() == gt::approx(gt::tensor(std::span(value), {rows, columns})).rtol(1e-13));
  CHECK(da == gt::approx(gt::tensor(std::span(by_a), {rows, columns})).rtol(1e-13));
  CHECK(db == gt::approx(gt::tensor(std::span(by_b), {columns})).rtol(1e-12));
}

void check_triple(gt::Tensor (*triple)(const gt::Tensor&)) {
  const auto x = gt::parameter(gt::arange(7, {.dtype = gt::f64}));
  const auto y = triple(x);
  CHECK(gt::equal(y.detach(), 3 * x.detach()));
  CHECK(gt::equal(gt::grad(gt::sum(y * y), {x})[0], 18 * x.detach()));
}

}  // namespace

TEST_CASE("isa: one op source serves two instruction sets in one program") {
  CHECK(gt::test::x86_64_v2::lane_bytes() == 16);  // SSE
  CHECK(gt::test::native::lane_bytes() >= 16);
  check_wave(gt::test::x86_64_v2::wave);
  check_wave(gt::test::native::wave);
  check_triple(gt::test::x86_64_v2::triple);
  check_triple(gt::test::native::triple);
  CHECK(gt::gradcheck(gt::test::x86_64_v2::wave, {gt::uniform({3, 5}), gt::uniform({5})}));
  CHECK(gt::gradcheck(gt::test::native::wave, {gt::uniform({3, 5}), gt::uniform({5})}));
}

#endif
