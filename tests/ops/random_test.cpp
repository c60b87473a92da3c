#include <numeric>
#include <set>

#include <Random123/philox.h>
#include <ops/rows.hpp>
#include <ops/tensors.hpp>

namespace gt = gradtape;
using cases::integers;
using gt::Tensor;

namespace {

struct Moments {
  double mean, variance, skew, kurtosis;
};

Moments moments(const std::vector<double>& x) {
  const double n = static_cast<double>(x.size()), mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double m2 = 0, m3 = 0, m4 = 0;
  for (const double v : x) {
    const double d = v - mean;
    m2 += d * d / n, m3 += d * d * d / n, m4 += d * d * d * d / n;
  }
  return {mean, m2, m3 / std::pow(m2, 1.5), m4 / (m2 * m2)};
}

/// The same draws at every call.
template <class F>
cases::Call drawn(std::string what, F f) {
  return cases::made(std::move(what), [f] {
    const gt::RandomStream stream(5);
    return f();
  });
}

const cases::Rows randoms([]() -> std::vector<cases::Row> {
  return {
      {"uniform",
       {drawn("[]", [] { return gt::uniform({}); }),
        drawn("[2, 3]",
              [] {
                return gt::uniform({2, 3});
              }),
        drawn("[0, 3]",
              [] {
                return gt::uniform({0, 3});
              })},
       {{"uniform: random numbers are f32 or f64, not i64", [] { gt::uniform({2}, {.dtype = gt::i64}); }},
        {"uniform: low 1 is above high 0", [] { gt::uniform({2}, {.low = 1, .high = 0}); }}},
       0},
      {"randn",
       {drawn("[]", [] { return gt::randn({}); }),
        drawn("[2, 3]",
              [] {
                return gt::randn({2, 3});
              }),
        drawn("[0, 3]",
              [] {
                return gt::randn({0, 3});
              })},
       {{"randn: random numbers are f32 or f64, not boolean", [] { gt::randn({2}, {.dtype = gt::boolean}); }}},
       0},
      {"randint",
       {drawn("[]", [] { return gt::randint(0, 5, {}); }),
        drawn("[2, 3]",
              [] {
                return gt::randint(-5, 5, {2, 3});
              }),
        drawn("[0, 3]",
              [] {
                return gt::randint(0, 1, {0, 3});
              })},
       {{"randint: low 3 is not below high 3", [] { gt::randint(3, 3, {2}); }},
        {"shape: [-2] has a negative dimension; every dimension must be >= 0", [] { gt::randint(0, 1, {-2}); }}},
       0},
      {"bernoulli",
       {drawn("[]", [] { return gt::bernoulli(0.5); }),
        drawn("[2, 3]",
              [] {
                return gt::bernoulli(0.5, {2, 3});
              }),
        drawn("[0, 3]",
              [] {
                return gt::bernoulli(gt::full({3}, 0.5), {0, 3});
              })},
       {{"bernoulli: p is 1.5; expected 0 to 1", [] { gt::bernoulli(1.5, {2}); }},
        {"bernoulli: p is nan at [1]; expected 0 to 1",
         [] {
           gt::bernoulli(gt::tensor({0.5, cases::nan}));
         }},
        {"bernoulli: shapes [3] and [2] do not broadcast: axis -1 has 3 against 2; sizes must be equal or 1",
         [] { gt::bernoulli(gt::zeros({3}), {2}); }},
        {"bernoulli: no meaning for i64; convert with .to(gradtape::f32)",
         [] {
           gt::bernoulli(integers({0, 1}));
         }}},
       0},
      {"permutation",
       {drawn("[0]", [] { return gt::permutation(0); }), drawn("[5]", [] { return gt::permutation(5); })},
       {{"permutation: -1 numbers; expected at least 0", [] { gt::permutation(-1); }}},
       0,
       false,
       true},
  };
});

}  // namespace

TEST_CASE("random numbers: rows") { randoms.check(); }

TEST_CASE("random numbers come from Philox 4x32-10") {
  // Random123's kat_vectors: counter and key of zeros, of ones, of the digits of pi.
  using P = r123::Philox4x32;
  CHECK(P()({{0, 0, 0, 0}}, {{0, 0}}) == P::ctr_type{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  CHECK(P()({{~0U, ~0U, ~0U, ~0U}}, {{~0U, ~0U}}) == P::ctr_type{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  CHECK(P()({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}}) ==
        P::ctr_type{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
  // The first block of seed 0 is the vector of zeros: 24 bits of a word make a float, 53 of two a double.
  const gt::RandomStream zero(0);
  const std::vector<float> f = gt::uniform({4}).to_vector<float>();
  const std::uint32_t words[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (std::size_t i = 0; i < 4; ++i) CHECK(f[i] == static_cast<float>(words[i] >> 8) / 16777216.0F);
  const gt::RandomStream again(0);
  const std::vector<double> d = gt::uniform({2}, {.dtype = gt::f64}).to_vector<double>();
  CHECK(d[0] == static_cast<double>(0x6627e8d5e169c58d >> 11) * 0x1p-53);
  CHECK(d[1] == static_cast<double>(0xbc57ac4c9b00dbd8 >> 11) * 0x1p-53);
  // The seed is the key and the block's number the counter, low word first.
  const gt::RandomStream wide(0x123456789abcdef0);
  const std::vector<float> second = gt::uniform({8}).to_vector<float>();
  CHECK(second[4] == static_cast<float>(P()({{1, 0, 0, 0}}, {{0x9abcdef0, 0x12345678}})[0] >> 8) / 16777216.0F);
}

TEST_CASE("the same seed gives the same bits, another seed others") {
  const gt::RandomStream mine(99);
  const auto draw = [] {
    return std::vector<Tensor>{gt::uniform({5}),    gt::randn({3, 3}),         gt::randn({3}, {.dtype = gt::f64}),
                               gt::permutation(20), gt::randint(0, 1000, {5}), gt::bernoulli(0.5, {40})};
  };
  gt::manual_seed(7);
  const auto first = draw(), next = draw();
  gt::manual_seed(7);
  const auto again = draw();
  gt::manual_seed(8);
  const auto other = draw();
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(gt::equal(first[i], again[i]));
    CHECK_FALSE(gt::equal(first[i], next[i]));
    CHECK_FALSE(gt::equal(first[i], other[i]));
  }
}

TEST_CASE("a stream of one's own leaves the stream before where it was") {
  const gt::RandomStream mine(3);
  static_cast<void>(gt::uniform({3}));
  const Tensor expected = gt::uniform({3});
  gt::manual_seed(3);
  static_cast<void>(gt::uniform({3}));
  {
    const gt::RandomStream inner(5);
    static_cast<void>(gt::uniform({100}));
  }
  CHECK(gt::equal(gt::uniform({3}), expected));
}

TEST_CASE("moments of a million uniform and normal numbers") {
  const gt::RandomStream random(1);
  const std::int64_t n = 1'000'000;
  for (const gt::Dtype dtype : {gt::f32, gt::f64}) {
    // Bounds of about five standard deviations of the estimates.
    const Moments u = moments(cases::doubles(gt::uniform({n}, {.low = -1, .high = 3, .dtype = dtype})));
    CHECK(std::abs(u.mean - 1) < 0.006);
    CHECK(std::abs(u.variance - 16.0 / 12) < 0.006);
    CHECK(std::abs(u.skew) < 0.01);
    CHECK(std::abs(u.kurtosis - 1.8) < 0.01);
    const std::vector<double> normal = cases::doubles(gt::randn({n}, {.dtype = dtype}));
    const Moments z = moments(normal);
    CHECK(std::abs(z.mean) < 0.005);
    CHECK(std::abs(z.variance - 1) < 0.0075);
    CHECK(std::abs(z.skew) < 0.0125);
    CHECK(std::abs(z.kurtosis - 3) < 0.025);
    double neighbours = 0;  // the two numbers of one Box-Muller draw are independent
    for (std::size_t i = 0; i < normal.size(); i += 2) neighbours += normal[i] * normal[i + 1];
    CHECK(std::abs(neighbours / (static_cast<double>(n) / 2)) < 0.0075);
  }
}

TEST_CASE("uniform stays below high, whatever the rounding") {
  const gt::RandomStream random(2);
  const float low = 1, high = std::nextafter(1.0F, 2.0F);
  for (const float x : gt::uniform({1000}, {.low = low, .high = high}).to_vector<float>()) REQUIRE(x == low);
  for (const float x : gt::uniform({100000}, {.low = 1e6, .high = 1e6 + 1}).to_vector<float>())
    REQUIRE((x >= 1e6F && x < 1e6F + 1));
  for (const double x : cases::doubles(gt::uniform({1000000}))) REQUIRE((x >= 0 && x < 1));
  CHECK(gt::equal(gt::uniform({3}, {.low = 2, .high = 2}), gt::full({3}, 2)));
}

TEST_CASE("a permutation holds every number once, each place as likely") {
  const gt::RandomStream random(4);
  for (const std::int64_t n : {0, 1, 2, 1000}) {
    const std::vector<std::int64_t> order = gt::permutation(n).to_vector<std::int64_t>();
    CHECK(std::set(order.begin(), order.end()).size() == static_cast<std::size_t>(n));
    for (const std::int64_t i : order) REQUIRE((i >= 0 && i < n));
  }
  int count[4][4] = {};
  const int rounds = 24000;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<std::int64_t> order = gt::permutation(4).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < 4; ++i) ++count[i][order[i]];
  }
  for (const auto& row : count)
    for (const int c : row) CHECK(std::abs(c - rounds / 4) < 335);  // five standard deviations
}

TEST_CASE("randint draws every number of its range as often") {
  const gt::RandomStream random(6);
  const int rounds = 60000;
  int count[6] = {};
  for (const std::int64_t i : gt::randint(-2, 4, {rounds}).to_vector<std::int64_t>()) {
    REQUIRE((i >= -2 && i < 4));
    ++count[i + 2];
  }
  for (const int c : count) CHECK(std::abs(c - rounds / 6) < 457);  // five standard deviations
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  int negative = 0;
  for (const std::int64_t i : gt::randint(least, most, {1000}).to_vector<std::int64_t>()) negative += i < 0;
  CHECK(std::abs(negative - 500) < 80);
  CHECK(gt::equal(gt::randint(most - 1, most, {2}), integers({most - 1, most - 1})));
  // The first 64-bit draw of seed 0, modulo the range (see the words above).
  const gt::RandomStream zero(0);
  CHECK(gt::randint(10, 1010, {}).item<std::int64_t>() == 10 + static_cast<std::int64_t>(0x6627e8d5e169c58d % 1000));
}

TEST_CASE("bernoulli draws ones as often as asked for") {
  const gt::RandomStream random(7);
  for (const gt::Dtype dtype : {gt::f32, gt::f64, gt::i64, gt::boolean}) {
    const Tensor x = gt::bernoulli(0.3, {100000}, {.dtype = dtype});
    CHECK(x.dtype() == dtype);
    double ones = 0;
    for (const double v : x.to(gt::f64).to_vector<double>()) {
      REQUIRE((v == 0 || v == 1));
      ones += v;
    }
    CHECK(std::abs(ones - 30000) < 725);  // five standard deviations
  }
  const Tensor p = gt::tensor({0., 1., 0.5}, {.dtype = gt::f64}), x = gt::bernoulli(p, {1000, 3});
  CHECK(x.dtype() == gt::f64);
  const std::vector<double> sums = gt::sum(x, {.axes = 0}).to_vector<double>();
  CHECK(sums[0] == 0);
  CHECK(sums[1] == 1000);
  CHECK(std::abs(sums[2] - 500) < 80);
  CHECK(gt::bernoulli(p).shape() == gt::Shape{3});
  CHECK_FALSE(gt::bernoulli(gt::parameter(p)).requires_grad());
}
