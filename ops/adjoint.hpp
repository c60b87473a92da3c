#pragma once

#include <gradtape/ops/kernels/views.hpp>
#include <gradtape/ops/record.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace gradtape::inline v0 {
namespace detail {

template <class Op>
inline constexpr auto adjoint_name = [] {
  constexpr std::string_view suffix = "_adjoint";
  std::array<char, Op::name.size() + suffix.size()> out{};
  std::ranges::copy(suffix, std::ranges::copy(Op::name, out.begin()).out);
  return out;
}();

}  // namespace detail

/// The adjoint of an op that is a view, `from` the shape of that op's input: zeros, and each element of g added to
/// where the view reads it; to what is read twice, both. A view op's rule is
///   auto vjp(Wrt<0>, Grad g) const { return tail(Adjoint{*this, from}, g); }
template <class Op>
struct Adjoint {
  static constexpr std::string_view name{detail::adjoint_name<Op>.data(),
                                         detail::adjoint_name<Op>.size()};  ///< the view's, and "_adjoint"
  Op op;                                                                    ///< the view
  Shape from;                                                               ///< shape of its input

  Shape infer(const Shape&) const { return from; }  ///< the shape of the view's input
  /// Adds g through the view.
  void value(const Array& out, const Array& g, double beta = 0) const {
    if (beta == 0) fill(out, 0);
    detail::add_elements(op.view(out), g);
  }
  auto vjp(Wrt<0>, Grad h) const { return record(op, h); }     ///< the view itself
  auto jvp(Wrt<0>, Grad t) const { return record(*this, t); }  ///< it is linear
};
template <class Op>
Adjoint(Op, Shape) -> Adjoint<Op>;

}  // namespace gradtape::inline v0
