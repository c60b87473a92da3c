#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/elementwise.hpp>

namespace gradtape {
namespace {

struct Equal {
  static constexpr std::string_view name = "==";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a == b; }
};

struct NotEqual {
  static constexpr std::string_view name = "!=";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a != b; }
};

struct Less {
  static constexpr std::string_view name = "<";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a < b; }
};

struct LessEqual {
  static constexpr std::string_view name = "<=";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a <= b; }
};

struct Greater {
  static constexpr std::string_view name = ">";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a > b; }
};

struct GreaterEqual {
  static constexpr std::string_view name = ">=";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return a >= b; }
};

struct Where {
  static constexpr std::string_view name = "where";
  static constexpr bool integers = true;
  static constexpr unsigned conditions = 0b001;
  auto value(auto c, auto a, auto b) const { return where(c != 0, a, b); }
  auto vjp(auto g, auto c, auto /*a*/, auto /*b*/) const { return grads(NoGradient{}, where(c != 0, g, 0), where(c != 0, 0, g)); }
};

struct Maximum {
  static constexpr std::string_view name = "maximum";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return maximum(a, b); }
  auto vjp(auto g, auto a, auto b) const {
    return grads(where(a > b, g, where(a == b, g / 2, 0)), where(b > a, g, where(a == b, g / 2, 0)));
  }
};

struct Minimum {
  static constexpr std::string_view name = "minimum";
  static constexpr bool integers = true;
  auto value(auto a, auto b) const { return minimum(a, b); }
  auto vjp(auto g, auto a, auto b) const {
    return grads(where(a < b, g, where(a == b, g / 2, 0)), where(b < a, g, where(a == b, g / 2, 0)));
  }
};

}  // namespace

Tensor operator==(const Operand& a, const Operand& b) { return elementwise(Equal{}, a, b); }
Tensor operator!=(const Operand& a, const Operand& b) { return elementwise(NotEqual{}, a, b); }
Tensor operator<(const Operand& a, const Operand& b) { return elementwise(Less{}, a, b); }
Tensor operator<=(const Operand& a, const Operand& b) { return elementwise(LessEqual{}, a, b); }
Tensor operator>(const Operand& a, const Operand& b) { return elementwise(Greater{}, a, b); }
Tensor operator>=(const Operand& a, const Operand& b) { return elementwise(GreaterEqual{}, a, b); }

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) { return elementwise(Where{}, Operand(condition), a, b); }
Tensor maximum(const Operand& a, const Operand& b) { return elementwise(Maximum{}, a, b); }
Tensor minimum(const Operand& a, const Operand& b) { return elementwise(Minimum{}, a, b); }

}  // namespace gradtape
