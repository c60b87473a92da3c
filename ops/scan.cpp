#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/kernels/scan.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduction.hpp>
#include <gradtape/ops/scan.hpp>

namespace gradtape::inline v0 {
namespace {

struct Cumsum {
  static constexpr std::string_view name = "cumsum";
  int axis;
  bool reverse;

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { detail::cumsum(out, packed(x), axis, reverse); }
  auto vjp(Wrt<0>, Grad g) const { return tail(Cumsum{axis, !reverse}, g); }
};

/// y[k] = b[k-1] + x[k-1] · y[k-1], y[0] = 0: a triangular matrix times b, whose entry for j < k is x[j+1] · … ·
/// x[k-1]. Its transpose is the same in the other direction, z; the derivative by x[k] is what arrives at k times what
/// leaves it, y·z.
struct Recurrence {
  static constexpr std::string_view name = "recurrence";
  int axis;
  bool reverse;

  Shape infer(const Shape& x, const Shape&) const { return x; }
  void value(const Array& out, const Array& x, const Array& b) const {
    detail::recurrence(out, packed(x), packed(b), axis, reverse);
  }
  Recurrence transposed() const { return {axis, !reverse}; }
  auto vjp(Wrt<0>, Grad g, In<0> x, Out y) const { return y * record(transposed(), x, g); }
  auto vjp(Wrt<1>, Grad g, In<0> x) const { return tail(transposed(), x, g); }
};

/// y[k] = x[0] · … · x[k-1]
struct ExclusiveCumprod {
  static constexpr std::string_view name = "exclusive_cumprod";
  int axis;
  bool reverse;

  Shape infer(const Shape& x) const { return x; }
  void value(const Array& out, const Array& x) const { detail::exclusive_cumprod(out, packed(x), axis, reverse); }
  auto vjp(Wrt<0>, Grad g, In<0> x, Out y) const { return y * record(Recurrence{axis, !reverse}, x, g); }
};

}  // namespace

Tensor cumsum(const Tensor& x, const AxisOptions& options) {
  detail::require_numbers("cumsum", x);
  return record(Cumsum{normalize_axis("cumsum", options.axis, x.rank()), false}, x);
}

Tensor cumprod(const Tensor& x, const AxisOptions& options) {
  detail::require_numbers("cumprod", x);
  return x * record(ExclusiveCumprod{normalize_axis("cumprod", options.axis, x.rank()), false}, x);
}

Tensor detail::exclusive_product(const Tensor& x, int axis) {
  return record(ExclusiveCumprod{axis, false}, x) * record(ExclusiveCumprod{axis, true}, x);
}

}  // namespace gradtape::inline v0
