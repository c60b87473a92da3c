#pragma once

#include <gradtape/core/array.hpp>

namespace gradtape::detail {

/// `x` with two axes swapped, a view.
Array transposed(const Array& x, int axis0, int axis1);

/// `to += from` element by element; same shape and floating dtype, any strides.
void add_elements(const Array& to, const Array& from);

/// The matrices on the last two axes of an array, each a view; leading axes counted as one, the last fastest.
class Matrices {
 public:
  explicit Matrices(const Array& x);
  std::int64_t count() const { return count_; }
  Array operator[](std::int64_t i) const;

 private:
  const Array& x_;
  Shape matrix_;
  Strides strides_{};
  std::int64_t count_ = 1;
};

}  // namespace gradtape::detail
