#include <gradtape/core/error.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/compare.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/decompose.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/kernels/lapack.hpp>
#include <gradtape/ops/linalg.hpp>
#include <gradtape/ops/math.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

/// Each element of x as a vector (n = 1) or matrix (n = 2) that broadcasts.
Tensor with_axes(Tensor x, int n) {
  for (; n > 0; --n) x = unsqueeze(x, -1);
  return x;
}

/// The LU factors of a. Ops take them beside a, as inputs without a gradient: a is factored once, and rules, which
/// differentiate by a alone, use the factors again.
struct Factors {
  Tensor lu, pivots;

  explicit Factors(const Tensor& a)
      : lu(Array::make(a.dtype(), a.shape())), pivots(Array::make(i64, detail::without_last(a.shape(), 1))) {
    detail::lu(lu.array(), pivots.array(), a.array());
  }
  /// Throws if a is singular.
  Factors(std::string_view op, const Tensor& a) : Factors(a) { detail::require_pivots(op, lu.array()); }

  Tensor diagonal() const { return gradtape::diagonal(lu, {.axis1 = -2, .axis2 = -1}); }
  /// 1 or -1, f64: the sign of the permutation that the pivots are.
  Tensor parity() const {
    const Tensor stays = pivots == arange(pivots.shape()[-1], {.dtype = i64});
    return prod(where(stays, 1, -ones({}, {.dtype = f64})), {.axes = -1});
  }
};

struct Inverse {
  static constexpr std::string_view name = "inv";

  Shape infer(const Shape& a, const Shape&, const Shape&) const { return a; }
  void value(const Array& out, const Array&, const Array& lu, const Array& pivots) const {
    const Tensor identity = broadcast_to(eye(out.shape()[-1], {.dtype = out.dtype()}), out.shape());
    detail::lu_solve(out, lu, pivots, identity.array(), false);
  }

  auto vjp(Wrt<0>, Grad g, Out y) const {
    const Tensor t = transpose(y);
    return -matmul(matmul(t, g), t);
  }
  NoGradient vjp(Wrt<1>) const { return {}; }
  NoGradient vjp(Wrt<2>) const { return {}; }
};

struct Solve {
  static constexpr std::string_view name = "solve";
  bool transposed;  // aᵀ·x = b

  Shape infer(const Shape&, const Shape& b, const Shape&, const Shape&) const { return b; }
  void value(const Array& out, const Array&, const Array& b, const Array& lu, const Array& pivots) const {
    detail::lu_solve(out, lu, pivots, b, transposed);
  }

  auto vjp(Wrt<0>, Grad g, In<0> a, In<2> lu, In<3> pivots, Out x) const {
    const Tensor h = record(Solve{!transposed}, a, g, lu, pivots);
    return transposed ? -matmul(x, transpose(h)) : -matmul(h, transpose(x));
  }
  auto vjp(Wrt<1>, Grad g, In<0> a, In<2> lu, In<3> pivots) const {
    return record(Solve{!transposed}, a, g, lu, pivots);
  }
  NoGradient vjp(Wrt<2>) const { return {}; }
  NoGradient vjp(Wrt<3>) const { return {}; }
};

struct SolveTriangular {
  static constexpr std::string_view name = "solve_triangular";
  SolveTriangularOptions options;

  Shape infer(const Shape&, const Shape& b) const { return b; }
  void value(const Array& out, const Array& a, const Array& b) const {
    detail::triangular_solve(out, a, b, {.upper = options.upper, .left = options.left, .unit = options.unitriangular});
  }

  Tensor vjp(Wrt<0>, Grad g, In<0> a, Out x) const {
    const Tensor h = adjoint(g, a);
    const Tensor whole = -(options.left ? matmul(h, transpose(x)) : matmul(transpose(x), h));
    return options.upper ? triu(whole, {.diagonal = options.unitriangular})
                         : tril(whole, {.diagonal = -options.unitriangular});
  }
  Tensor vjp(Wrt<1>, Grad g, In<0> a) const { return adjoint(g, a); }

 private:
  Tensor adjoint(const Tensor& g, const Tensor& a) const {
    return record(SolveTriangular{{!options.upper, options.left, options.unitriangular}}, transpose(a), g);
  }
};

/// The gradient of det(a): products of the singular values but one, where A⁻ᵀ would divide all of them by that one.
Tensor cofactors(const Tensor& a) {
  const auto [u, s, vt] = svd(a);
  const Tensor diagonal = eye(a.shape()[-1], {.dtype = boolean});
  const Tensor products = prod(where(diagonal, 1, unsqueeze(s, -2)), {.axes = -1});
  const Tensor sign = det(u.detach()) * det(vt.detach());  // ±1, to rounding
  return matmul(u * unsqueeze(with_axes(sign, 1) * products, -2), vt);
}

/// The determinant of a, which is computed already.
struct Det {
  static constexpr std::string_view name = "det";

  Array view(const Array&, const Array& y, const Array&, const Array&) const { return y; }
  Tensor vjp(Wrt<0>, Grad g, In<0> a, In<2> lu, In<3> pivots, Out y) const {
    const bool finite = sum(a.detach() * 0).item() == 0;  // as svd demands
    if (finite && any(y == 0).item() != 0) return with_axes(g, 2) * cofactors(a);
    return with_axes(g * y, 2) * transpose(record(Inverse{}, a, lu, pivots));
  }
  NoGradient vjp(Wrt<1>) const { return {}; }
  NoGradient vjp(Wrt<2>) const { return {}; }
  NoGradient vjp(Wrt<3>) const { return {}; }
};

/// log|det a|, which is computed already.
struct LogAbsDet {
  static constexpr std::string_view name = "slogdet";

  Array view(const Array&, const Array& y, const Array&, const Array&) const { return y; }
  auto vjp(Wrt<0>, Grad g, In<0> a, In<2> lu, In<3> pivots) const {
    return with_axes(g, 2) * transpose(record(Inverse{}, a, lu, pivots));
  }
  NoGradient vjp(Wrt<1>) const { return {}; }
  NoGradient vjp(Wrt<2>) const { return {}; }
  NoGradient vjp(Wrt<3>) const { return {}; }
};

/// a (…,m,n) and b of a system, as matrices of one batch; b has m rows, or columns if it stands on the left of a.
struct System {
  Tensor a, b;

  System(std::string_view op, const Tensor& matrices, const Tensor& right_side, bool left = true)
      : a(matrices), b(right_side), left_(left), vector_(b.rank() == 1) {
    detail::require_matrices(op, a);
    detail::check_floating(op, {&b.array()});
    detail::check_dtypes(op, {&a.array(), &b.array()});
    const std::int64_t m = a.shape()[-2];
    if (b.rank() == 0 || b.shape()[vector_ || !left ? -1 : -2] != m)
      throw ShapeError(fmt::format("{}: a {} and b {} do not fit; expected b [{}] or {}", op, to_string(a.shape()),
                                   to_string(b.shape()), m,
                                   left ? fmt::format("[…, {}, k]", m) : fmt::format("[…, k, {}]", m)));
    if (vector_) b = unsqueeze(b, left ? 1 : 0);
    batch_ = broadcast(op, detail::without_last(a.shape(), 2), detail::without_last(b.shape(), 2));
    a = stretched(a);
    b = stretched(b);
  }

  /// The matrices of x for the whole batch.
  Tensor stretched(const Tensor& x) const {
    return broadcast_to(x, detail::with_batch(batch_, x.shape()[-2], x.shape()[-1]));
  }
  /// x with the axes that b was given with.
  Tensor solution(const Tensor& x) const { return vector_ ? squeeze(x, left_ ? -1 : -2) : x; }

 private:
  bool left_, vector_;
  Shape batch_;
};

/// The pseudoinverse of a, which is computed already.
struct Pinv {
  static constexpr std::string_view name = "pinv";

  Array view(const Array&, const Array& p) const { return p; }
  auto vjp(Wrt<0>, Grad g, In<0> a, Out p) const {
    const Tensor pt = transpose(p), gt = transpose(g);
    const Tensor left = matmul(matmul(gt, p), pt), right = matmul(matmul(pt, p), gt);
    return left - matmul(a, matmul(p, left)) + right - matmul(matmul(right, p), a) - matmul(matmul(pt, g), pt);
  }
  NoGradient vjp(Wrt<1>) const { return {}; }
};

double epsilon(Dtype dtype) {
  return dtype == f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

/// What rounding makes of 0, relative to the largest number of a matrix.
double rounding(const Tensor& a) {
  return epsilon(a.dtype()) * static_cast<double>(std::max(a.shape()[-1], a.shape()[-2]));
}

}  // namespace

void detail::require_matrices(std::string_view op, const Tensor& a) {
  check_floating(op, {&a.array()});
  const Shape& shape = a.shape();
  if (shape.rank() < 2)
    throw ShapeError(fmt::format("{}: shape {}; expected matrices […, m, n]", op, to_string(shape)));
  if (std::max(shape[-1], shape[-2]) > std::numeric_limits<int>::max())
    throw ShapeError(fmt::format("{}: {} has matrices larger than LAPACK can count", op, to_string(shape)));
}

void detail::require_square(std::string_view op, const Tensor& a) {
  require_matrices(op, a);
  if (a.shape()[-1] != a.shape()[-2])
    throw ShapeError(fmt::format("{}: shape {}; expected square matrices […, n, n]", op, to_string(a.shape())));
}

Tensor inv(const Tensor& a) {
  detail::require_square("inv", a);
  const Factors factors("inv", a);
  return record(Inverse{}, a, factors.lu, factors.pivots);
}

Tensor solve(const Tensor& a, const Tensor& b) {
  detail::require_square("solve", a);
  const System system("solve", a, b);
  const Factors factors("solve", a);  // of each matrix once, however often it is used
  const Tensor pivots = broadcast_to(factors.pivots, detail::without_last(system.a.shape(), 1));
  return system.solution(record(Solve{false}, system.a, system.b, system.stretched(factors.lu), pivots));
}

Tensor solve_triangular(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options) {
  detail::require_square("solve_triangular", a);
  const System system("solve_triangular", a, b, options.left);
  if (!options.unitriangular) detail::require_pivots("solve_triangular", a.array());
  return system.solution(detail::solve_triangular_unchecked(system.a, system.b, options));
}

Tensor detail::solve_triangular_unchecked(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options) {
  return record(SolveTriangular{options}, a, b);
}

Tensor lstsq(const Tensor& a, const Tensor& b) {
  const System system("lstsq", a, b);
  const bool tall = a.shape()[-2] >= a.shape()[-1];
  const auto [q, triangle] = qr(tall ? a : transpose(a));
  detail::require_pivots("lstsq", triangle.array(), "not of full rank", rounding(a));
  const Tensor r = system.stretched(triangle);
  return system.solution(tall ? detail::solve_triangular_unchecked(r, matmul(transpose(q), system.b), {.upper = true})
                              : matmul(q, detail::solve_triangular_unchecked(transpose(r), system.b)));
}

Tensor pinv(const Tensor& a, const PinvOptions& options) {
  detail::require_matrices("pinv", a);
  const double atol = options.atol.value_or(0), rtol = options.rtol.value_or(atol > 0 ? 0 : rounding(a));
  const auto [u, s, vt] = svd(a.detach());
  const Tensor largest = slice(s, {.axis = -1, .begin = 0, .end = 1});
  const Tensor inverses = where(s > maximum(rtol * largest, atol), 1 / s, 0);
  return record(Pinv{}, a, matmul(transpose(vt) * unsqueeze(inverses, -2), transpose(u)));
}

Tensor det(const Tensor& a) {
  detail::require_square("det", a);
  const Factors factors(a);
  const Tensor product = prod(factors.diagonal().to(f64), {.axes = -1}) * factors.parity();
  return record(Det{}, a, product.to(a.dtype()), factors.lu, factors.pivots);
}

SlogdetResult slogdet(const Tensor& a) {
  detail::require_square("slogdet", a);
  const Factors factors(a);
  const Tensor diagonal = factors.diagonal(),
               sign_of_det = prod(sign(diagonal).to(f64), {.axes = -1}) * factors.parity();
  return {sign_of_det.to(a.dtype()),
          record(LogAbsDet{}, a, sum(log(abs(diagonal)), {.axes = -1}), factors.lu, factors.pivots)};
}

}  // namespace gradtape::inline v0
