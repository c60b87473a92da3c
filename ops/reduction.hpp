#pragma once

#include <gradtape/core/observe.hpp>
#include <gradtape/core/tensor.hpp>
#include <gradtape/ops/reduce.hpp>

#include <cstdint>
#include <string_view>

namespace gradtape::inline v0::detail {

/// What a reduction does to shapes; the base of the ops that reduce.
struct Reduction {
  Shape from, kept;  ///< of the input, and with size 1 on the reduced axes
  unsigned mask;     ///< the reduced axes
  bool keepdims;     ///< they stay in the result

  /// Throws ShapeError that names `op` for axes that do not fit.
  Reduction(std::string_view op, const Tensor& x, const ReduceOptions& options);

  Shape infer(const Shape&) const;  ///< of the result
  std::int64_t count() const;       ///< how many elements go into one of the result
  Axes axes() const;                ///< the reduced ones

  void attributes(AttributeVisitor& v) const;        ///< axes and keepdims
  void require_elements(std::string_view op) const;  ///< throws ValueError if nothing goes into an element

  Tensor restore(const Tensor& y) const;  ///< something of the result's shape, with the reduced axes put back
};

/// Throws DtypeError for boolean, on which `op` has no meaning.
void require_numbers(std::string_view op, const Tensor& x);

}  // namespace gradtape::inline v0::detail
