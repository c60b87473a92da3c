#include <gradtape/gradtape.hpp>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::nn::Dropout;

TEST_CASE("dropout layer: drops in training mode only") {
  const gt::RandomStream stream(1);
  Dropout layer(0.25);
  const gt::Tensor x = gt::ones({100, 100});
  const gt::Tensor y = layer(x);
  const double kept = static_cast<double>(gt::count_nonzero(y).item<std::int64_t>());
  CHECK(kept / 10'000 == doctest::Approx(0.75).epsilon(0.03));
  CHECK(y == gt::approx(gt::where(y == 0, 0, x / 0.75)));
  CHECK_FALSE(gt::equal(layer(x), y));
  layer.eval();
  CHECK(gt::equal(layer(x), x));
  layer.train();
  CHECK_FALSE(gt::equal(layer(x), x));
}

TEST_CASE("dropout layer: follows the mode of what it is part of") {
  gt::nn::Sequential net({gt::nn::Linear(4, 50), Dropout(), gt::nn::Linear(50, 2)});
  const gt::Tensor x = gt::randn({3, 4});
  CHECK_FALSE(gt::equal(net(x), net(x)));
  net.eval();
  CHECK(gt::equal(net(x), net(x)));
  gt::nn::Sequential copy = net;
  CHECK(gt::equal(copy(x), net(x)));
}

TEST_CASE("dropout layer: description, errors and the seed") {
  CHECK(Dropout().description() == "Dropout(0.5)");
  CHECK(Dropout(0.1).parameters().empty());
  CHECK_THROWS_WITH_AS(Dropout(1.5), "Dropout: p is 1.5; expected 0 to 1", gt::ValueError);
  const Dropout layer(0.5);
  const auto run = [&] {
    const gt::RandomStream stream(3);
    return layer(gt::ones({64}));
  };
  CHECK(gt::equal(run(), run()));
}
