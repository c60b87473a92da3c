// One op source, compiled into one program for two instruction sets (see CMakeLists.txt); ISA names the copy. The op
// stands in an unnamed namespace, as every op does, so the copies cannot be taken for each other.
#include <gradtape/gradtape.hpp>
#include <gradtape/ops/extend.hpp>

namespace gradtape::inline v0::test {
namespace {

/// y = e^-a · sin(b) + a/2: elementwise, with a broadcast operand.
struct Wave {
  static constexpr std::string_view name = "wave";
  double half = 0.5;
  auto value(auto a, auto b) const { return exp(-a) * sin(b) + half * a; }
  auto vjp(auto g, auto a, auto b) const { return grads(g * (half - exp(-a) * sin(b)), g * exp(-a) * cos(b)); }
};

/// y = 3x, structured.
struct Triple {
  static constexpr std::string_view name = "triple";
  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const {
    const Array from = packed(x);
    for (std::int64_t i = 0; i < out.numel(); ++i) out.data<double>()[i] = 3 * from.data<double>()[i];
  }
  auto vjp(Wrt<0>, Grad g) const { return tail(*this, g); }
};

}  // namespace

namespace ISA {

Tensor wave(const Tensor& a, const Tensor& b) { return elementwise(Wave{}, a, b); }
Tensor triple(const Tensor& x) { return record(Triple{}, x); }
std::size_t lane_bytes() { return sizeof(rule::Lane<double, xsimd::default_arch>); }

}  // namespace ISA
}  // namespace gradtape::inline v0::test
