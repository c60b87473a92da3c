#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/decompose.hpp>
#include <gradtape/ops/diagonal.hpp>
#include <gradtape/ops/join.hpp>
#include <gradtape/ops/kernels/lapack.hpp>
#include <gradtape/ops/linalg.hpp>
#include <gradtape/ops/matmul.hpp>
#include <gradtape/ops/record.hpp>
#include <gradtape/ops/shape.hpp>
#include <gradtape/ops/slice.hpp>

#include <algorithm>

// The tape knows ops of one output. So a decomposition is computed outside of it, and each part put on it by an op of
// its own, which takes a, and the parts as inputs without a gradient, and has nothing to compute. Where a rule reads
// another part, it puts it on the tape again: for nothing where the sweep is not recorded; as the function of a that it
// is where it is. Nothing is ever decomposed twice.
namespace gradtape::inline v0 {
namespace {

/// Uninitialised memory for a part.
Tensor room(const Tensor& a, const Shape& shape) { return Tensor(Array::make(a.dtype(), shape)); }

Tensor symmetric_part(const Tensor& a) { return 0.5 * a + 0.5 * transpose(a); }

/// A lower triangle mirrored into the upper one.
Tensor mirrored(const Tensor& lower) { return lower + transpose(tril(lower, {.diagonal = -1})); }

/// x·diag(d): columns scaled.
Tensor scaled(const Tensor& x, const Tensor& d) { return x * unsqueeze(d, -2); }

/// y_ij / (d_j - d_i) off the diagonal, for a y that is 0 on it.
Tensor over_differences(const Tensor& y, const Tensor& d) {
  return y / (unsqueeze(d, -2) - unsqueeze(d, -1) + eye(d.shape()[-1], {.dtype = d.dtype()}));
}

Tensor antisymmetric(const Tensor& x) { return x - transpose(x); }

struct Cholesky {
  static constexpr std::string_view name = "cholesky";

  Shape infer(const Shape& a) const { return a; }
  void value(const Array& out, const Array& a) const { detail::cholesky(name, out, a); }

  // of the symmetric part, whose own rule makes what comes here symmetric
  auto vjp(Wrt<0>, Grad g, Out l) const {
    const Tensor phi = tril(matmul(transpose(l), g)), half = 0.5 * mirrored(phi);
    return detail::solve_triangular_unchecked(
        l, detail::solve_triangular_unchecked(transpose(l), half, {.upper = true}), {.left = false});
  }
};

/// q or r of a.
struct Qr {
  static constexpr std::string_view name = "qr";
  enum Part { q_part, r_part } part;

  Array view(const Array&, const Array& q, const Array& r) const { return part == q_part ? q : r; }
  Tensor vjp(Wrt<0>, Grad g, In<0> a, In<1> q, In<2> r) const;
  NoGradient vjp(Wrt<1>) const { return {}; }
  NoGradient vjp(Wrt<2>) const { return {}; }
};

QrResult recorded_qr(const Tensor& a, const Tensor& q, const Tensor& r) {
  return {record(Qr{Qr::q_part}, a, q, r), record(Qr{Qr::r_part}, a, q, r)};
}

Tensor Qr::vjp(Wrt<0>, Grad g, In<0> a, In<1> q_of_a, In<2> r_of_a) const {
  const auto [q, r] = recorded_qr(a, q_of_a, r_of_a);
  const Tensor through_both =
      matmul(q, mirrored(tril(part == q_part ? -matmul(transpose(g), q) : matmul(r, transpose(g)))));
  return detail::solve_triangular_unchecked(transpose(r), part == q_part ? g + through_both : through_both,
                                            {.left = false});
}

/// The values or vectors of a.
struct Eigh {
  static constexpr std::string_view name = "eigh";
  enum Part { values_part, vectors_part } part;

  Array view(const Array&, const Array& values, const Array& vectors) const {
    return part == values_part ? values : vectors;
  }
  Tensor vjp(Wrt<0>, Grad g, In<0> a, In<1> values, In<2> vectors) const;
  NoGradient vjp(Wrt<1>) const { return {}; }
  NoGradient vjp(Wrt<2>) const { return {}; }
};

EighResult recorded_eigh(const Tensor& a, const Tensor& values, const Tensor& vectors) {
  return {record(Eigh{Eigh::values_part}, a, values, vectors), record(Eigh{Eigh::vectors_part}, a, values, vectors)};
}

// of the symmetric part, which lets the symmetric part of V·(F∘(Vᵀ·G))·Vᵀ through and is given that
Tensor Eigh::vjp(Wrt<0>, Grad g, In<0> a, In<1> values_of_a, In<2> vectors_of_a) const {
  const auto [values, v] = recorded_eigh(a, values_of_a, vectors_of_a);
  const Tensor vt = transpose(v);
  if (part == values_part) return matmul(scaled(v, g), vt);
  return matmul(matmul(v, over_differences(0.5 * antisymmetric(matmul(vt, g)), values)), vt);
}

/// u, s or vt of a.
struct Svd {
  static constexpr std::string_view name = "svd";
  enum Part { u_part, s_part, vt_part } part;

  Array view(const Array&, const Array& u, const Array& s, const Array& vt) const {
    return part == u_part ? u : part == s_part ? s : vt;
  }
  Tensor vjp(Wrt<0>, Grad g, In<0> a, In<1> u, In<2> s, In<3> vt) const;
  NoGradient vjp(Wrt<1>) const { return {}; }
  NoGradient vjp(Wrt<2>) const { return {}; }
  NoGradient vjp(Wrt<3>) const { return {}; }
};

SvdResult recorded_svd(const Tensor& a, const Tensor& u, const Tensor& s, const Tensor& vt) {
  return {record(Svd{Svd::u_part}, a, u, s, vt), record(Svd{Svd::s_part}, a, u, s, vt),
          record(Svd{Svd::vt_part}, a, u, s, vt)};
}

/// The gradient of a from that of u; with u and v changing places, that of aᵀ from v.
Tensor from_vectors(const Tensor& u, const Tensor& s, const Tensor& vt, const Tensor& g) {
  const Tensor along = matmul(transpose(u), g);
  Tensor x = matmul(u, scaled(over_differences(antisymmetric(along), s * s), s));
  if (u.shape()[-2] > u.shape()[-1]) x = x + scaled(g - matmul(u, along), 1 / s);
  return matmul(x, vt);
}

Tensor Svd::vjp(Wrt<0>, Grad g, In<0> a, In<1> u_of_a, In<2> s_of_a, In<3> vt_of_a) const {
  const auto [u, s, vt] = recorded_svd(a, u_of_a, s_of_a, vt_of_a);
  if (part == u_part) return from_vectors(u, s, vt, g);
  if (part == s_part) return matmul(scaled(u, g), vt);
  return transpose(from_vectors(transpose(vt), s, transpose(u), transpose(g)));
}

}  // namespace

Tensor cholesky(const Tensor& a, const CholeskyOptions& options) {
  detail::require_square("cholesky", a);
  const Tensor l = record(Cholesky{}, symmetric_part(a));
  return options.upper ? transpose(l) : l;
}

QrResult qr(const Tensor& a) {
  detail::require_matrices("qr", a);
  const std::int64_t m = a.shape()[-2], n = a.shape()[-1];
  if (m < n) {
    const auto [q, r] = qr(slice(a, {.axis = -1, .end = m}));
    return {q, concatenate({r, matmul(transpose(q), slice(a, {.axis = -1, .begin = m}))}, {.axis = -1})};
  }
  const Shape batch = detail::without_last(a.shape(), 2);
  const Tensor q = room(a, a.shape()), r = room(a, detail::with_batch(batch, n, n));
  detail::qr(q.array(), r.array(), a.array());
  return recorded_qr(a, q, r);
}

EighResult eigh(const Tensor& a) {
  detail::require_square("eigh", a);
  const Tensor symmetric = symmetric_part(a);
  const Tensor values = room(a, detail::without_last(a.shape(), 1)), vectors = room(a, a.shape());
  detail::eigh("eigh", values.array(), vectors.array(), symmetric.array());
  return recorded_eigh(symmetric, values, vectors);
}

SvdResult svd(const Tensor& a) {
  detail::require_matrices("svd", a);
  const std::int64_t m = a.shape()[-2], n = a.shape()[-1], k = std::min(m, n);
  const Shape batch = detail::without_last(a.shape(), 2);
  Shape values = batch;
  values.push_back(k);
  const Tensor u = room(a, detail::with_batch(batch, m, k)), s = room(a, values),
               vt = room(a, detail::with_batch(batch, k, n));
  detail::svd("svd", u.array(), s.array(), vt.array(), a.array());
  return recorded_svd(a, u, s, vt);
}

}  // namespace gradtape::inline v0
