#include <cmath>

#include <ops/rows.hpp>
#include <ops/tensors.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::by_index, cases::Index, cases::random;
using gt::Tensor, gt::UpsampleMode;

namespace {

auto upsampled(const gt::UpsampleOptions& options) {
  return [=](const Tensor& x) { return gt::upsample(x, options); };
}

const cases::Rows rows([]() -> std::vector<cases::Row> {
  const auto any = cases::between(-1, 1);
  const auto x = [] { return gt::zeros({2, 3}); };
  constexpr auto bilinear = UpsampleMode::bilinear;
  return {
      {.op = "upsample",
       .calls = cases::calls(
           {cases::at({{2, 3}, {2, 3, 2, 2}, {0, 3, 2}}, any, upsampled({.scale_factor = 2})),
            cases::at({{3, 5}}, any, upsampled({.size = {2, 7}})),
            cases::at({{2, 3}, {2, 3, 2, 2}, {0, 3, 2}}, any, upsampled({.scale_factor = {2, 3}, .mode = bilinear})),
            cases::at({{3, 5}, {1, 4}}, any, upsampled({.size = {2, 7}, .mode = bilinear})),
            cases::at({{3, 5}, {1, 4}}, any, upsampled({.size = {5, 3}, .mode = bilinear, .align_corners = true})),
            cases::at({{3, 5}}, any, upsampled({.size = 1, .mode = bilinear, .align_corners = true}))}),
       .misuse =
           {
               {"upsample: expected either a size or a scale_factor", [=] { gt::upsample(x(), {}); }},
               {"upsample: expected either a size or a scale_factor",
                [=] { gt::upsample(x(), {.size = 2, .scale_factor = 2}); }},
               {"upsample: scale_factor is 0; expected at least 1", [=] { gt::upsample(x(), {.scale_factor = 0}); }},
               {"upsample: size is {1, 2, 3}; expected one number, or one for each of two axes",
                [=] {
                  gt::upsample(x(), {.size = {1, 2, 3}});
                }},
               {"upsample: [2, 3] would have more elements than can be counted",
                [=] { gt::upsample(x(), {.scale_factor = std::numeric_limits<std::int64_t>::max()}); }},
               {"upsample: x [3]; expected (…, h, w) with elements",
                [] { gt::upsample(gt::zeros({3}), {.scale_factor = 2}); }},
               {"upsample: x [2, 0, 3]; expected (…, h, w) with elements",
                [] {
                  gt::upsample(gt::zeros({2, 0, 3}), {.scale_factor = 2});
                }},
               {"upsample: align_corners has no meaning for nearest; leave it out or use bilinear",
                [=] { gt::upsample(x(), {.scale_factor = 2, .align_corners = true}); }},
               {"upsample: no meaning for i64; convert with .to(gradtape::f32)",
                [] {
                  gt::upsample(gt::zeros({2, 2}, {.dtype = gt::i64}), {.scale_factor = 2});
                }},
           }},
  };
});

/// x at a place between its elements.
double between(const Tensor& x, double row, double col) {
  const auto before = [](double place) { return static_cast<std::int64_t>(std::floor(place)); };
  const std::int64_t r = before(row), c = before(col), below = std::min(r + 1, x.shape()[0] - 1),
                     right = std::min(c + 1, x.shape()[1] - 1);
  const double down = row - static_cast<double>(r), across = col - static_cast<double>(c);
  return (1 - down) * ((1 - across) * at(x, {r, c}) + across * at(x, {r, right})) +
         down * ((1 - across) * at(x, {below, c}) + across * at(x, {below, right}));
}

}  // namespace

TEST_CASE("upsample: rows") { rows.check(); }

TEST_CASE("upsample: nearest repeats elements") {
  const Tensor x = random({3, 5});
  CHECK(gt::equal(gt::upsample(x, {.scale_factor = {2, 3}}), by_index({6, 15}, [&](const Index& i) {
                    return at(x, {i[0] / 2, i[1] / 3});
                  })));
  CHECK(gt::equal(gt::upsample(x, {.size = {2, 4}}), by_index({2, 4}, [&](const Index& i) {
                    return at(x, {i[0] * 3 / 2, i[1] * 5 / 4});
                  })));
}

TEST_CASE("upsample: bilinear draws lines between elements") {
  const Tensor x = random({3, 5});
  for (const auto& [height, width] : {std::pair{6, 10}, {2, 3}, {3, 5}, {7, 1}}) {
    const auto borders = [](double i, double n, double size) {
      return std::min(std::max((i + 0.5) * n / size - 0.5, 0.0), n - 1);
    };
    const auto corners = [](double i, double n, double size) { return size == 1 ? 0 : i * (n - 1) / (size - 1); };
    const auto expected = [&](auto place) {
      return by_index({height, width}, [&, h = height, w = width](const Index& i) {
        return between(x, place(static_cast<double>(i[0]), 3, h), place(static_cast<double>(i[1]), 5, w));
      });
    };
    gt::UpsampleOptions options{.size = {height, width}, .mode = UpsampleMode::bilinear};
    CHECK(gt::upsample(x, options) == gt::approx(expected(borders)));
    options.align_corners = true;
    CHECK(gt::upsample(x, options) == gt::approx(expected(corners)));
    CHECK(gt::upsample(x.to(gt::f32), options) == gt::approx(expected(corners).to(gt::f32)));
  }
  const Tensor ends = gt::tensor({{0., 4.}});
  CHECK(
      gt::equal(gt::upsample(ends, {.size = {1, 4}, .mode = UpsampleMode::bilinear}), gt::tensor({{0., 1., 3., 4.}})));
  CHECK(gt::equal(gt::upsample(ends, {.size = {2, 5}, .mode = UpsampleMode::bilinear, .align_corners = true}),
                  gt::tensor({{0., 1., 2., 3., 4.}, {0., 1., 2., 3., 4.}})));
}

TEST_CASE("upsample: the gradient counts what was taken of an element") {
  CHECK(gt::equal(gt::vjp(upsampled({.scale_factor = 2}), gt::zeros({2, 2}), gt::ones({4, 4})), gt::full({2, 2}, 4)));
  const auto g = gt::vjp(upsampled({.size = {1, 4}, .mode = UpsampleMode::bilinear}), gt::zeros({1, 2}),
                         gt::tensor({{1., 2., 4., 8.}}));
  CHECK(gt::equal(g, gt::tensor({{3.5, 11.5}})));
}

TEST_CASE("upsample: infinity stays where it is not taken") {
  const Tensor x = cases::vector({1, cases::inf, 3}),
               y = gt::upsample(gt::reshape(x, {1, 3}),
                                {.size = {1, 5}, .mode = UpsampleMode::bilinear, .align_corners = true});
  CHECK(cases::doubles(y) == std::vector<double>{1, cases::inf, cases::inf, cases::inf, 3});
}
