#include <gradtape/ops/checks.hpp>
#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/reduce.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace gradtape::inline v0 {
namespace {

using detail::Transposed;

/// What is wrong with two shapes whose inner dimensions differ.
[[noreturn]] void throw_inner(const Shape& a, const Shape& b) {
  const char* cure = "; the columns of a must be as many as the rows of b";
  if (a.rank() == 2 && b.rank() == 2) {
    if (a[1] == b[1])
      cure = "; did you mean transpose(b)?";
    else if (a[0] == b[0])
      cure = "; did you mean transpose(a)?";
    else if (a[0] == b[1])
      cure = "; did you mean the other order, matmul(b, a)?";
  }
  throw ShapeError(fmt::format("matmul: inner dimensions differ: {} · {}{}", to_string(a), to_string(b), cure));
}

/// a·b, aᵀ·b or a·bᵀ of matrices, or of batches of them alike. The gradients of each are others of the three, so that
/// nothing is transposed in memory.
template <Transposed which>
struct Product {
  static constexpr std::string_view name = which == Transposed::none   ? "matmul"
                                           : which == Transposed::left ? "matmul_tn"
                                                                       : "matmul_nt";

  Shape infer(const Shape& a, const Shape& b) const {
    constexpr int rows = which == Transposed::left ? -1 : -2, cols = which == Transposed::right ? -2 : -1;
    if (a[-3 - rows] != b[-3 - cols]) throw_inner(a, b);
    Shape out = a;
    out.set(-2, a[rows]);
    out.set(-1, b[cols]);
    return out;
  }

  void value(const Array& out, const Array& a, const Array& b, double beta = 0) const {
    detail::gemm(out, a, b, beta, which);
  }

  auto vjp(Wrt<0>, Grad g, In<1> b) const {
    if constexpr (which == Transposed::none)
      return tail(Product<Transposed::right>{}, g, b);  // (m,n)·(k,n)ᵀ -> (m,k)
    else if constexpr (which == Transposed::left)
      return tail(Product<Transposed::right>{}, b, g);  // (k,n)·(m,n)ᵀ -> (k,m)
    else
      return tail(Product<Transposed::none>{}, g, b);  // (m,n)·(n,k) -> (m,k)
  }
  auto vjp(Wrt<1>, Grad g, In<0> a) const {
    if constexpr (which == Transposed::none)
      return tail(Product<Transposed::left>{}, a, g);  // (m,k)ᵀ·(m,n) -> (k,n)
    else if constexpr (which == Transposed::left)
      return tail(Product<Transposed::none>{}, a, g);  // (k,m)·(m,n) -> (k,n)
    else
      return tail(Product<Transposed::left>{}, g, a);  // (m,n)ᵀ·(m,k) -> (n,k)
  }
  auto jvp(Wrt<0>, Grad t, In<1> b) const { return record(*this, t, b); }
  auto jvp(Wrt<1>, Grad t, In<0> a) const { return record(*this, a, t); }
};
using MatMul = Product<Transposed::none>;

/// x·Wᵀ.
struct LinearProduct {
  static constexpr std::string_view name = "linear";

  Shape infer(const Shape& x, const Shape& w) const {
    if (x.rank() == 0 || w.rank() != 2 || x[-1] != w[1])
      throw ShapeError(fmt::format("linear: x {} and weight {} do not fit; expected x […, in], weight [out, in]",
                                   to_string(x), to_string(w)));
    Shape out = x;
    out.set(-1, w[0]);
    return out;
  }

  // (n,in)·(in,out) -> (n,out)
  void value(const Array& out, const Array& x, const Array& w) const { detail::gemm(out, x, w, 0, Transposed::right); }

  // (n,out)·(out,in) -> (n,in)
  auto vjp(Wrt<0>, Grad g, In<1> w) const { return tail(MatMul{}, g, w); }
  // (n,out)ᵀ·(n,in) -> (out,in)
  auto vjp(Wrt<1>, Grad g, In<0> x) const { return tail(Product<Transposed::left>{}, g, x); }
  auto jvp(Wrt<0>, Grad t, In<1> w) const { return record(*this, t, w); }
  auto jvp(Wrt<1>, Grad t, In<0> x) const { return record(*this, x, t); }
};

/// The gradient of a bias, which was added to each row.
struct SumRows {
  static constexpr std::string_view name = "sum_rows";
  std::int64_t rows;

  Shape infer(const Shape& x) const { return {x[1]}; }
  void value(const Array& out, const Array& x) const { detail::sum_rows(out, x); }
  auto vjp(Wrt<0>, Grad g) const { return broadcast_to(g, {rows, g.shape()[0]}); }
};

struct Linear {
  static constexpr std::string_view name = "linear";

  Shape infer(const Shape& x, const Shape& w, const Shape& b) const {
    if (x.rank() == 0 || w.rank() != 2 || b.rank() != 1 || x[-1] != w[1] || w[0] != b[0])
      throw ShapeError(fmt::format(
          "linear: x {}, weight {} and bias {} do not fit; expected x […, in], weight [out, in], bias [out]",
          to_string(x), to_string(w), to_string(b)));
    Shape out = x;
    out.set(-1, w[0]);
    return out;
  }

  // (n,in)·(in,out) + (out) -> (n,out)
  void value(const Array& out, const Array& x, const Array& w, const Array& b) const {
    detail::gemm_plus(out, x, w, b, Transposed::right);
  }

  auto vjp(Wrt<0>, Grad g, In<1> w) const { return tail(MatMul{}, g, w); }                     // as above
  auto vjp(Wrt<1>, Grad g, In<0> x) const { return tail(Product<Transposed::left>{}, g, x); }  // likewise
  auto vjp(Wrt<2>, Grad g) const { return record(SumRows{g.shape()[0]}, g); }
  auto jvp(Wrt<0>, Grad t, In<1> w) const { return record(LinearProduct{}, t, w); }
  auto jvp(Wrt<1>, Grad t, In<0> x) const { return record(LinearProduct{}, x, t); }
};

/// Linear with a row of its own for each x in the place of the bias. The product reads the last input: the weight
/// again, or Wᵀ, packed, if that has been made.
struct LinearOnto {
  static constexpr std::string_view name = "linear_onto";
  bool across;  // it is Wᵀ

  Shape infer(const Shape& onto, const Shape& x, const Shape& w, const Shape&) const {
    if (x.rank() != 2 || w.rank() != 2 || x[1] != w[1] || onto != Shape{x[0], w[0]})
      throw ShapeError(
          fmt::format("linear: x {} and weight {} do not fit onto {}", to_string(x), to_string(w), to_string(onto)));
    return onto;
  }
  // (n,in)·(in,out) + (n,out) -> (n,out)
  void value(const Array& out, const Array& onto, const Array& x, const Array&, const Array& read) const {
    detail::gemm_plus(out, x, read, onto, across ? Transposed::none : Transposed::right);
  }

  Tensor vjp(Wrt<0>, Grad g) const { return g; }
  auto vjp(Wrt<1>, Grad g, In<2> w) const { return tail(MatMul{}, g, w); }
  auto vjp(Wrt<2>, Grad g, In<1> x) const { return tail(Product<Transposed::left>{}, g, x); }
  NoGradient vjp(Wrt<3>) const { return {}; }
  Tensor jvp(Wrt<0>, Grad t) const { return t; }
  auto jvp(Wrt<1>, Grad t, In<2> w) const { return record(LinearProduct{}, t, w); }
  auto jvp(Wrt<2>, Grad t, In<1> x) const { return record(LinearProduct{}, x, t); }
};

/// x as a matrix of its last axis.
Tensor as_rows(const Tensor& x) {
  if (x.rank() == 2) return x;
  const Shape& shape = x.shape();
  return reshape(x, {detail::count("linear", {shape.begin(), static_cast<std::size_t>(shape.rank()) - 1}), shape[-1]});
}

/// Vectors, batches, and the mixtures of them.
Tensor of_batches(const Tensor& a, const Tensor& b) {
  if (a.rank() == 0 || b.rank() == 0)
    throw ShapeError(fmt::format("matmul: {} · {}: a scalar is no matrix; multiply with `*`", to_string(a.shape()),
                                 to_string(b.shape())));
  const std::int64_t k = a.shape()[-1];
  if (k != b.shape()[b.rank() == 1 ? -1 : -2]) throw_inner(a.shape(), b.shape());
  if (a.rank() == 1) {  // a row, which the result loses again
    const Tensor y = matmul(reshape(a, {1, k}), b);
    Shape shape = detail::without_last(y.shape(), b.rank() == 1 ? 1 : 2);
    if (b.rank() > 1) shape.push_back(b.shape()[-1]);
    return reshape(y, shape);
  }
  if (b.rank() == 1) return reshape(matmul(a, reshape(b, {k, 1})), detail::without_last(a.shape(), 1));
  const std::int64_t m = a.shape()[-2], n = b.shape()[-1];
  const Shape left = detail::without_last(a.shape(), 2), right = detail::without_last(b.shape(), 2);
  if (b.rank() == 2)  // one product for the whole batch
    return reshape(record(MatMul{}, reshape(a, {left.numel() * m, k}), b), detail::with_batch(left, m, n));
  const Shape batch = broadcast("matmul", left, right);
  return record(MatMul{}, broadcast_to(a, detail::with_batch(batch, m, k)),
                broadcast_to(b, detail::with_batch(batch, k, n)));
}

}  // namespace

Shape detail::without_last(const Shape& shape, int n) {
  Shape out;
  for (int axis = 0; axis + n < shape.rank(); ++axis) out.push_back(shape[axis]);
  return out;
}

Shape detail::with_batch(const Shape& batch, std::int64_t rows, std::int64_t cols) {
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(cols);
  return shape;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  detail::check_floating("matmul", {&a.array(), &b.array()});
  if (a.rank() == 2 && b.rank() == 2) return record(MatMul{}, a, b);
  return of_batches(a, b);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const auto recorded = [&x](const auto& op, const auto&... parameters) {
    detail::check_floating("linear", {&x.array(), &parameters.array()...});
    if (x.rank() == 2) return record(op, x, parameters...);
    const Shape out = op.infer(x.shape(), parameters.shape()...);  // throws in terms of x as it was given
    return reshape(record(op, as_rows(x), parameters...), out);
  };
  return bias.defined() ? recorded(Linear{}, weight, bias) : recorded(LinearProduct{}, weight);
}

// Transposing costs what it saves in some products; a weight that is large has to be packed all the same.
detail::SharedWeight::SharedWeight(const Tensor& w, std::int64_t products) : weight(w) {
  constexpr std::int64_t worth_it = 8, most = 1 << 17;
  if (products >= worth_it && w.numel() <= most) across = Tensor(packed(transposed(w.array(), 0, 1)));
}

Tensor detail::linear_onto(const Tensor& onto, const Tensor& x, const SharedWeight& shared) {
  const bool across = shared.across.defined();
  const Tensor &weight = shared.weight, &read = across ? shared.across : weight;
  check_floating("linear", {&onto.array(), &x.array(), &weight.array()});
  if (onto.rank() == 2) return record(LinearOnto{across}, onto, x, weight, read);
  return reshape(record(LinearOnto{across}, as_rows(onto), as_rows(x), weight, read), onto.shape());
}

}  // namespace gradtape::inline v0
