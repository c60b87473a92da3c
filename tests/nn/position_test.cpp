#include <gradtape/gradtape.hpp>

#include "nn/support.hpp"
#include <doctest/doctest.h>

namespace gt = gradtape;

TEST_CASE("SinusoidalPositions: added by position, of the module's dtype") {
  gt::nn::SinusoidalPositions positions(10, 6);
  CHECK(testing::names(positions).empty());
  CHECK(positions.named_buffers().front().first == "table");
  const auto x = gt::randn({2, 4, 6});
  CHECK(gt::equal(positions(x), x + gt::sinusoidal_positions(4, 6)));
  positions.to(gt::f64);
  CHECK(positions(x.to(gt::f64)).dtype() == gt::f64);
  CHECK(positions.description() == "SinusoidalPositions(10, 6)");
  CHECK_THROWS_WITH_AS(positions(gt::zeros({11, 6})),
                       "SinusoidalPositions: x [11, 6]; expected (…, t, 6) with t up to 10", gt::ShapeError);
  CHECK_THROWS_WITH_AS(gt::nn::SinusoidalPositions(-1, 4),
                       "sinusoidal_positions: length -1 and width 4; expected at least 0", gt::ValueError);
}

TEST_CASE("RotaryPositions: the op with the module's options") {
  const gt::RotaryOptions options{.base = 100, .interleaved = true, .offset = 2};
  const auto x = gt::randn({2, 4, 6});
  CHECK(gt::equal(gt::nn::RotaryPositions(options)(x), gt::rotary_embedding(x, options)));
  CHECK(gt::nn::RotaryPositions(options).description() == "RotaryPositions(100, interleaved)");
}
