#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>
#include <gradtape/ops/math.hpp>

namespace gradtape {
namespace {

struct Exp {
  static constexpr std::string_view name = "exp";
  auto value(auto x) const { return exp(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g * y; }
};

struct Log {
  static constexpr std::string_view name = "log";
  auto value(auto x) const { return log(x); }
  auto vjp(auto g, auto x) const { return g / x; }
};

struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  auto value(auto x) const { return sqrt(x); }
  auto vjp(auto g, auto /*x*/, auto y) const { return g / (2 * y); }
};

struct Square {
  static constexpr std::string_view name = "square";
  static constexpr bool integers = true;
  auto value(auto x) const { return x * x; }
  auto vjp(auto g, auto x) const { return 2 * g * x; }
};

struct Sin {
  static constexpr std::string_view name = "sin";
  auto value(auto x) const { return sin(x); }
  auto vjp(auto g, auto x) const { return g * cos(x); }
};

struct Cos {
  static constexpr std::string_view name = "cos";
  auto value(auto x) const { return cos(x); }
  auto vjp(auto g, auto x) const { return -g * sin(x); }
};

struct Abs {
  static constexpr std::string_view name = "abs";
  static constexpr bool integers = true;
  auto value(auto x) const { return abs(x); }
  auto vjp(auto g, auto x) const { return where(x > 0, g, where(x < 0, -g, 0)); }
};

struct Pow {
  static constexpr std::string_view name = "pow";
  auto value(auto a, auto b) const { return pow(a, b); }
  auto vjp(auto g, auto a, auto b, auto y) const {
    // At base 0 the formulas meet 0·inf where the limit is 0; a base of 1 gives that limit.
    const auto base = where(b == 0, where(a == 0, 1 + a, a), a), inside = where(b >= 0, where(a == 0, 1 + a, a), a);
    return grads(g * b * pow(base, b - 1), g * y * log(inside));
  }
};

}  // namespace

Tensor exp(const Tensor& x) { return elementwise(Exp{}, x); }
Tensor log(const Tensor& x) { return elementwise(Log{}, x); }
Tensor sqrt(const Tensor& x) { return elementwise(Sqrt{}, x); }
Tensor square(const Tensor& x) { return elementwise(Square{}, x); }
Tensor sin(const Tensor& x) { return elementwise(Sin{}, x); }
Tensor cos(const Tensor& x) { return elementwise(Cos{}, x); }
Tensor abs(const Tensor& x) { return elementwise(Abs{}, x); }
Tensor pow(const Operand& base, const Operand& exponent) { return elementwise(Pow{}, base, exponent); }

}  // namespace gradtape
