// Two ops as a user writes them: a name, the value, the rule for the gradient. Any order of derivative follows.
#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>

#include <iostream>
#include <numeric>

namespace gt = gradtape;

struct Softplus {  // log(1 + eˣ), without overflow; the rule reads y and not x, so y is all that the tape saves
  static constexpr std::string_view name = "my_softplus";
  auto value(auto x) const { return maximum(x, 0) + log(1 + exp(-abs(x))); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * (1 - exp(-y)); }
};
gt::Tensor my_softplus(const gt::Tensor& x) { return gt::elementwise(Softplus{}, x); }

struct CumSum {  // running sums over all elements; those of the gradient run from the back
  static constexpr std::string_view name = "my_cumsum";
  bool from_back = false;
  gt::Shape infer(const gt::Shape& x) const { return x; }
  void value(const gt::Array& out, const gt::Array& x) const {
    gt::with_type(x.dtype(), [&, in = gt::packed(x), n = std::size_t(x.numel())]<class T>(std::type_identity<T>) {
      const std::span terms(in.data<T>(), n), sums(out.data<T>(), n);
      if (from_back)
        std::inclusive_scan(terms.rbegin(), terms.rend(), sums.rbegin());
      else
        std::inclusive_scan(terms.begin(), terms.end(), sums.begin());
    });
  }
  auto vjp(gt::Wrt<0>, gt::Grad g) const { return gt::tail(CumSum{!from_back}, g); }
};
gt::Tensor my_cumsum(const gt::Tensor& x) { return gt::record(CumSum{}, x); }

int main() {
  gt::print_tape(my_cumsum(my_softplus(gt::parameter(gt::randn({5})))));
  auto first = gt::gradcheck(my_softplus, gt::randn({3, 4})), second = gt::gradcheck(my_cumsum, gt::randn({3, 4}));
  const int failures = !first + !second;  // a gradcheck runs when it is asked
  std::cout << "my_softplus: " << first << "\nmy_cumsum: " << second << "\n";
  return failures;
}
