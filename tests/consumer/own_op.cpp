// The two opt-in headers, in a program with warnings of its own.
#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>
#include <gradtape/xtensor.hpp>

namespace gt = gradtape;

struct Gaussian {
  static constexpr std::string_view name = "gaussian";
  double width = 1;
  auto value(auto x) const { return exp(-x * x / width); }
  auto vjp(auto g, auto x, auto y) const { return -2 / width * g * x * y; }
};

struct Negated {
  static constexpr std::string_view name = "negated";
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const { gt::copy_elements(out, (-gt::Tensor(x)).array()); }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::tail(*this, g); }
};

gt::Tensor bump(const gt::Tensor& x);

gt::Tensor bump(const gt::Tensor& x) {
  const xt::xarray<double> doubled = gt::as_xt<double>(x) * 2;
  return gt::elementwise(Gaussian{2}, gt::record(Negated{}, x)) + gt::tensor(doubled);
}
