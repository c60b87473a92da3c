// The umbrella first and alone: nothing heavy may come with it.
#include <gradtape/gradtape.hpp>

#if defined(XTENSOR_VERSION_MAJOR) || defined(XSIMD_VERSION_MAJOR) || defined(CBLAS_H) || defined(RANDOM_123_VERSION)
#error "gradtape.hpp includes a header of xtensor, xsimd, BLAS or Random123"
#endif

#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("light: handles are two pointers and cheap to move") {
  CHECK(sizeof(gt::Tensor) == 2 * sizeof(void*));
  CHECK(std::is_nothrow_move_constructible_v<gt::Tensor>);
  CHECK(std::is_nothrow_move_assignable_v<gt::Tensor>);
  CHECK_FALSE(std::is_convertible_v<double, gt::Tensor>);
}
