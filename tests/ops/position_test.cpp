#include <complex>

#include <ops/rows.hpp>
#include <ops/views.hpp>

namespace gt = gradtape;
using cases::at, cases::between, cases::by_index;

namespace {

const auto any = between(-2, 2);

const cases::Rows positions([]() -> std::vector<cases::Row> {
  const std::vector<gt::Shape> shapes{{3, 4}, {2, 3, 5, 2}, {1, 2}, {0, 4}, {3, 0}, {2, 0, 4}};
  const auto with = [&](const gt::RotaryOptions& options) {
    return cases::at(shapes, any, [=](const gt::Tensor& x) { return gt::rotary_embedding(x, options); });
  };
  return {
      {"rotary_embedding",
       cases::calls({with({}), with({.base = 50, .interleaved = true, .offset = 3})}),
       {{"rotary_embedding: x [4]; expected (…, t, c) with an even number c",
         [] { gt::rotary_embedding(gt::zeros({4})); }},
        {"rotary_embedding: x [4, 3]; expected (…, t, c) with an even number c",
         [] {
           gt::rotary_embedding(gt::zeros({4, 3}));
         }},
        {"rotary_embedding: base is 0; expected above 0",
         [] {
           gt::rotary_embedding(gt::zeros({4, 2}), {.base = 0});
         }},
        {"rotary_embedding: no meaning for i64; convert with .to(gradtape::f32)",
         [] {
           gt::rotary_embedding(gt::zeros({4, 2}, {.dtype = gt::i64}));
         }}}},
      {"sinusoidal_positions",
       {cases::made("(3, 4)", [] { return gt::sinusoidal_positions(3, 4); }),
        cases::made("(0, 4)", [] { return gt::sinusoidal_positions(0, 4); }),
        cases::made("(4, 0)", [] { return gt::sinusoidal_positions(4, 0); })},
       {{"sinusoidal_positions: length -1 and width 4; expected at least 0", [] { gt::sinusoidal_positions(-1, 4); }},
        {"sinusoidal_positions: length 4 and width -2; expected at least 0", [] { gt::sinusoidal_positions(4, -2); }},
        {"sinusoidal_positions: base is -1; expected above 0", [] { gt::sinusoidal_positions(4, 2, {.base = -1}); }}},
       0,
       false,
       true},
  };
});

}  // namespace

TEST_CASE("position: rows") { positions.check(); }

TEST_CASE("position: nothing takes no time, however long it is") {
  const std::int64_t many = std::int64_t{1} << 40;
  CHECK(gt::rotary_embedding(gt::zeros({0, many, 2})).shape() == gt::Shape{0, many, 2});
  CHECK(gt::rotary_embedding(gt::zeros({0, 2, many})).shape() == gt::Shape{0, 2, many});
  CHECK(gt::sinusoidal_positions(0, many).shape() == gt::Shape{0, many});
}

TEST_CASE("rotary_embedding: complex numbers turned on paper") {
  const gt::RandomStream random(8);
  const auto x = any({2, 5, 6});
  for (const bool interleaved : {false, true})
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      const auto expected = by_index({2, 5, 6}, [&](const cases::Index& i) {
        const std::int64_t pair = interleaved ? i[2] / 2 : i[2] % 3;
        const std::int64_t real = interleaved ? 2 * pair : pair, imaginary = interleaved ? real + 1 : pair + 3;
        const double angle = static_cast<double>(i[1] + 7) * std::pow(10000.0, -static_cast<double>(2 * pair) / 6);
        const auto turned =
            std::polar(1.0, angle) * std::complex(at(x, {i[0], i[1], real}), at(x, {i[0], i[1], imaginary}));
        return i[2] == real ? turned.real() : turned.imag();
      });
      const auto y = gt::rotary_embedding(x.to(dtype), {.interleaved = interleaved, .offset = 7});
      CHECK(y == gt::approx(expected.to(dtype)).atol(dtype == gt::f32 ? 1e-6 : 1e-14));
    }
}

TEST_CASE("rotary_embedding: products depend on the distance alone, and lengths stay") {
  const gt::RandomStream random(9);
  const auto q = any({1, 8}), k = any({1, 8});
  for (const bool interleaved : {false, true}) {
    const auto product = [&](std::int64_t m, std::int64_t n) {
      return gt::sum(gt::rotary_embedding(q, {.interleaved = interleaved, .offset = m}) *
                     gt::rotary_embedding(k, {.interleaved = interleaved, .offset = n}))
          .item();
    };
    CHECK(product(5, 2) == doctest::Approx(product(103, 100)).epsilon(1e-12));
    CHECK(std::abs(product(5, 2) - product(6, 2)) > 1e-3);
    CHECK(gt::sum(gt::square(gt::rotary_embedding(q, {.interleaved = interleaved, .offset = 9}))).item() ==
          doctest::Approx(gt::sum(gt::square(q)).item()));
  }
}

TEST_CASE("sinusoidal_positions: the formula on paper") {
  for (const std::int64_t width : {6, 5, 1})
    for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
      const auto expected = by_index({9, width}, [&](const cases::Index& i) {
        const double exponent = static_cast<double>(i[1] - i[1] % 2) / static_cast<double>(width),
                     angle = static_cast<double>(i[0]) / std::pow(100.0, exponent);
        return i[1] % 2 == 0 ? std::sin(angle) : std::cos(angle);
      });
      const auto y = gt::sinusoidal_positions(9, width, {.base = 100, .dtype = dtype});
      CHECK(y.dtype() == dtype);
      CHECK(y == gt::approx(expected.to(dtype)).atol(dtype == gt::f32 ? 1e-6 : 1e-14));
    }
}
