#include <gradtape/ops/kernels/gemm.hpp>
#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/reduce.hpp>
#include <gradtape/ops/shape.hpp>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace gradtape {
namespace {

struct MatMul {
  static constexpr std::string_view name = "matmul";

  Shape infer(const Shape& a, const Shape& b) const {
    if (a.rank() != 2 || b.rank() != 2)
      throw ShapeError(fmt::format("matmul: {} · {}: both operands must be matrices; reshape them to two axes", to_string(a), to_string(b)));
    if (a[1] != b[0])
      throw ShapeError(fmt::format("matmul: inner dimensions differ: {} · {}{}", to_string(a), to_string(b), cure(a, b)));
    return {a[0], b[1]};
  }

  // (m,k)·(k,n) -> (m,n)
  void value(const Array& out, const Array& a, const Array& b, double beta = 0) const { detail::gemm(out, a, b, beta); }

  auto vjp(Wrt<0>, Grad g, In<1> b) const { return tail(*this, g, transpose(b)); }  // (m,n)·(n,k) -> (m,k)
  auto vjp(Wrt<1>, Grad g, In<0> a) const { return tail(*this, transpose(a), g); }  // (k,m)·(m,n) -> (k,n)

 private:
  static const char* cure(const Shape& a, const Shape& b) {
    if (a[1] == b[1]) return "; did you mean transpose(b)?";
    if (a[0] == b[0]) return "; did you mean transpose(a)?";
    if (a[0] == b[1]) return "; did you mean the other order, matmul(b, a)?";
    return "; the columns of a must be as many as the rows of b";
  }
};

struct Linear {
  static constexpr std::string_view name = "linear";

  Shape infer(const Shape& x, const Shape& w, const Shape& b) const {
    if (x.rank() == 0 || w.rank() != 2 || b.rank() != 1 || x[-1] != w[1] || w[0] != b[0])
      throw ShapeError(fmt::format("linear: x {}, weight {} and bias {} do not fit; expected x […, in], weight [out, in], bias [out]",
                                   to_string(x), to_string(w), to_string(b)));
    Shape out = x;
    out.set(-1, w[0]);
    return out;
  }

  // (n,in)·(in,out) + (out) -> (n,out)
  void value(const Array& out, const Array& x, const Array& w, const Array& b) const {
    const Array rows = packed(b);
    const auto row_bytes = static_cast<std::size_t>(rows.numel()) * size_of(rows.dtype());
    for (std::int64_t i = 0; i < out.shape()[0]; ++i)
      std::memcpy(out.data() + static_cast<std::size_t>(i) * row_bytes, rows.data(), row_bytes);
    detail::gemm(out, x, detail::transposed(w, 0, 1), 1);
  }

  auto vjp(Wrt<0>, Grad g, In<1> w) const { return tail(MatMul{}, g, w); }             // (n,out)·(out,in) -> (n,in)
  auto vjp(Wrt<1>, Grad g, In<0> x) const { return tail(MatMul{}, transpose(g), x); }  // (out,n)·(n,in) -> (out,in)
  auto vjp(Wrt<2>, Grad g) const { return sum(g, {.axes = 0}); }
};

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  detail::check_floating("matmul", {&a.array(), &b.array()});
  return record(MatMul{}, a, b);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  detail::check_floating("linear", {&x.array(), &weight.array(), &bias.array()});
  if (x.rank() == 2) return record(Linear{}, x, weight, bias);
  const Shape out = Linear{}.infer(x.shape(), weight.shape(), bias.shape());  // throws in terms of x as it was given
  std::int64_t rows = 1;
  for (int axis = 0; axis + 1 < x.rank(); ++axis) rows *= x.shape()[axis];
  return reshape(record(Linear{}, reshape(x, {rows, x.shape()[-1]}), weight, bias), out);
}

}  // namespace gradtape
