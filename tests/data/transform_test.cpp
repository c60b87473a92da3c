#include <gradtape/core/error.hpp>
#include <gradtape/data/transform.hpp>
#include <gradtape/ops/arithmetic.hpp>
#include <gradtape/ops/create.hpp>
#include <gradtape/ops/random.hpp>
#include <gradtape/ops/shape.hpp>

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace gt = gradtape;
using gt::data::fit_normalize, gt::data::Normalize, gt::data::random_crop, gt::data::random_flip;
using Numbers = std::vector<double>;

namespace {

/// Images whose pixels are 1, 2, 3, …
gt::Tensor numbered(const gt::Shape& shape) {
  return gt::reshape(gt::arange(shape.numel(), {.dtype = gt::f64}) + 1, shape);
}

}  // namespace

TEST_CASE("fit_normalize: mean and deviation of each feature") {
  const auto x = gt::tensor({{1., 5., 2.}, {3., 5., 6.}}, {.dtype = gt::f64});
  const Normalize scale = fit_normalize(x);
  CHECK(scale.mean.shape() == gt::Shape{1, 3});
  CHECK(scale.mean.to_vector<double>() == Numbers{2, 5, 4});
  CHECK(scale.std.to_vector<double>() == Numbers{1, 1, 2});  // the second one does not vary
  CHECK(scale(x).to_vector<double>() == Numbers{-1, 0, -1, 1, 0, 1});
  CHECK(gt::equal(scale.inverse(scale(x)), x));

  const Normalize channels = fit_normalize(numbered({2, 2, 1, 2}), {.axes = {0, 2, 3}});
  CHECK(channels.mean.shape() == gt::Shape{1, 2, 1, 1});
  CHECK(channels.mean.to_vector<double>() == Numbers{3.5, 5.5});  // of 1, 2, 5, 6 and 3, 4, 7, 8
  CHECK(channels.std.to_vector<double>() == Numbers{std::sqrt(4.25), std::sqrt(4.25)});
  CHECK(channels(numbered({5, 2, 3, 3})).shape() == gt::Shape{5, 2, 3, 3});
  const auto rounded = fit_normalize(gt::full({1000, 1}, 0.7, {.dtype = gt::f64}));  // whose mean is not quite 0.7
  CHECK(rounded.std.to_vector<double>() == Numbers{1});
  CHECK_THROWS_WITH_AS(fit_normalize(gt::zeros({0, 3})), "fit_normalize: x has shape [0, 3], expected elements",
                       gt::ValueError);
  CHECK_THROWS_AS(fit_normalize(gt::zeros({2, 3}, {.dtype = gt::i64})), gt::DtypeError);
}

TEST_CASE("random_crop: each image is moved, all of its channels alike") {
  const std::int64_t n = 400, h = 3, w = 2, padding = 1;
  const auto images = numbered({n, 2, h, w});
  gt::manual_seed(1);
  const auto cropped = random_crop(images, {.padding = padding});
  REQUIRE(cropped.shape() == images.shape());
  const auto from = images.to_vector<double>(), to = cropped.to_vector<double>();
  const auto at = [&](const Numbers& x, std::int64_t plane, std::int64_t row, std::int64_t column) {
    const bool inside = row >= 0 && row < h && column >= 0 && column < w;
    return inside ? x[static_cast<std::size_t>((plane * h + row) * w + column)] : 0.;
  };
  std::set<std::pair<std::int64_t, std::int64_t>> moves;
  for (std::int64_t i = 0; i < n; ++i) {
    bool found = false;
    for (std::int64_t dy = -padding; dy <= padding; ++dy) {
      for (std::int64_t dx = -padding; dx <= padding; ++dx) {
        bool same = true;
        for (std::int64_t plane = 2 * i; plane < 2 * i + 2; ++plane)
          for (std::int64_t y = 0; y < h; ++y)
            for (std::int64_t x = 0; x < w; ++x) same = same && at(to, plane, y, x) == at(from, plane, y + dy, x + dx);
        if (same) moves.emplace(dy, dx);
        found = found || same;
      }
    }
    CHECK(found);
  }
  CHECK(moves.size() == 9);

  gt::manual_seed(1);
  CHECK(gt::equal(random_crop(images, {.padding = padding}), cropped));
  CHECK_FALSE(gt::equal(random_crop(images, {.padding = padding}), cropped));
  CHECK(gt::equal(random_crop(images, {.padding = 0}), images));
  CHECK(random_crop(gt::zeros({0, 1, 2, 2})).shape() == gt::Shape{0, 1, 2, 2});
  const auto bytes = images.to(gt::i64);
  CHECK(random_crop(gt::transpose(bytes)).dtype() == gt::i64);
  CHECK_THROWS_WITH_AS(random_crop(gt::zeros({2, 2})),
                       "random_crop: images have shape [2, 2], expected [n, channels, height, width]", gt::ShapeError);
  CHECK_THROWS_WITH_AS(random_crop(images, {.padding = -1}), "random_crop: padding is -1, expected at least 0",
                       gt::ValueError);
}

TEST_CASE("random_flip: each image is mirrored or not") {
  const auto images = numbered({1000, 2, 1, 3});
  gt::manual_seed(2);
  const auto flipped = random_flip(images, {.p = 0.25});
  const auto from = images.to_vector<double>(), to = flipped.to_vector<double>();
  int turned = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const Numbers kept(from.begin() + static_cast<std::ptrdiff_t>(6 * i),
                       from.begin() + static_cast<std::ptrdiff_t>(6 * i + 6));
    const Numbers mirrored{kept[2], kept[1], kept[0], kept[5], kept[4], kept[3]};
    const Numbers found(to.begin() + static_cast<std::ptrdiff_t>(6 * i),
                        to.begin() + static_cast<std::ptrdiff_t>(6 * i + 6));
    CHECK((found == kept || found == mirrored));
    turned += found == mirrored;
  }
  CHECK(turned > 250 - 4 * 14);  // four standard deviations of sqrt(1000 * 0.25 * 0.75)
  CHECK(turned < 250 + 4 * 14);

  gt::manual_seed(2);
  CHECK(gt::equal(random_flip(images, {.p = 0.25}), flipped));
  CHECK(gt::equal(random_flip(images, {.p = 0}), images));
  CHECK(random_flip(gt::zeros({0, 1, 2, 2})).shape() == gt::Shape{0, 1, 2, 2});
  CHECK_THROWS_WITH_AS(random_flip(gt::zeros({2})),
                       "random_flip: images have shape [2], expected [n, channels, height, width]", gt::ShapeError);
  CHECK_THROWS_WITH_AS(random_flip(images, {.p = 1.5}), "random_flip: p is 1.5, expected 0 to 1", gt::ValueError);
}
